"""The other files that a prompt is made of: partials and examples, and what changed in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from llmops.prompts.comparison.words import Span, diff_words
from llmops.prompts.prompt import Prompt

State = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """A partial, or the file of examples."""

    path: str
    """Relative to the prompts folder."""
    state: State
    spans: tuple[Span, ...]

    def to_json(self) -> dict[str, Any]:
        """The change, for programs."""
        return {
            "path": self.path,
            "state": self.state,
            "words": [span.to_json() for span in self.spans],
        }


def compare_parts(old: Prompt, new: Prompt) -> tuple[PartChange, ...]:
    """The parts whose content differs, by path."""
    before, after = ({part.path: part.fingerprint for part in each.parts} for each in (old, new))
    changes = []
    for path in sorted({*before, *after}):
        if before.get(path) == after.get(path):
            continue
        was = _text(old, path) if path in before else ""
        now = _text(new, path) if path in after else ""
        state: State = "changed"
        if path not in before:
            state = "added"
        elif path not in after:
            state = "removed"
        changes.append(PartChange(path=path, state=state, spans=diff_words(was, now)))
    return tuple(changes)


def _text(prompt: Prompt, path: str) -> str:
    return prompt.tree.text(path) if prompt.tree is not None else ""
