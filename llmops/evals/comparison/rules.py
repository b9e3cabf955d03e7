"""What a comparison asks: how much may be lost, of which metric, at which confidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from llmops.core.errors import UsageError

Aggregate = Literal["mean", "pass_rate"]

CONFIDENCE = 0.95
UNJUDGED = 0.05
MARGIN = 0.02
"""What may be lost of a ratio where nobody said."""
RELATIVE_MARGIN = 0.05
"""The same for a score with a unit, as a share of the base's mean."""

_DROP = re.compile(r"\s*<=\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRule:
    """The most that one metric may lose against the base."""

    check: str
    of: Aggregate | None = None
    """Left out: the pass rate of a check with a rule, else the mean."""
    margin: float = MARGIN
    """In the score's own unit, or a share of the base's value if `relative`."""
    relative: bool = False
    by: str | None = None
    """A slice: the rule holds in each of its values."""

    @classmethod
    def parse(
        cls, check: str, text: str, *, of: Aggregate | None = None, by: str | None = None
    ) -> MarginRule:
        """The rule that `drop: "<= 0.02"` or `drop: "<= 5%"` spells.

        >>> MarginRule.parse("f1", "<= 5%").margin
        0.05
        """
        match = _DROP.fullmatch(text)
        if not match:
            raise UsageError(
                f"`{text}` is no limit of a drop",
                hint='write `drop: "<= 0.02"`, or `drop: "<= 5%"` of what the base has',
            )
        margin = float(match[1]) / (100 if match[2] else 1)
        return cls(check=check, of=of, margin=margin, relative=bool(match[2]), by=by)

    def __str__(self) -> str:
        return f"<= {self.margin * 100:g}%" if self.relative else f"<= {self.margin:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRules:
    """All that a comparison asks."""

    confidence: float = CONFIDENCE
    """Of each two-sided interval: at most `1 - confidence` of unchanged runs are blamed."""
    unjudged: float = UNJUDGED
    """The share of pairs that may stay unjudged."""
    margins: tuple[MarginRule, ...] = ()
    """Where there are any, only what they name is gated; else every check with a pass rule."""
    slices: tuple[str, ...] = ()
    """Slices whose values are shown beside what is gated."""
    untouched: int = 0
    """Cases that were not run, since both sides show the model the same and judge it the same:
    each counts as a pair without a difference, as it would have been."""
    default_margin: float | None = None
    """For ratios that no rule names; left out, `MARGIN`."""
