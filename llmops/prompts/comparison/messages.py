"""Which message of one prompt became which of the other, and what changed in its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llmops.prompts.comparison.words import Span, diff_words, keys, similarity
from llmops.prompts.source import SourceMessage

_SAME_ROLE = 0.1
"""What two messages of one role have in common before a word is compared."""
_OTHER_ROLE = 0.6
"""How alike two messages have to be to be one whose role changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """What became of one message."""

    state: Literal["same", "added", "removed", "changed"]
    role: str | None
    """`None` for code that stands before the first role line."""
    old_role: str | None = None
    """Where it was another one."""
    line: int
    """In the new file; of a message that is gone, in the old one."""
    spans: tuple[Span, ...]

    @property
    def label(self) -> str:
        """What the message is called in a review."""
        return f"`{self.role}` message" if self.role else "code before the first message"

    def to_json(self) -> dict[str, Any]:
        """The change, for programs."""
        was = {"old_role": self.old_role} if self.old_role else {}
        return {
            "state": self.state,
            "role": self.role,
            **was,
            "line": self.line,
            "words": [span.to_json() for span in self.spans],
        }


def compare_messages(
    old: Sequence[SourceMessage], new: Sequence[SourceMessage]
) -> tuple[MessageChange, ...]:
    """The messages of both, in the order in which a reader meets them."""
    changes = []
    for one, other in _aligned(old, new):
        if one is not None and other is not None:
            changes.append(_both(one, other))
        elif one is not None:
            changes.append(_alone(one, "removed"))
        elif other is not None:
            changes.append(_alone(other, "added"))
    return tuple(changes)


def _both(old: SourceMessage, new: SourceMessage) -> MessageChange:
    spans = diff_words(old.text, new.text)
    moved = old.role != new.role
    same = not moved and all(span.change == "same" for span in spans)
    return MessageChange(
        state="same" if same else "changed",
        role=new.role,
        old_role=old.role if moved else None,
        line=new.line,
        spans=spans,
    )


def _alone(message: SourceMessage, state: Literal["added", "removed"]) -> MessageChange:
    spans = (Span(state, message.text),) if message.text else ()
    return MessageChange(state=state, role=message.role, line=message.line, spans=spans)


Pair = tuple[SourceMessage | None, SourceMessage | None]


def _aligned(old: Sequence[SourceMessage], new: Sequence[SourceMessage]) -> Iterator[Pair]:
    """Pairs in order: each side once, together where the whole fits best."""
    ahead = 0
    while ahead < min(len(old), len(new)) and _equal(old[ahead], new[ahead]):
        ahead += 1
    behind = 0
    while behind < min(len(old), len(new)) - ahead and _equal(old[-1 - behind], new[-1 - behind]):
        behind += 1
    yield from zip(old[:ahead], new[:ahead], strict=True)
    yield from _best(old[ahead : len(old) - behind], new[ahead : len(new) - behind])
    yield from zip(old[len(old) - behind :], new[len(new) - behind :], strict=True)


def _best(old: Sequence[SourceMessage], new: Sequence[SourceMessage]) -> Iterator[Pair]:
    """The alignment that keeps most words in place, as for two sequences of anything."""
    before, after = [keys(each.text) for each in old], [keys(each.text) for each in new]
    alike = [
        [_alike(old[i], new[j], before[i], after[j]) for j in range(len(new))]
        for i in range(len(old))
    ]
    reached = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            together = alike[i][j] + reached[i + 1][j + 1] if alike[i][j] else 0.0
            reached[i][j] = max(together, reached[i + 1][j], reached[i][j + 1])
    i = j = 0
    while i < len(old) or j < len(new):
        both = i < len(old) and j < len(new) and alike[i][j]
        if both and reached[i][j] == both + reached[i + 1][j + 1]:
            yield old[i], new[j]
            i, j = i + 1, j + 1
        elif j == len(new) or (i < len(old) and reached[i][j] == reached[i + 1][j]):
            yield old[i], None
            i += 1
        else:
            yield None, new[j]
            j += 1


def _alike(old: SourceMessage, new: SourceMessage, before: list[str], after: list[str]) -> float:
    shared = similarity(before, after)
    if old.role == new.role:
        return _SAME_ROLE + shared
    return shared if shared >= _OTHER_ROLE else 0.0


def _equal(old: SourceMessage, new: SourceMessage) -> bool:
    return old.role == new.role and old.text == new.text
