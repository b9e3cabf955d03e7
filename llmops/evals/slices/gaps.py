"""How far apart the values of a slice are, with an interval that can be trusted.

The gap is the distance between the highest and the lowest value. Even where all
values are the same in truth, the highest of several estimates lies above the
lowest, so resampling the gap gives intervals that never reach zero. Here the
intervals of all contrasts (every two values against each other) hold together
(Bonferroni), so the true gap lies between the largest of their lower and the
largest of their upper ends, whichever two values it is that are farthest apart.

Unpaired contrasts: the interval of a difference from the intervals of the two
values, R. G. Newcombe, "Interval estimation for the difference between
independent proportions", Statistics in Medicine 17 (1998), 873-890 (method
10), and for means G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008),
1693-1702. Paired contrasts: the differences within each group of cases that ask
the same but for this slice, judged as base and head of a comparison are.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from llmops.evals.results import Contrast, Estimate, SliceGap
from llmops.evals.slices.tables import Floats, Part, Table
from llmops.evals.statistics import holm, mcnemar, paired_rate, t_two_sided

CONFIDENCE = 0.95
MOST_CONTRASTS = 45
"""Contrasts that a gap lists, the farthest apart; its interval rests on all."""


def gap_of(table: Table) -> SliceGap | None:
    """The gap; `None` when fewer than two values can be compared.

    Unpaired gaps are measured by Fairlearn, and raise `MissingExtra` without
    the extra `fairness`.
    """
    if table.pairing is not None:
        found = _paired(table)
        method = f"mean difference within counterfactual groups; {_paired_method(table)}"
    else:
        found = _unpaired(table)
        method = "difference of independent cases; Newcombe's interval from both values' own" + (
            " and Agresti's and Caffo's test" if table.is_rate else " and Welch's test"
        )
    if not found:
        return None
    found = _adjusted(found)
    farthest = found[0]
    return SliceGap(
        slice=table.slice,
        check=table.check,
        aggregate=table.aggregate,
        paired=table.pairing is not None,
        highest=farthest.high,
        lowest=farthest.low,
        difference=_enclosing(found),
        method=f"{method}; {len(found)} contrasts together at {CONFIDENCE:.0%}",
        contrasts=tuple(found[:MOST_CONTRASTS]),
    )


def _unpaired(table: Table) -> list[Contrast]:
    from llmops.evals.slices.frame import metric_frame

    parts = [part for part in table.parts if part.is_rate or part.cases > 1]
    if len(parts) < 2:
        return []
    frame = metric_frame(table)
    values = {name: float(value) for name, value in frame.by_group[table.aggregate].items()}
    pairs = math.comb(len(parts), 2)
    estimates = {part.value: part.estimate(1 - (1 - CONFIDENCE) / pairs) for part in parts}
    contrasts = []
    for one, other in combinations(parts, 2):
        high, low = sorted((one, other), key=lambda part: values[part.value], reverse=True)
        contrasts.append(
            Contrast(
                high=high.value,
                low=low.value,
                difference=_newcombe(
                    values[high.value] - values[low.value],
                    estimates[high.value],
                    estimates[low.value],
                ),
                p_value=_p_unpaired(high, low),
            )
        )
    return contrasts


def _newcombe(difference: float, high: Estimate, low: Estimate) -> Estimate:
    if high.low is None or high.high is None or low.low is None or low.high is None:
        return Estimate(value=difference)
    return Estimate(
        value=difference,
        low=difference - math.hypot(high.value - high.low, low.high - low.value),
        high=difference + math.hypot(high.high - high.value, low.value - low.low),
    )


def _p_unpaired(one: Part, other: Part) -> float:
    """Two-sided, of no difference, with a case as the unit.

    Rates: A. Agresti and B. Caffo, "Simple and effective confidence intervals
    for proportions", The American Statistician 54 (2000), 280-288: a success
    and a failure are added to either side. Means: B. L. Welch, Biometrika 34
    (1947), 28-35.
    """
    if one.is_rate:
        rates = [
            ((part.means.sum() + 1) / (part.cases + 2), part.cases + 2) for part in (one, other)
        ]
        error = math.sqrt(sum(rate * (1 - rate) / size for rate, size in rates))
        z = (rates[0][0] - rates[1][0]) / error
        return math.erfc(abs(z) / math.sqrt(2))
    shares = [float(part.means.var(ddof=1)) / part.cases for part in (one, other)]
    distance = float(one.means.mean() - other.means.mean())
    if not sum(shares):
        return 1.0 if not distance else 0.0
    freedom = sum(shares) ** 2 / sum(
        share**2 / (part.cases - 1) for share, part in zip(shares, (one, other), strict=True)
    )
    return t_two_sided(distance / math.sqrt(sum(shares)), max(1, math.floor(freedom)))


def _paired(table: Table) -> list[Contrast]:
    columns = _by_group(table)
    shared = {
        (one, other): columns[one][both] - columns[other][both]
        for one, other in combinations(range(len(table.values)), 2)
        if (both := ~np.isnan(columns[one]) & ~np.isnan(columns[other])).sum() > 1
    }
    contrasts = []
    for (one, other), differences in shared.items():
        if differences.mean() < 0:
            one, other, differences = other, one, -differences
        confidence = 1 - (1 - CONFIDENCE) / len(shared)
        contrasts.append(
            Contrast(
                high=table.values[one],
                low=table.values[other],
                difference=_paired_interval(differences, table, confidence),
                p_value=_p_paired(differences),
                pairs=len(differences),
            )
        )
    return contrasts


def _by_group(table: Table) -> list[Floats]:
    """For each value, the mean of each counterfactual group; NaN where it has no such case."""
    assert table.pairing is not None  # noqa: S101 - the caller has looked
    groups = int(table.pairing.max()) + 1
    means = table.sums / table.weights
    columns = []
    for code in range(len(table.values)):
        chosen = table.codes == code
        count = np.bincount(table.pairing[chosen], minlength=groups)
        total = np.bincount(table.pairing[chosen], weights=means[chosen], minlength=groups)
        columns.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    return columns


def _paired_method(table: Table) -> str:
    if table.is_rate:
        return "Tango's interval and the exact or a sign-flip test"
    widest = (
        ", Student's t or Tango's interval, the widest," if table.bounded else " or Student's t"
    )
    return f"bootstrap (BCa){widest} and a sign-flip test"


def _paired_interval(differences: Floats, table: Table, confidence: float) -> Estimate:
    """As of base and head: `comparison.evidence` says why bounded scores take the widest."""
    gained = float(differences[differences > 0].sum())
    lost = -float(differences[differences < 0].sum())
    squares = float((differences**2).sum())
    tango = paired_rate(gained, lost, squares, len(differences), confidence=confidence)
    if table.is_rate:
        return tango
    from llmops.evals.statistics.resampling import mean_difference

    found = mean_difference(differences, confidence=confidence)
    if not table.bounded or found.low is None or found.high is None:
        return found
    if tango.low is None or tango.high is None:
        return found
    low, high = min(found.low, tango.low), max(found.high, tango.high)
    return Estimate(value=found.value, low=low, high=high)


def _p_paired(differences: Floats) -> float:
    if np.isin(differences, (-1.0, 0.0, 1.0)).all():
        return mcnemar(int((differences > 0).sum()), int((differences < 0).sum()))
    from llmops.evals.statistics.resampling import sign_flip_sampled

    return sign_flip_sampled(differences)


def _adjusted(contrasts: list[Contrast]) -> list[Contrast]:
    """The contrasts with Holm's p-values, the farthest apart first."""
    adjusted = holm([each.p_value if each.p_value is not None else 1.0 for each in contrasts])
    together = [
        Contrast(
            high=each.high,
            low=each.low,
            difference=each.difference,
            p_value=each.p_value,
            p_adjusted=p_adjusted,
            pairs=each.pairs,
        )
        for each, p_adjusted in zip(contrasts, adjusted, strict=True)
    ]
    return sorted(together, key=lambda each: (-each.difference.value, each.high, each.low))


def _enclosing(contrasts: list[Contrast]) -> Estimate:
    """The largest contrast, with the interval in which the true gap lies."""
    ends = [
        (each.difference.low, each.difference.high)
        for each in contrasts
        if each.difference.low is not None and each.difference.high is not None
    ]
    value = contrasts[0].difference.value
    if not ends:
        return Estimate(value=value)
    return Estimate(
        value=value,
        low=max(0.0, *(low for low, _ in ends), *(-high for _, high in ends)),
        high=max(max(abs(low), abs(high)) for low, high in ends),
    )


def widened(parts: int) -> float:
    """The confidence of each of so many intervals that hold together at `CONFIDENCE`.

    >>> round(widened(10), 4)
    0.995
    """
    return 1 - (1 - CONFIDENCE) / max(1, parts)


def more_cases(cases: int, half: float, distance: float) -> int | None:
    """About how many cases it takes until an interval of half the width `half` keeps `distance`.

    >>> more_cases(50, 0.1, 0.05)
    200
    """
    return math.ceil(cases * (half / distance) ** 2) if distance > 0 else None
