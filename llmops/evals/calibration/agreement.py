"""How far two or more raters agree, beyond what chance alone would give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmops.evals.results import Estimate

Floats = NDArray[np.float64]
Indexes = NDArray[np.intp]
Level = Literal["nominal", "ordinal", "interval"]
Statistic = Callable[[Indexes], float]
"""A figure of the cases at these indexes, NaN where it is undefined."""

CONFIDENCE = 0.95
FOLDS = 5
"""Parts in which a threshold is chosen on the others and tried on the one."""


def confusion(one: Indexes, other: Indexes, labels: int) -> NDArray[np.int64]:
    """How often `one` gave the row's label and `other` the column's."""
    counted = np.bincount(one * labels + other, minlength=labels * labels)
    return counted.reshape(labels, labels).astype(np.int64)


def cohen_kappa(table: NDArray[np.int64], *, weighted: bool = False) -> float:
    """Agreement of two raters beyond chance, from their confusion table; NaN if undefined.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and
    Psychological Measurement 20 (1960), 37-46; `weighted` by the squared
    distance of the labels' ranks, Psychological Bulletin 70 (1968), 213-220.
    It is undefined where both use one and the same label only.

    >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 6)
    0.4
    """
    total = table.sum()
    ranks = np.arange(len(table))
    distance = np.subtract.outer(ranks, ranks) ** 2 if weighted else 1 - np.eye(len(table))
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / total if total else table
    expected = float((distance * by_chance).sum())
    if not expected:
        return float("nan")
    return 1 - float((distance * table).sum()) / expected


def krippendorff_alpha(ratings: Floats, level: Level) -> float:
    """Krippendorff's alpha of a cases x raters table with NaN for no rating; NaN if undefined.

    One minus the observed over the expected disagreement, over all pairs of
    ratings of one case; cases with fewer than two ratings tell nothing. K.
    Krippendorff, "Content Analysis", 2nd ed. (2004), ch. 11; the differences
    of the levels are those of its section 11.3.

    >>> table = np.array([[1, 1], [2, 2], [1, 2], [1, 1]], dtype=float)
    >>> round(krippendorff_alpha(table, "nominal"), 4)
    0.5333
    """
    values = np.unique(ratings[~np.isnan(ratings)])
    return _alpha(_counts(ratings, values), values, level)


def alpha_interval(ratings: Floats, level: Level, *, resamples: int, seed: int) -> Estimate | None:
    """Krippendorff's alpha with an interval by resampling cases; `None` if undefined."""
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = _counts(ratings, values)
    return bootstrap(len(counts), lambda rows: _alpha(counts[rows], values, level), resamples, seed)


def _counts(ratings: Floats, values: Floats) -> Floats:
    """How often each case has each value."""
    found: Floats = (ratings[:, :, None] == values).sum(axis=1).astype(float)
    return found


def _alpha(counts: Floats, values: Floats, level: Level) -> float:
    given = counts.sum(axis=1)
    paired = counts[given >= 2]
    weight = 1 / (paired.sum(axis=1) - 1)
    together = (paired * weight[:, None]).T @ paired - np.diag((paired * weight[:, None]).sum(0))
    totals = together.sum(axis=1)
    number = float(totals.sum())
    if number <= 1:
        return float("nan")
    difference = _difference(values, totals, level)
    expected = float((np.outer(totals, totals) * difference).sum())
    if not expected:
        return float("nan")
    return 1 - (number - 1) * float((together * difference).sum()) / expected


def _difference(values: Floats, totals: Floats, level: Level) -> Floats:
    """The squared difference of each two values."""
    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "interval":
        squared: Floats = np.subtract.outer(values, values) ** 2
        return squared
    middle = np.cumsum(totals) - totals / 2  # the ratings below a value, and half of its own
    ranked: Floats = np.subtract.outer(middle, middle) ** 2
    return ranked


