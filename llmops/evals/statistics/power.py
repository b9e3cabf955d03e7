"""What a number of cases can show, and how many it takes, with the gate's own intervals.

Power is the probability that a run comes to the verdict that is true, as J.
Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, has it;
80 % is his convention. A run's estimate is taken to lie off the truth by as
many standard errors as it does in no more than one run of five; then the gate's
interval is made around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from llmops.evals.statistics.distributions import binomial_tail, normal_inverse, normal_quantile
from llmops.evals.statistics.intervals import CONFIDENCE
from llmops.evals.statistics.paired import paired_rate

POWER = 0.8
MOST_CASES = 10_000_000
"""More cases than this are as good as no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How much cases differ between two runs of the same thing, on average over the cases."""

    turned: float
    """Of the differences without their signs; with one repeat, the share of discordant cases."""
    squares: float
    """Of the squared differences."""

    def with_repeats(self, repeats: int) -> Spread:
        """The spread when a case's difference is the mean of so many.

        For repeats that differ by chance only; the difference of a case's two
        means is then nearly normal, whose mean size is `sqrt(2/pi)` of its
        deviation, and never more than the spread of one.
        """
        squares = self.squares / repeats
        return (
            Spread(turned=min(self.turned, math.sqrt(2 / math.pi * squares)), squares=squares)
            if repeats > 1
            else self
        )


def flaky(rate: float) -> Spread:
    """The spread of pass/fail where each answer comes out the other way with probability `rate`.

    >>> round(flaky(0.05).turned, 3)
    0.095
    """
    discordant = 2 * rate * (1 - rate)
    return Spread(turned=discordant, squares=discordant)


def cases_needed(
    distance: float, spread: Spread, *, confidence: float = CONFIDENCE, power: float = POWER
) -> int | None:
    """Cases with which a bounded score's interval keeps `distance` from the truth.

    So many show that no more than `distance` is lost if nothing is, and that
    more than the margin is lost if it is so by `distance`. `None` when no
    number that could be run is enough, as for a distance of zero.

    >>> cases_needed(0.02, flaky(0.0)), cases_needed(0.02, flaky(0.05))
    (189, 1887)
    """

    def enough(cases: int) -> bool:
        return kept_margin(cases, spread, confidence=confidence, power=power) < distance

    return _smallest(enough) if distance > 0 else None


def kept_margin(
    cases: int, spread: Spread, *, confidence: float = CONFIDENCE, power: float = POWER
) -> float:
    """The smallest margin that so many cases show to be kept if nothing changes.

    >>> round(kept_margin(100, flaky(0.0)), 3), round(kept_margin(1000, flaky(0.05)), 3)
    (0.037, 0.028)
    """
    turned, squares = cases * spread.turned / 2, cases * spread.squares
    interval = paired_rate(turned, turned, squares, cases, confidence=confidence)
    off = normal_inverse(power) * math.sqrt(spread.squares / cases)
    return -(interval.low or 0.0) + off


def cases_needed_for_mean(
    distance: float, variance: float, *, confidence: float = CONFIDENCE, power: float = POWER
) -> int | None:
    """As `cases_needed`, for a score without bounds whose differences have this variance.

    >>> cases_needed_for_mean(0.5, 4.0)
    126
    """
    if distance <= 0:
        return None
    deviations = normal_quantile(confidence) + normal_inverse(power)
    cases = max(2, math.ceil(deviations**2 * variance / distance**2))
    return cases if cases <= MOST_CASES else None


def detectable_drop(
    cases: int,
    spread: Spread,
    *,
    margin: float = 0.0,
    confidence: float = CONFIDENCE,
    power: float = POWER,
) -> float | None:
    """The smallest drop of a rate that so many cases show to be more than `margin`.

    The drop is one of cases that fail now and passed before, on top of the
    spread that there is without any change. `None` when even a drop of all
    would not show.

    >>> round(detectable_drop(100, flaky(0.0)), 3), round(detectable_drop(1000, flaky(0.05)), 3)
    (0.092, 0.034)
    """

    def seen(drop: float) -> bool:
        return _shows(drop, cases, spread, margin, confidence, power)

    if not seen(1.0):
        return None
    low, high = margin, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def _shows(
    drop: float, cases: int, spread: Spread, margin: float, confidence: float, power: float
) -> bool:
    squares, turned = spread.squares + drop, min(1.0, spread.turned + drop)
    error = math.sqrt(max(squares - drop * drop, 0.0) / cases)
    seen = drop - normal_inverse(power) * error
    if seen <= margin:
        return False
    gained, lost = cases * (turned - seen) / 2, cases * (turned + seen) / 2
    interval = paired_rate(gained, lost, cases * squares, cases, confidence=confidence)
    if interval.high is None or interval.high >= -margin:
        return False
    # The exact test is a little stricter than the interval, with few cases above all.
    effect = squares / (spread.turned + drop)
    trials = round((gained + lost) / effect)
    return 2 * binomial_tail(math.floor(lost / effect + 1e-9), trials) < 1 - confidence


def _smallest(enough: Callable[[int], bool]) -> int | None:
    """The smallest number that is enough, where all larger ones are."""
    high = 2
    while not enough(high):
        high *= 2
        if high > MOST_CASES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
