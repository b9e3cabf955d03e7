"""What a comparison asks of other tools' results, where no suite says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmops.core.errors import NotFound
from llmops.evals.comparison.rules import (
    MARGIN,
    RELATIVE_MARGIN,
    ComparisonRules,
    MarginRule,
)
from llmops.evals.comparison.sides import Side


def rules_for(
    base: Side,
    head: Side,
    *,
    given: ComparisonRules | None = None,
    checks: Sequence[str] = (),
    margin: float | None = None,
    confidence: float | None = None,
) -> ComparisonRules:
    """The rules of a comparison: those `given` by a suite, with what is asked for put before them.

    With `checks`, only these gate, pass rule or not. Without `margin`, a check
    may lose 0.02 of a rate or ratio, and 5 % of the base's mean otherwise.
    """
    rules = given or ComparisonRules()
    if margin is not None:
        margins = tuple(replace(each, margin=margin, relative=False) for each in rules.margins)
        rules = replace(rules, margins=margins, default_margin=margin)
    if confidence is not None:
        rules = replace(rules, confidence=confidence)
    if not checks:
        return rules
    written = {each.check: each for each in rules.margins}
    made = [written.get(name) or _margin(base, head, name, margin) for name in checks]
    return replace(rules, margins=tuple(made))


def with_less_is_better(side: Side, checks: Sequence[str]) -> Side:
    """The side with these checks turned round; `NotFound` for one that it does not have."""
    known = {check.name for check in side.checks}
    for name in checks:
        if name not in known:
            raise NotFound.among("check", name, known)
    turned = tuple(
        replace(check, higher_is_better=False) if check.name in checks else check
        for check in side.checks
    )
    return replace(side, checks=turned)


def _margin(base: Side, head: Side, name: str, margin: float | None) -> MarginRule:
    if margin is not None:
        return MarginRule(check=name, margin=margin)
    ratio = _is_ruled(base, name) and _is_ruled(head, name)
    if ratio or (_is_ratio(base, name) and _is_ratio(head, name)):
        return MarginRule(check=name, margin=MARGIN)
    return MarginRule(check=name, margin=RELATIVE_MARGIN, relative=True)


def _is_ruled(side: Side, name: str) -> bool:
    return any(check.name == name and check.rule is not None for check in side.checks)


def _is_ratio(side: Side, name: str) -> bool:
    """Whether no score of the check lies beyond 0 and 1."""
    if any(check.name == name and check.unit for check in side.checks):
        return False
    return all(
        verdict.score.value is None or 0 <= verdict.score.value <= 1
        for result in side.results()
        for verdict in result.verdicts
        if verdict.check == name
    )
