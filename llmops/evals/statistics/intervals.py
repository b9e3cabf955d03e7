"""Intervals of one run's rates and means, quantiles and histograms, without numpy.

Repeats of one case are not independent: they share its question. So they are
clusters: a mean is taken over the cases' own means, and a rate's interval
counts no more independent results than the repeats' agreement allows.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from llmops.evals.results import Estimate
from llmops.evals.statistics.distributions import t_quantile

CONFIDENCE = 0.95
BINS = 20


def wilson(successes: float, trials: float, *, confidence: float = CONFIDENCE) -> Estimate:
    """The rate `successes / trials` with Wilson's score interval.

    The interval stays within [0, 1] and keeps its width at 0 and 1, where the
    textbook interval shrinks to nothing. E. B. Wilson, "Probable inference, the
    law of succession, and statistical inference", JASA 22 (1927), 209-212.
    `trials` must be positive.

    >>> found = wilson(10, 10)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (1.0, 0.722, 1.0)
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / trials
    scale = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return Estimate(
        value=rate, low=min(rate, max(0.0, centre - half)), high=max(rate, min(1.0, centre + half))
    )


def clustered_rate(
    passed: Sequence[float], judged: Sequence[float], *, confidence: float = CONFIDENCE
) -> Estimate:
    """The pooled rate over cases that were judged several times, with its interval.

    `passed[i]` of the `judged[i]` repeats of case `i` passed. The interval is
    Wilson's at the effective number of results: their number over the design
    effect (L. Kish, "Survey Sampling", 1965, ch. 5), which is the variance of
    the rate between cases over the variance of as many independent results. It
    is never above the number of results nor below the number of cases.
    """
    total, cases = math.fsum(judged), len(judged)
    hits = math.fsum(passed)
    rate = hits / total
    effective = total
    if total > cases:
        spread = math.fsum((p - rate * n) ** 2 for p, n in zip(passed, judged, strict=True))
        between = spread * cases / (cases - 1) / total**2 if cases > 1 else 0.0
        independent = rate * (1 - rate) / total
        wanted = total * independent / between if between > 0 else float(cases)
        effective = min(total, max(float(cases), wanted))
    return wilson(rate * effective, effective, confidence=confidence)


def mean_interval(values: Sequence[float], *, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of independent values with Student's t interval.

    "Student", "The probable error of a mean", Biometrika 6 (1908), 1-25. One
    value alone gives no interval. `values` must not be empty.

    >>> found = mean_interval([1.0, 2.0, 3.0])
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (-0.484, 2.0, 4.484)
    """
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return Estimate(value=mean)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = t_quantile((1 + confidence) / 2, count - 1) * math.sqrt(variance / count)
    return Estimate(value=mean, low=mean - half, high=mean + half)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie, interpolated between neighbours.

    Type 7 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical
    packages", The American Statistician 50 (1996), 361-365.

    >>> quantile([1.0, 2.0, 4.0], 0.75)
    3.0
    """
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    return low if low == high else low + (high - low) * (position - below)


def quantiles(values: Sequence[float]) -> Mapping[str, float]:
    """`min`, `p25`, `p50`, `p75`, `p95` and `max` of the values; empty when there is none."""
    if not values:
        return {}
    ordered = array("d", sorted(values))
    shares = {"min": 0.0, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1.0}
    return {name: quantile(ordered, share) for name, share in shares.items()}


def histogram(values: Sequence[float], *, ratio: bool) -> tuple[tuple[float, float, int], ...]:
    """Bins of equal width, as (from, to, count); a bin holds its lower edge, the last both.

    Ratios get ten bins over [0, 1], so that two runs can be laid side by side;
    other values get bins from the smallest to the largest.
    """
    if not values:
        return ()
    low, high = min(values), max(values)
    if ratio and low >= 0 and high <= 1:
        low, high, bins = 0.0, 1.0, 10
    elif low == high:
        return ((low, high, len(values)),)
    else:
        bins = min(BINS, max(1, math.ceil(math.sqrt(len(values)))))
    edges = [low * (1 - index / bins) + high * (index / bins) for index in range(bins + 1)]
    counts = [0] * bins
    for value in values:
        counts[min(bins, max(1, bisect_right(edges, value))) - 1] += 1
    return tuple((edges[index], edges[index + 1], count) for index, count in enumerate(counts))
