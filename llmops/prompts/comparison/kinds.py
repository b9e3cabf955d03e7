"""The kinds of changes, and one change with its kind and its place.

breaking   major   an app that calls the prompt, or reads its answer, may fail
behaviour  minor   everything still fits, and answers may differ
cosmetic   patch   the file reads differently, and no model notices
none               the same, be it under another version number
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from llmops.core.errors import Where
from llmops.core.files import relative

Bump = Literal["major", "minor", "patch"]


class ChangeKind(StrEnum):
    """How much a change matters to who uses the prompt, from nothing to breaking.

    >>> max(ChangeKind.COSMETIC, ChangeKind.BREAKING, ChangeKind.BEHAVIOUR).bump
    'major'
    """

    NONE = "none"
    COSMETIC = "cosmetic"
    BEHAVIOUR = "behaviour"
    BREAKING = "breaking"

    @property
    def bump(self) -> Bump | None:
        """The part of the version that has to be raised at least."""
        return _BUMPS[self]

    # By weight, where a text would compare by its letters.
    def __lt__(self, other: str) -> bool:
        return _ORDER.index(self) < _ORDER.index(ChangeKind(other))

    def __gt__(self, other: str) -> bool:
        return _ORDER.index(self) > _ORDER.index(ChangeKind(other))

    def __le__(self, other: str) -> bool:
        return not self > other

    def __ge__(self, other: str) -> bool:
        return not self < other


_ORDER = tuple(ChangeKind)
_BUMPS: dict[ChangeKind, Bump | None] = {
    ChangeKind.NONE: None,
    ChangeKind.COSMETIC: "patch",
    ChangeKind.BEHAVIOUR: "minor",
    ChangeKind.BREAKING: "major",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed."""

    kind: ChangeKind
    what: str
    """In words: "input `tone` is required now"."""
    where: Where | None = None
    """In the new file; of what was removed, in the old one."""

    def to_json(self) -> dict[str, Any]:
        """The change, for programs."""
        line = {"line": self.where.line} if self.where and self.where.line else {}
        file = {"file": relative(self.where.path, Path.cwd())} if self.where else {}
        return {"kind": self.kind.value, "what": self.what, **file, **line}
