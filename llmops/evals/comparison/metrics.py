"""One metric over the pairs: what each side has, and the evidence of their difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmops.evals.comparison.evidence import (
    Evidence,
    Missing,
    evidence_of_differences,
    evidence_of_rates,
    with_missing,
)
from llmops.evals.comparison.pairing import Bools, CheckPair, CheckSide, Floats
from llmops.evals.results import Estimate
from llmops.evals.statistics import clustered_rate, mean_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric, with the difference as head minus base in the score's own unit."""

    base: Estimate | None
    head: Estimate | None
    difference: Estimate | None
    evidence: Evidence | None
    """`None` where no case was judged on both sides."""
    unjudged: int
    """Pairs that were not judged on one side at least."""


def measure(
    check: CheckPair,
    *,
    rate: bool,
    bounded: bool,
    higher_is_better: bool,
    rows: Bools | None,
    untouched: int,
    confidence: float,
) -> Measure:
    """The metric over all pairs, or over `rows` of them, and so many pairs without a difference."""
    chosen = (check.base.asked > 0) | (check.head.asked > 0)
    if rows is not None:
        chosen &= rows
    before, after = _values(check.base, rate)[chosen], _values(check.head, rate)[chosen]
    known = ~np.isnan(before) & ~np.isnan(after)
    unjudged = len(known) - int(known.sum())
    if not known.any():
        return Measure(base=None, head=None, difference=None, evidence=None, unjudged=unjudged)
    binary = rate or (check.base.binary and check.head.binary)
    sign = 1.0 if higher_is_better else -1.0
    differences = np.concatenate([sign * (after - before)[known], np.zeros(untouched)])
    if binary:
        judged = np.concatenate(
            [check.base.judged[chosen][known], check.head.judged[chosen][known]]
        )
        repeats = {int(each) for each in np.unique(judged)}
        evidence = evidence_of_rates(differences, repeats, confidence=confidence)
    else:
        evidence = evidence_of_differences(differences, bounded=bounded, confidence=confidence)
    evidence = with_missing(evidence, _missing(sign, before, after) if bounded else Missing())
    return Measure(
        base=_estimate(before[known], check.base, chosen, known, binary, bounded, confidence),
        head=_estimate(after[known], check.head, chosen, known, binary, bounded, confidence),
        difference=_turned_back(evidence.difference, sign),
        evidence=evidence,
        unjudged=unjudged,
    )


def _values(side: CheckSide, rate: bool) -> Floats:
    return side.rates() if rate else side.means()


def _missing(sign: float, before: Floats, after: Floats) -> Missing:
    """What pairs could do that were judged on one side only; those judged on none say nothing."""
    on_base = before[~np.isnan(before) & np.isnan(after)]
    on_head = after[np.isnan(before) & ~np.isnan(after)]
    falls = float(on_base.sum() + (1 - on_head).sum())
    rises = float((1 - on_base).sum() + on_head.sum())
    lost, gained = (falls, rises) if sign > 0 else (rises, falls)
    return Missing(lost=lost, gained=gained, cases=len(on_base) + len(on_head))


def _estimate(
    values: Floats,
    side: CheckSide,
    chosen: Bools,
    known: Bools,
    binary: bool,
    bounded: bool,
    confidence: float,
) -> Estimate:
    """One side's mean over the pairs, each case counting once."""
    if binary:
        judged = side.judged[chosen][known]
        return clustered_rate(
            (values * judged.max()).tolist(),
            [float(judged.max())] * len(values),
            confidence=confidence,
        )
    found = mean_interval(values.tolist(), confidence=confidence)
    if not bounded or found.low is None or found.high is None:
        return found
    return Estimate(value=found.value, low=max(0.0, found.low), high=min(1.0, found.high))


def _turned_back(difference: Estimate, sign: float) -> Estimate:
    """The difference as head minus base again."""
    if sign > 0:
        return difference
    low, high = difference.low, difference.high
    return Estimate(
        value=-difference.value + 0.0,
        low=-high + 0.0 if high is not None else None,
        high=-low + 0.0 if low is not None else None,
    )
