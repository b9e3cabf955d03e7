"""Two runs of the same cases: bootstrap and permutation of the cases' differences.

All is drawn from a fixed seed: the same results give the same verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from llmops.evals.results import Estimate
from llmops.evals.statistics.distributions import (
    normal_cdf,
    normal_inverse,
    t_two_sided,
)
from llmops.evals.statistics.intervals import CONFIDENCE, mean_interval

Differences = npt.NDArray[np.float64]

SEED = 1998
DRAWS = 9_999
MANY = 5_000
"""Cases above which the mean is as good as normally distributed, and resampling only costs time.

By the central limit theorem the error of Student's interval falls with the
number of cases; at 5,000 its limits differ from those of the bootstrap by less
than two bootstraps of different seeds do.
"""
_BATCH = 2_000_000
"""Numbers held at once while resampling: 16 MB."""


def sign_flip_exact(sizes: Mapping[int, int], total: int) -> float:
    """The probability that `sizes` with random signs (size → how many) sum to `total` or beyond."""
    distribution = np.ones(1)
    for size, count in sizes.items():
        spaced = np.zeros(count * size * 2 + 1)
        spaced[:: 2 * size] = _fair_binomial(count)
        distribution = np.convolve(distribution, spaced)
    # Index i of the distribution is the sum i - span; the sums are symmetric around zero.
    span = (len(distribution) - 1) // 2
    return min(1.0, 2 * float(distribution[span + total :].sum())) if total else 1.0


def _fair_binomial(trials: int) -> Differences:
    hits = range(trials + 1)
    whole = math.lgamma(trials + 1) - trials * math.log(2)
    return np.exp([whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in hits])


def sign_flip_sampled(differences: Differences, *, draws: int = DRAWS) -> float:
    """The two-sided p-value of no change, from random signs for the differences.

    As `paired.sign_flip`, for differences of any size. The observed signs count
    as one of the draws, without which the test would err too often: B. Phipson
    and G. K. Smyth, "Permutation p-values should never be zero", Statistical
    Applications in Genetics and Molecular Biology 9 (2010), article 39. Above
    `MANY` differences by Student's t, which the permutation test approaches
    (R. A. Fisher, "The Design of Experiments", 1935, section 21).
    """
    values = np.sort(differences[differences != 0])  # the order of the cases must not matter
    if not len(values):
        return 1.0
    if len(values) > MANY:
        return _student(differences)
    random = np.random.default_rng(SEED)
    # The sum with random signs is the sum less twice what turned its sign.
    total = float(values.sum())
    reached = abs(total) - 1e-9 * float(np.abs(values).sum())
    beyond = 0
    for count in _batches(draws, len(values)):
        bits = random.integers(0, 256, (count, (len(values) + 7) // 8), np.uint8)
        turned = np.unpackbits(bits, axis=1, count=len(values)) @ values
        beyond += int(np.count_nonzero(np.abs(total - 2 * turned) >= reached))
    return (beyond + 1) / (draws + 1)


def _student(differences: Differences) -> float:
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    if error == 0:
        return 0.0
    return t_two_sided(float(differences.mean()) / error, len(differences) - 1)


def mean_difference(
    differences: Differences, *, confidence: float = CONFIDENCE, draws: int = DRAWS
) -> Estimate:
    """The mean of the differences, without any bound on a difference, with an interval.

    On each side the wider of the bootstrap's (`bootstrap_mean`) and Student's,
    since the bootstrap of few cases is too narrow: of five normal differences
    each of its limits misses the mean in 9 % of samples, of twenty in 4 %. Above
    `MANY` cases Student's alone. One difference alone has no interval.
    """
    student = mean_interval(differences.tolist(), confidence=confidence)
    if len(differences) > MANY or student.low is None or student.high is None:
        return student
    found = bootstrap_mean(differences, confidence=confidence, draws=draws)
    if found.low is None or found.high is None:
        return student
    return Estimate(
        value=student.value, low=min(student.low, found.low), high=max(student.high, found.high)
    )


def bootstrap_mean(
    differences: Differences, *, confidence: float = CONFIDENCE, draws: int = DRAWS
) -> Estimate:
    """The mean of the differences with its bootstrap interval, bias-corrected and accelerated.

    It follows a skewed distribution where Student's interval is centred: B.
    Efron, "Better bootstrap confidence intervals", JASA 82 (1987), 171-185; T. J.
    DiCiccio and B. Efron, "Bootstrap confidence intervals", Statistical Science
    11 (1996), 189-228. For a mean the jackknife's acceleration is a sixth of the
    skewness over the root of the number of cases.
    """
    count = len(differences)
    mean = math.fsum(differences) / count
    if count < 2:
        return Estimate(value=mean)
    off = differences - mean
    squares = float((off**2).sum())
    if squares == 0:
        return Estimate(value=mean, low=mean, high=mean)
    means = _resampled_means(np.sort(off), draws)
    tied = np.abs(means) <= 1e-12 * np.abs(off).max()  # but for rounding, they are the mean
    below = np.count_nonzero((means < 0) & ~tied) + np.count_nonzero(tied) / 2
    bias = normal_inverse(min(max(below / draws, 0.5 / draws), 1 - 0.5 / draws))
    acceleration = float((off**3).sum()) / (6 * squares**1.5)
    tail = (1 - confidence) / 2
    low, high = (_shifted(share, bias, acceleration) for share in (tail, 1 - tail))
    below_mean, above_mean = np.quantile(means, [low, high])
    return Estimate(
        value=mean, low=mean + min(0.0, float(below_mean)), high=mean + max(0.0, float(above_mean))
    )


def _shifted(share: float, bias: float, acceleration: float) -> float:
    """The quantile of the bootstrap distribution that stands for `share`: Efron's (1.9)."""
    z = bias + normal_inverse(share)
    return normal_cdf(bias + z / (1 - acceleration * z))


def _resampled_means(values: Differences, draws: int) -> Differences:
    random = np.random.default_rng(SEED)
    means = np.empty(draws)
    begin = 0
    for count in _batches(draws, len(values)):
        chosen = random.integers(0, len(values), (count, len(values)), np.int32)
        means[begin : begin + count] = values[chosen].mean(axis=1)
        begin += count
    return means


def _batches(draws: int, size: int) -> list[int]:
    most = max(1, _BATCH // size)
    return [most] * (draws // most) + ([draws % most] if draws % most else [])