def auroc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The probability that a positive case scores above a negative one, ties counting half.

    The area under the receiver operating characteristic: J. A. Hanley and B.
    J. McNeil, Radiology 143 (1982), 29-36. NaN without cases of both kinds.

    >>> auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return float("nan")
    above = ranks(scores)[positive].sum() - count * (count + 1) / 2
    return float(above / (count * others))


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on; equal values share the mean of theirs.

    >>> ranks(np.array([10.0, 20.0, 10.0]))
    array([1.5, 3. , 1.5])
    """
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: Floats = (ends - (counts - 1) / 2)[where]
    return shared


def correlation(one: Floats, other: Floats) -> float:
    """Spearman's rank correlation (American Journal of Psychology 15 (1904), 72-101)."""
    return _pearson(ranks(one), ranks(other))


def partial_correlation(one: Floats, other: Floats, given: Floats) -> float:
    """The rank correlation of two things at equal values of a third; NaN if undefined.

    M. G. Kendall, "Partial rank correlation", Biometrika 32 (1942), 277-283,
    with Spearman's coefficient.
    """
    a, b, c = ranks(one), ranks(other), ranks(given)
    ab, ac, bc = _pearson(a, b), _pearson(a, c), _pearson(b, c)
    if np.isnan(ac) or np.isnan(bc):  # the third is the same for all: nothing to take out
        return ab
    rest = (1 - ac**2) * (1 - bc**2)
    return float((ab - ac * bc) / np.sqrt(rest)) if rest > 1e-12 else float("nan")


def _pearson(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else float("nan")


def best_threshold(scores: Floats, positive: NDArray[np.bool_]) -> tuple[float, float]:
    """The score from which on to say "positive", and its balanced accuracy.

    The one with the greatest sum of sensitivity and specificity (W. J. Youden,
    "Index for rating diagnostic tests", Cancer 3 (1950), 32-35), halfway to the
    next lower score. Needs cases of both kinds.

    >>> best_threshold(np.array([0.1, 0.25, 0.75, 0.9]), np.array([False, False, True, True]))
    (0.5, 1.0)
    """
    found = np.unique(scores)
    edges = np.concatenate(([found[0]], (found[1:] + found[:-1]) / 2))
    right = np.searchsorted(np.sort(scores[positive]), edges)
    wrong = np.searchsorted(np.sort(scores[~positive]), edges)
    balanced = ((1 - right / positive.sum()) + wrong / (~positive).sum()) / 2
    at = int(np.argmax(balanced))
    return float(edges[at]), float(balanced[at])


def cross_validated(scores: Floats, positive: NDArray[np.bool_], seed: int) -> float | None:
    """The balanced accuracy of thresholds on cases that they were not chosen by.

    `FOLDS` parts, each with its share of both kinds; `None` with fewer cases
    of a kind than parts. M. Stone, "Cross-validatory choice and assessment of
    statistical predictions", JRSS B 36 (1974), 111-147.
    """
    if min(positive.sum(), (~positive).sum()) < FOLDS:
        return None
    draw = np.random.default_rng(seed)
    part = np.empty(len(scores), dtype=int)
    for kind in (positive, ~positive):
        part[kind] = draw.permutation(int(kind.sum())) % FOLDS
    said = np.empty(len(scores), dtype=bool)
    for each in range(FOLDS):
        here = part == each
        threshold, _ = best_threshold(scores[~here], positive[~here])
        said[here] = scores[here] >= threshold
    return float((said[positive].mean() + (~said[~positive]).mean()) / 2)


def bootstrap(cases: int, statistic: Statistic, resamples: int, seed: int) -> Estimate | None:
    """A statistic of all cases with its percentile interval; `None` where it is undefined.

    Cases are drawn with replacement: B. Efron, "Bootstrap methods: another look
    at the jackknife", Annals of Statistics 7 (1979), 1-26. Draws in which the
    statistic is undefined are left out; if these are the half, there is no
    interval.
    """
    everything = np.arange(cases)
    value = statistic(everything) if cases else float("nan")
    if np.isnan(value):
        return None
    draw = np.random.default_rng(seed)
    drawn = np.array([statistic(draw.integers(0, cases, cases)) for _ in range(resamples)])
    defined = drawn[~np.isnan(drawn)]
    if len(defined) * 2 <= resamples:
        return Estimate(value=value)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Estimate(value=value, low=float(low), high=float(high))
