"""Lays two sides next to each other, case by case, and gives a verdict a metric.

refuse → pair → evidence a metric → Holm over what gates → verdict → decision
"""

from __future__ import annotations

from llmops.evals.comparison.rules import ComparisonRules
from llmops.evals.comparison.sides import Side
from llmops.evals.results import Comparison


def compare(base: Side, head: Side, rules: ComparisonRules | None = None) -> Comparison:
    """What became of head against base, with a decision and its exit code.

    Both sides are read once now, and again by `Comparison.changes()`. Raises
    `UsageError`, saying what differs, for sides that cannot be compared: another
    suite, dataset or scorer version, no check or no case in common, a case that
    is there twice.
    """
    from llmops.evals.comparison.comparing import Comparing  # numpy, only for who compares

    return Comparing(base, head, rules or ComparisonRules()).comparison()
