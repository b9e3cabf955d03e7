"""What a slice of a suite is, and what a gate may ask of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from llmops.core.errors import UsageError
from llmops.core.scoring import Rule

NONE = "(none)"
"""The value of a case that has none. It is shown, and no rule looks at it."""

MOST_VALUES = 50
"""Values that a slice may have; a column with more is no category."""

LONGEST_VALUE = 100
LEAST = 5

Aggregate = Literal["mean", "pass_rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One way to divide the cases: by a column of the dataset, or by tags."""

    name: str
    column: str | None = None
    tags: str | None = None
    """A glob of tags: `kind:*` gives the tag `kind:math` the value `math`."""
    least: int = LEAST
    """Judged cases without which a rule on a value is inconclusive."""

    def value(self, row: Mapping[str, Any], tags: Sequence[str]) -> str:
        """The value of a case; `UsageError` for a cell that is no category.

        >>> Slice(name="n", column="shots").value({"shots": 3}, ())
        '3'
        >>> Slice(name="kind", tags="kind:*").value({}, ("smoke", "kind:math"))
        'math'
        """
        if self.tags is not None:
            prefix = self.tags.partition("*")[0] if self.tags.endswith("*") else ""
            found = sorted(tag for tag in tags if fnmatchcase(tag, self.tags))
            return ", ".join(tag.removeprefix(prefix) or tag for tag in found) or NONE
        cell = row.get(self.column or self.name)
        if cell is None:
            return NONE
        if not isinstance(cell, str | int | float):
            raise UsageError(
                f"the slice `{self.name}` (column `{self.column}`) is neither a text, "
                "a number nor a truth value"
            )
        text = " ".join(cell.split()) if isinstance(cell, str) else json.dumps(cell)
        if len(text) > LONGEST_VALUE:
            raise UsageError(
                f"the slice `{self.name}` (column `{self.column}`) has a value of more than "
                f"{LONGEST_VALUE} characters",
                hint="a slice is a category such as a language; give the dataset a column for it",
            )
        return text or NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRule:
    """What one aggregate of one check must be in each value of a slice, or between them."""

    check: str
    aggregate: Aggregate
    rule: Rule
    by: str
    gap: bool = False
    """Whether the rule is on the distance between the values."""
    least: int = LEAST
