"""The other files that a prompt is made of: partials and examples, and what changed in them."""

from __future__ import annotations

import re
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
    cosmetic: bool
    """Whether no model sees it."""
    spans: tuple[Span, ...]

    def to_json(self) -> dict[str, Any]:
        """The change, for programs."""
        return {
            "path": self.path,
            "state": self.state,
            "cosmetic": self.cosmetic,
            "words": [span.to_json() for span in self.spans],
        }


def compare_parts(old: Prompt, new: Prompt) -> tuple[PartChange, ...]:
    """The parts that read differently, by path; line ends do not count."""
    before, after = part_texts(old), part_texts(new)
    was, now = ({part.path: part.fingerprint for part in each.parts} for each in (old, new))
    same = old.fingerprint == new.fingerprint
    changes = []
    for path in sorted({*before, *after}):
        if before.get(path) == after.get(path):
            continue
        state: State = "changed"
        if path not in before:
            state = "added"
        elif path not in after:
            state = "removed"
        changes.append(
            PartChange(
                path=path,
                state=state,
                cosmetic=same or was.get(path) == now.get(path),
                spans=diff_words(before.get(path, ""), after.get(path, "")),
            )
        )
    return tuple(changes)


def part_texts(prompt: Prompt) -> dict[str, str]:
    """What the files say, by path, with the same line ends in every checkout."""
    tree = prompt.tree
    if tree is None:
        return {}
    return {part.path: with_unix_ends(tree.text(part.path)) for part in prompt.parts}


def with_unix_ends(text: str) -> str:
    """`text` with `\\n` line ends."""
    return re.sub(r"\r\n|\r", "\n", text)
