"""Looking several times at growing data without erring more often than one look would."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

from llmops.evals.statistics.distributions import normal_cdf

LOOKS = 5
"""How often a run that repeats its cases looks at most: once after each repeat."""

PATIENCE = 1.5
"""The exponent of the spending function: 1 spends evenly, 3 nearly all at the last look."""

_STEPS = 200
_FAR = 8.0
"""Standard deviations beyond which nothing lies that counts."""


def spent_until(look: int, looks: int = LOOKS, alpha: float = 0.05) -> float:
    """What the first `look` of `looks` looks may err together: `alpha (look/looks)^PATIENCE`.

    The power family of K. Kim and D. L. DeMets, "Design and analysis of group
    sequential tests based on the type I error spending rate function",
    Biometrika 74 (1987), 149-154. What the looks may spend adds up to `alpha`.

    >>> [round(spent_until(look), 4) for look in (1, 2, 3, 4, 5)]
    [0.0045, 0.0126, 0.0232, 0.0358, 0.05]
    """
    if not 0 <= look <= looks:
        raise ValueError(f"look {look} is none of {looks}")
    return alpha * math.pow(look / looks, PATIENCE)


def look_confidence(
    look: int, *, looks: int = LOOKS, alpha: float = 0.05, last: bool = False
) -> float:
    """The confidence of the two-sided interval that look number `look`, from 1, may use.

    `last` says that no look will follow, so that this one gets all that is left.
    See `bounds` for how looks share what they may err.

    >>> [round(look_confidence(look), 4) for look in (1, 2, 3, 4, 5)]
    [0.9955, 0.9905, 0.9847, 0.978, 0.9704]
    >>> round(look_confidence(1, last=True), 4)
    0.95
    """
    until = [spent_until(each, looks, alpha) / 2 for each in range(look + 1)]
    if last:
        until[-1] = alpha / 2
    shares = tuple(after - before for before, after in pairwise(until))
    return 2 * normal_cdf(bounds(shares)[-1]) - 1


@lru_cache(maxsize=256)
def bounds(shares: tuple[float, ...]) -> tuple[float, ...]:
    """The standard normal values beyond which each look in turn errs with its share, one-sided.

    The share of a look is the probability that it is the first to err. K. K. G.
    Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials",
    Biometrika 70 (1983), 659-663; by the recursion of P. Armitage, C. K.
    McPherson and B. C. Rowe, "Repeated significance tests on accumulating data",
    JRSS A 132 (1969), 235-244, for looks at equal steps of information.

    Repeats of the same cases bring less: what differs between cases does not
    shrink with them. The mean after `r` rounds has the variance `(b + w/r)/n`,
    and so has its covariance with the mean after fewer, so two looks are
    correlated by `sqrt((b + w/s)/(b + w/r))`, `r < s`. That is at least the
    `sqrt(r/s)` of equal steps, and looks that are correlated more err together
    less often: D. Slepian, "The one-sided barrier problem for Gaussian noise",
    Bell System Technical Journal 41 (1962), 463-501. The bounds hold therefore
    whatever the shares of chance and of cases are, and need no estimate of them.

    >>> [round(bound, 3) for bound in bounds((0.025,))]
    [1.96]
    """
    found: list[float] = []
    points, weights = [0.0], [1.0]  # the walk, not stopped: sums so far, and how likely each is
    for steps, share in enumerate(shares, start=1):
        bound = _bound(points, weights, share)
        found.append(bound / math.sqrt(steps))
        points, weights = _walked(points, weights, bound, steps)
    return tuple(found)


def _bound(points: list[float], weights: list[float], share: float) -> float:
    """Where the next sum lies beyond with the probability `share`."""
    low, high = -_FAR, _FAR * math.sqrt(LOOKS) * 2
    for _ in range(60):
        middle = (low + high) / 2
        beyond = sum(w * normal_cdf(u - middle) for u, w in zip(points, weights, strict=True))
        low, high = (middle, high) if beyond > share else (low, middle)
    return (low + high) / 2


def _walked(
    points: list[float], weights: list[float], bound: float, steps: int
) -> tuple[list[float], list[float]]:
    """The distribution of the next sum where it stays below `bound`, by Simpson's rule."""
    low = -_FAR * math.sqrt(steps)
    width = (bound - low) / _STEPS
    sums = [low + width * index for index in range(_STEPS + 1)]
    root = math.sqrt(2 * math.pi)
    likely = []
    for index, each in enumerate(sums):
        density = sum(
            w * math.exp(-((each - u) ** 2) / 2) for u, w in zip(points, weights, strict=True)
        )
        simpson = 1 if index in (0, _STEPS) else 4 if index % 2 else 2
        likely.append(density / root * width * simpson / 3)
    return sums, likely
