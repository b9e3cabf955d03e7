"""What the columns of a dataset hold, counted while its rows go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column over all rows."""

    name: str
    kinds: Mapping[str, int]
    """How many values are a `text`, a `number`, a `truth value`, a `list` or an `object`."""
    missing: int
    """Rows without it, and those where it is empty."""
    longest: int
    """Characters of its longest text."""


@dataclass(slots=True)
class _Count:
    kinds: dict[str, int] = field(default_factory=dict)
    longest: int = 0


class Columns:
    """Counts rows; columns are in the order in which they first came."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts: dict[str, _Count] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row."""
        self.rows += 1
        for name, value in row.items():
            count = self._counts.setdefault(name, _Count())
            kind = _kind(value)
            if kind is None:
                continue
            count.kinds[kind] = count.kinds.get(kind, 0) + 1
            if isinstance(value, str) and len(value) > count.longest:
                count.longest = len(value)

    def found(self) -> tuple[Column, ...]:
        """All columns."""
        return tuple(
            Column(
                name=name,
                kinds=dict(sorted(count.kinds.items())),
                missing=self.rows - sum(count.kinds.values()),
                longest=count.longest,
            )
            for name, count in self._counts.items()
        )


def _kind(value: Any) -> str | None:
    """What a value is; `None` for one that is missing: null, or nothing but white space."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"
