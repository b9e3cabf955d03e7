"""`repeat: auto`: what follows from a look, and how often the whole of it errs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from llmops.core.scoring import Rule
from llmops.evals.comparison.evidence import evidence_of_counts
from llmops.evals.comparison.verdicts import judge
from llmops.evals.repeats import (
    ROUNDS,
    Bound,
    Look,
    Step,
    at_confidence,
    confidence,
    final_confidence,
    next_step,
)
from llmops.evals.results import Change, Estimate, MetricComparison

ALPHA = 0.05


def metric(
    verdict: Change, low: float = -0.03, high: float = 0.03, **more: Any
) -> MetricComparison:
    found = {"difference": Estimate(value=(low + high) / 2, low=low, high=high), "margin": 0.02}
    return MetricComparison(check="c", aggregate="pass_rate", verdict=verdict, **{**found, **more})


def look(*metrics: MetricComparison, rounds: int = 1, **more: Any) -> Look:
    return Look(rounds=rounds, confidence=confidence(rounds, ALPHA), metrics=metrics, **more)


SAME, BETTER, ERROR = metric(Change.SAME), metric(Change.BETTER), metric(Change.ERROR)
OPEN = metric(Change.INCONCLUSIVE)
HELD = metric(Change.REGRESSION, newly_failing=9, newly_passing=1)
GONE = metric(Change.REGRESSION, newly_failing=1, newly_passing=1)
ASIDE = metric(Change.INCONCLUSIVE, gates=False)
FAR = metric(Change.INCONCLUSIVE, low=-0.0201, high=0.2)
HOPELESS = metric(Change.INCONCLUSIVE, low=-0.3, high=0.26)
FLAKY = {"turned": 9, "flaky": 8}
STEADY = {"turned": 9, "flaky": 0}


@pytest.mark.parametrize(
    ("seen", "step", "exhausted", "why"),
    [
        (look(SAME), Step.STOP, False, "decided"),
        (look(SAME, BETTER, ASIDE, **FLAKY), Step.STOP, False, "decided"),
        (look(ERROR, **FLAKY), Step.STOP, False, "decided"),
        (look(HELD, **FLAKY), Step.CONFIRM, False, "confirmed before it is blamed"),
        (look(HELD, OPEN, **FLAKY), Step.CONFIRM, False, "confirmed before it is blamed"),
        (look(HELD, confirmed=True, **FLAKY), Step.STOP, False, "the regression held"),
        (look(HELD, confirmed=True, **STEADY), Step.STOP, True, "the regression held"),
        (look(GONE, confirmed=True, **FLAKY), Step.GO_ON, False, "did not hold"),
        (look(HELD, rounds=ROUNDS, **FLAKY), Step.STOP, False, "the regression held"),
        (look(OPEN), Step.STOP, True, "no case came out differently"),
        (look(OPEN, **FLAKY), Step.CONFIRM, False, "open"),
        (look(OPEN, confirmed=True, **STEADY), Step.STOP, True, "repeats its answers"),
        (look(FAR, confirmed=True, **FLAKY), Step.GO_ON, False, "answers change"),
        (look(HOPELESS, confirmed=True, **FLAKY), Step.STOP, False, "would hardly decide"),
        (look(HOPELESS, FAR, confirmed=True, **FLAKY), Step.GO_ON, False, "answers change"),
        (look(FAR, rounds=ROUNDS, **FLAKY), Step.STOP, False, "asked 5 times"),
    ],
)
def test_what_follows_from_a_look(seen: Look, step: Step, exhausted: bool, why: str) -> None:
    found = next_step(seen)
    assert (found.step, found.exhausted) == (step, exhausted)
    assert why in found.why


def test_where_few_of_the_turned_cases_are_flaky_more_rounds_are_not_begun() -> None:
    # The spread is between the cases: it stays, however often they are asked.
    nearly = metric(Change.INCONCLUSIVE, low=-0.05, high=0.09)
    chance = look(nearly, confirmed=True, turned=10, flaky=10)
    cases = look(nearly, confirmed=True, turned=100, flaky=10)
    assert (next_step(chance).step, next_step(cases).step) == (Step.GO_ON, Step.STOP)


@pytest.mark.parametrize(
    ("rule", "estimate", "is_open"),
    [
        (">= 0.9", Estimate(value=0.92, low=0.85, high=0.97), True),
        (">= 0.9", Estimate(value=0.95, low=0.91, high=0.99), False),
        (">= 0.9", Estimate(value=0.5, low=0.4, high=0.6), False),
        ("<= 2", Estimate(value=1.9, low=1.5, high=2.3), True),
        ("== 1", Estimate(value=1.0, low=0.7, high=1.0), False),
        (">= 0.9", Estimate(value=0.9), False),
        (">= 0.9", None, False),
    ],
)
def test_a_bound_is_open_while_the_interval_lies_on_both_sides(
    rule: str, estimate: Estimate | None, is_open: bool
) -> None:
    bound = Bound(rule=Rule.parse(rule), estimate=estimate)
    assert bound.is_open is is_open
    step = next_step(look(bounds=[bound], **FLAKY)).step
    assert step is (Step.CONFIRM if is_open else Step.STOP)


def test_an_interval_at_a_higher_confidence_holds_the_one_at_a_lower() -> None:
    found = at_confidence(Estimate(value=0.5, low=0.4, high=0.7), 0.99, 0.95)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4
    assert found.high > 0.7
    assert at_confidence(Estimate(value=0.5), 0.99, 0.95) == Estimate(value=0.5)


# The whole of it, on simulated answers


def verdict_of(base: Any, head: Any, rounds: int, level: float) -> tuple[Change, Estimate]:
    difference = head[:rounds].sum(axis=0) - base[:rounds].sum(axis=0)
    values, counts = np.unique(difference, return_counts=True)
    by_size = dict(zip(values.tolist(), counts.tolist(), strict=True))
    evidence = evidence_of_counts(by_size, rounds, confidence=level)
    return judge(evidence, margin=0.02, p_adjusted=evidence.p_value).change, evidence.difference


def one_run(base: Any, head: Any) -> tuple[Change, int]:
    """The verdict of a run that repeats by itself, and its calls; a row is a round."""
    cases, calls, rounds, again = base.shape[1], 2 * base.shape[1], 1, np.zeros(0, bool)
    while True:
        verdict, difference = verdict_of(base, head, rounds, confidence(rounds, ALPHA))
        sides = []
        for side in (base, head):
            passes, asked = side[:rounds].sum(axis=0), np.full(cases, rounds)
            if len(again):
                passes, asked = passes + (side[rounds] & again), asked + again
            sides.append((passes == asked, passes == 0))
        (on, off), (now_on, now_off) = sides
        failing, passing, flaky = on & now_off, off & now_on, ~(on | off) | ~(now_on | now_off)
        turned = failing | passing | flaky
        found = next_step(
            look(
                metric(
                    verdict,
                    difference=difference,
                    newly_failing=int(failing.sum()),
                    newly_passing=int(passing.sum()),
                ),
                rounds=rounds,
                turned=int(turned.sum()),
                flaky=int(flaky.sum()),
                confirmed=len(again) > 0,
            )
        )
        if found.step is Step.STOP:
            if found.exhausted:
                verdict, _ = verdict_of(base, head, rounds, final_confidence(rounds, ALPHA))
            return verdict, calls
        if found.step is Step.CONFIRM:
            again, calls = turned, calls + 2 * int(turned.sum())
        else:
            rounds, calls, again = rounds + 1, calls + 2 * (cases - int(again.sum())), np.zeros(0)


def simulated(*, cases: int, flake: float, drop: float, runs: int) -> tuple[Counter[Change], float]:
    random = np.random.default_rng(4)
    verdicts, calls = Counter[Change](), 0
    lost = drop / (1 - 2 * flake)
    for _ in range(runs):
        right = np.where(random.random(cases) < 0.9, 1 - flake, flake)
        broken = (random.random(cases) < lost / 0.9) & (right > 0.5)
        base = random.random((ROUNDS, cases)) < right
        head = random.random((ROUNDS, cases)) < np.where(broken, flake, right)
        verdict, spent = one_run(base, head)
        verdicts[verdict] += 1
        calls += spent
    return verdicts, calls / runs / (2 * ROUNDS * cases)


@pytest.mark.parametrize(("cases", "flake"), [(100, 0.1), (300, 0.03)])
def test_a_loss_that_is_allowed_is_called_a_regression_in_one_run_of_twenty_at_most(
    cases: int, flake: float
) -> None:
    verdicts, calls = simulated(cases=cases, flake=flake, drop=0.02, runs=400)
    assert verdicts[Change.REGRESSION] <= 0.05 * 400
    assert verdicts[Change.SAME] + verdicts[Change.BETTER] <= 0.05 * 400
    assert calls <= 0.6


def test_a_large_loss_is_seen_at_a_fraction_of_the_calls_of_five_rounds() -> None:
    verdicts, calls = simulated(cases=300, flake=0.03, drop=0.15, runs=60)
    assert verdicts[Change.REGRESSION] >= 57
    assert calls < 0.3


def test_a_model_that_repeats_itself_is_asked_once_and_judged_as_by_one_look() -> None:
    verdicts, calls = simulated(cases=250, flake=0.0, drop=0.0, runs=20)
    assert (verdicts[Change.SAME], calls) == (20, pytest.approx(1 / ROUNDS))
