"""`repeat: auto`: cases are asked again only while the verdict is open.

After each round, in which every case is asked once more, the run looks at what
it has, at the confidence that `statistics.sequential` leaves this look, so that
all looks together err no more often than one look of a fixed design would:

- A regression is not believed at once: the cases that turned are asked again
  on both sides, and it is blamed on the change if it holds there.
- Where the verdict is open, the same cases are asked again. When no answer
  changes, the model repeats itself, and further rounds would tell nothing.
- Nor would they when even five rounds would hardly decide.

Where no later look could see more, the last one gets what they would have
spent: a model that repeats itself is judged as by a single look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from llmops.core.scoring import Rule
from llmops.evals.gate import settlement
from llmops.evals.results import Change, Estimate, MetricComparison
from llmops.evals.statistics import CONFIDENCE, LOOKS, look_confidence, normal_quantile

ROUNDS = LOOKS
"""The most rounds of a run that repeats by itself."""

LEAST_CHANCE = 0.3
"""That five rounds decide; below it no further round is begun."""

_NORMAL = NormalDist()


class Step(StrEnum):
    """What to do after a look."""

    STOP = "stop"
    CONFIRM = "confirm"
    """Ask the cases that turned once more, on both sides."""
    GO_ON = "go on"
    """Ask every case once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A threshold of the gate on one run, with what was found at this look's confidence."""

    rule: Rule
    estimate: Estimate | None

    @property
    def is_open(self) -> bool:
        """Whether the interval lies on both sides of the bound."""
        found = self.estimate
        if found is None or found.low is None or found.high is None:
            return False
        if self.rule.operator in ("==", "!="):  # kept or broken by what was seen, not by chance
            return False
        return settlement(self.rule, found.low, found.high) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a run has after a round."""

    rounds: int
    confidence: float
    """Of the intervals below."""
    alpha: float = 1 - CONFIDENCE
    """What all looks together may err."""
    metrics: Sequence[MetricComparison] = ()
    """Of base and head, at this look's confidence; empty without a base."""
    bounds: Sequence[Bound] = ()
    turned: int = 0
    """Cases that would be asked again to confirm: those that came out differently on the
    two sides, or that failed where there is no base."""
    flaky: int = 0
    """Cases whose repeats disagree."""
    confirmed: bool = False
    """Whether the cases that turned have been asked again since the last round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The step that follows from a look, and why."""

    step: Step
    why: str
    exhausted: bool = False
    """Whether no later look could have seen more, so that this one gets what they would have."""


def confidence(look: int, alpha: float) -> float:
    """Of the intervals of look number `look`, which counts from 1."""
    return look_confidence(look, looks=ROUNDS, alpha=alpha)


def final_confidence(look: int, alpha: float) -> float:
    """Of the intervals when no look after number `look` could have seen more.

    >>> round(final_confidence(1, 0.05), 3), final_confidence(2, 0.05) < confidence(2, 0.05)
    (0.95, True)
    """
    return look_confidence(look, looks=ROUNDS, alpha=alpha, last=True)


def next_step(look: Look) -> Next:
    """What to do after a look."""
    gated = [metric for metric in look.metrics if metric.gates]
    blamed = [metric for metric in gated if metric.verdict is Change.REGRESSION]
    if blamed:
        return _confirmed(look, blamed)
    open_metrics = [metric for metric in gated if metric.verdict is Change.INCONCLUSIVE]
    open_bounds = [bound for bound in look.bounds if bound.is_open]
    if not open_metrics and not open_bounds:
        return Next(step=Step.STOP, why="the verdict is decided")
    if look.rounds >= ROUNDS:
        return Next(step=Step.STOP, why=f"every case was asked {ROUNDS} times")
    if not look.turned:
        why = "no case came out differently; only more cases would tell"
        return Next(step=Step.STOP, why=why, exhausted=True)
    if not look.confirmed:
        return Next(step=Step.CONFIRM, why="the verdict is open")
    if not look.flaky:
        why = "asked again, the model repeats its answers"
        return Next(step=Step.STOP, why=why, exhausted=True)
    if all(_is_futile_metric(metric, look) for metric in open_metrics) and all(
        _is_futile_bound(bound, look) for bound in open_bounds
    ):
        return Next(step=Step.STOP, why=f"{ROUNDS} rounds would hardly decide; more cases would")
    return Next(step=Step.GO_ON, why="the verdict is open, and answers change when asked again")


def _confirmed(look: Look, blamed: Sequence[MetricComparison]) -> Next:
    if not look.confirmed and look.rounds < ROUNDS:
        return Next(step=Step.CONFIRM, why="a regression is confirmed before it is blamed")
    held = any(metric.newly_failing > metric.newly_passing for metric in blamed)
    if held or look.rounds >= ROUNDS or not look.flaky:
        why = "the regression held when its cases were asked again"
        return Next(step=Step.STOP, why=why, exhausted=not look.flaky)
    return Next(step=Step.GO_ON, why="the regression did not hold when its cases were asked again")


def _is_futile(low: float, value: float, high: float, bound: float, look: Look) -> bool:
    """Whether the last round would hardly decide on which side of `bound` the value lies.

    By the predictive power of D. J. Spiegelhalter, L. S. Freedman and P. R.
    Blackburn, "Monitoring clinical trials: conditional or predictive power?",
    Controlled Clinical Trials 7 (1986), 8-17: what the last estimate will be,
    given this one and no other knowledge.
    """
    widest = normal_quantile(look.confidence)
    last = normal_quantile(confidence(ROUNDS, look.alpha))
    shrinks = math.sqrt(_left_of_variance(look))
    deviation = (high - low) / 2 / widest
    drift = deviation * math.sqrt(1 - shrinks**2)
    if drift <= 0:
        return True
    reach = shrinks * last / widest
    above = value - (value - low) * reach - bound
    below = bound - value - (high - value) * reach
    chance = _NORMAL.cdf(above / drift) + _NORMAL.cdf(below / drift)
    return chance < LEAST_CHANCE


def _left_of_variance(look: Look) -> float:
    """The share of the variance of the estimate that is left after the last round.

    Repeats do away with chance, not with what differs between cases. Of the
    cases that turned in one round about `flaky / rounds` did so by chance; those
    that turned in all rounds did not.
    """
    chance = look.flaky / look.rounds
    steady = look.turned - look.flaky
    noise = chance / (chance + steady) if chance else 0.0
    return (1 - noise + noise / ROUNDS) / (1 - noise + noise / look.rounds)


def _is_futile_metric(metric: MetricComparison, look: Look) -> bool:
    found = metric.difference
    if found is None or found.low is None or found.high is None:
        return True
    sign = 1 if metric.higher_is_better else -1
    low, high = sorted((sign * found.low, sign * found.high))
    return _is_futile(low, sign * found.value, high, -metric.margin, look)


def _is_futile_bound(bound: Bound, look: Look) -> bool:
    found = bound.estimate
    if found is None or found.low is None or found.high is None:
        return True
    return _is_futile(found.low, found.value, found.high, bound.rule.bound, look)


def at_confidence(estimate: Estimate, wanted: float, given: float) -> Estimate:
    """An interval at another confidence, each half as much wider as the normal quantiles are.

    >>> at_confidence(Estimate(value=0.5, low=0.4, high=0.6), 0.99, 0.95).high > 0.62
    True
    """
    if estimate.low is None or estimate.high is None:
        return estimate
    scale = normal_quantile(wanted) / normal_quantile(given)
    return Estimate(
        value=estimate.value,
        low=estimate.value - (estimate.value - estimate.low) * scale,
        high=estimate.value + (estimate.high - estimate.value) * scale,
    )
