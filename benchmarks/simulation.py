"""How often the gate is wrong, how much it sees, and what `repeat: auto` spends.

Simulated runs of a suite of n cases whose pass rate is 90 % on base. A case is
right or wrong; each answer comes out the other way with probability `flake`. On
head a share of the right cases is wrong, so that the pass rate falls by `drop`.
The verdicts are those of the package: what it does with the counts of a real
comparison is done here with the counts of a simulated one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from statistics import NormalDist
from typing import Any

import numpy as np
from simulation_tables import tables

from llmops.evals.comparison.evidence import Evidence, evidence_of_counts
from llmops.evals.comparison.verdicts import beyond, judge
from llmops.evals.repeats import (
    ROUNDS,
    Look,
    Step,
    confidence,
    final_confidence,
    next_step,
)
from llmops.evals.results import Change, Estimate, MetricComparison
from llmops.evals.statistics import holm

PASS_RATE = 0.9
CASES = (50, 100, 200, 500, 1000)
FLAKES = (0.0, 0.02, 0.05, 0.10)
DROPS = (0.0, 0.01, 0.02, 0.05, 0.10, 0.15)
MARGINS = (0.02, 0.0)
ALPHA = 0.05
SIMULATIONS = 2000
WORKERS = 2
SEED = 20261124


@dataclass(frozen=True, kw_only=True)
class Point:
    """One world: how many cases, how flaky, how much is lost."""

    cases: int
    flake: float
    drop: float
    churn: float = 0.0
    """Share of cases that turn each way besides, as after a rewording that changes nothing on
    average."""


def run(
    *, simulations: int, cases: tuple[int, ...] = CASES, workers: int = WORKERS
) -> dict[str, Any]:
    """Every point, in several processes."""
    grid = [
        Point(cases=number, flake=flake, drop=drop)
        for number in cases
        for flake in FLAKES
        for drop in DROPS
    ]
    churning = [Point(cases=number, flake=0.0, drop=0.0, churn=0.05) for number in cases]
    began = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        once = list(pool.map(partial(one_round, simulations=simulations), grid + churning))
        repeated = list(pool.map(partial(many_rounds, simulations=simulations), grid))
        several = list(
            pool.map(
                partial(many_metrics, simulations=simulations),
                [
                    Point(cases=number, flake=0.02, drop=drop)
                    for number in cases
                    for drop in (0.0, MARGINS[0])
                ],
            )
        )
    return {
        "simulations": simulations,
        "pass_rate": PASS_RATE,
        "alpha": ALPHA,
        "once": once,
        "repeated": repeated,
        "several": several,
        "seconds": round(time.monotonic() - began, 1),
    }


# Worlds


def cases_of(point: Point, simulations: int, random: np.random.Generator) -> tuple[Any, Any]:
    """The probability to pass of every case on base and on head, a row a simulation."""
    clear = 1 - 2 * point.flake
    right_share = (PASS_RATE - point.flake) / clear
    shape = (simulations, point.cases)
    right = random.random(shape) < right_share
    turned = random.random(shape)
    lost = (point.drop / clear + point.churn) / right_share
    stays = turned >= lost
    gains = turned < point.churn / (1 - right_share) if right_share < 1 else False
    on_head = np.where(right, stays, gains)
    return tuple(np.where(each, 1 - point.flake, point.flake) for each in (right, on_head))


def random_of(point: Point) -> np.random.Generator:
    """Numbers that depend on the point alone, whichever process comes to it."""
    named = [point.cases, *(round(each * 1000) for each in (point.flake, point.drop, point.churn))]
    return np.random.default_rng([SEED, *named])


# One answer a case


def one_round(point: Point, *, simulations: int) -> dict[str, Any]:
    """Ours at both margins beside what else is in use, each case asked once."""
    random = random_of(point)
    base, head = (random.random(each.shape) < each for each in cases_of(point, simulations, random))
    gained = (~base & head).sum(axis=1)
    lost = (base & ~head).sum(axis=1)
    found: dict[str, Any] = {**vars(point)}
    for margin in MARGINS:
        verdicts = Counter[str]()
        for turns, count in Counter(zip(gained.tolist(), lost.tolist(), strict=True)).items():
            verdicts[paired_verdict(*turns, point.cases, margin)] += count
        found[f"margin {margin:g}"] = shares(verdicts, simulations)
    before, after = base.mean(axis=1), head.mean(axis=1)
    found["unpaired z-test"] = float((unpaired(before, after, point.cases) < -Z).mean())
    found["below 90 %"] = float((after < PASS_RATE - 1e-9).mean())
    found["2 points below base"] = float((after < before - 0.02 - 1e-9).mean())
    return found


def paired_verdict(gained: int, lost: int, cases: int, margin: float) -> Change:
    """The package's verdict on so many turned cases."""
    evidence = evidence_of(gained, lost, cases)
    return judge(evidence, margin=margin, p_adjusted=evidence.p_value).change


@lru_cache(maxsize=200_000)
def evidence_of(gained: int, lost: int, cases: int) -> Evidence:
    counts = {1: gained, -1: lost, 0: cases - gained - lost}
    return evidence_of_counts(counts, 1, confidence=1 - ALPHA)


Z = NormalDist().inv_cdf(1 - ALPHA / 2)


def unpaired(before: Any, after: Any, cases: int) -> Any:
    """The z-test of two rates as though base and head had other cases."""
    pooled = (before + after) / 2
    error = np.sqrt(2 * pooled * (1 - pooled) / cases)
    return np.divide(after - before, error, out=np.zeros(len(error)), where=error > 0)


def shares(verdicts: Mapping[str, int], simulations: int) -> dict[str, float]:
    return {each.value: verdicts.get(each, 0) / simulations for each in Change if each != "error"}


# Several metrics in one gate

METRICS = 10


def many_metrics(point: Point, *, simulations: int) -> dict[str, Any]:
    """How often at least one of ten metrics is called a regression, none of them being one."""
    random = random_of(point)
    shape = (simulations, METRICS)
    base, head = cases_of(point, simulations * METRICS, random)
    base, head = (random.random(each.shape) < each for each in (base, head))
    gained = (~base & head).sum(axis=1).reshape(shape)
    lost = (base & ~head).sum(axis=1).reshape(shape)
    alone = together = 0
    for gains, losses in zip(gained.tolist(), lost.tolist(), strict=True):
        found = [
            evidence_of(gain, loss, point.cases) for gain, loss in zip(gains, losses, strict=True)
        ]
        changed = holm([each.p_value or 0.0 for each in found])
        beyond_margin = holm([beyond(each, MARGINS[0]) for each in found])
        verdicts = {
            judge(each, margin=MARGINS[0], p_adjusted=p, beyond_adjusted=q).change
            for each, p, q in zip(found, changed, beyond_margin, strict=True)
        }
        together += Change.REGRESSION in verdicts
        alone += any(
            judge(each, margin=MARGINS[0], p_adjusted=each.p_value).change is Change.REGRESSION
            for each in found
        )
    return {**vars(point), "holm": together / simulations, "unadjusted": alone / simulations}


# Several answers a case


def many_rounds(point: Point, *, simulations: int) -> dict[str, Any]:
    """`repeat: auto` beside five rounds, and two, for everybody, on the same answers."""
    random = random_of(point)
    base, head = cases_of(point, simulations, random)
    margin = MARGINS[0]
    auto, two, fixed, looks = Counter[str](), Counter[str](), Counter[str](), Counter[int]()
    calls = 0
    for before, after in zip(base, head, strict=True):
        answers = Answers(
            random.random((ROUNDS, point.cases)) < before,
            random.random((ROUNDS, point.cases)) < after,
        )
        fixed[answers.verdict(ROUNDS, margin, 1 - ALPHA)[0]] += 1
        two[answers.verdict(2, margin, 1 - ALPHA)[0]] += 1
        verdict, rounds, asked = automatic(answers, margin)
        auto[verdict] += 1
        looks[rounds] += 1
        calls += asked
    return {
        **vars(point),
        "five": shares(fixed, simulations),
        "two": shares(two, simulations),
        "auto": shares(auto, simulations),
        "calls": calls / simulations / (2 * ROUNDS * point.cases),
        "rounds": {str(each): looks[each] / simulations for each in range(1, ROUNDS + 1)},
    }


class Answers:
    """All answers that there could be of one run; a row a round."""

    def __init__(self, base: Any, head: Any):
        self._base, self._head = base, head
        self.cases = base.shape[1]

    def verdict(self, rounds: int, margin: float, level: float) -> tuple[Change, Any]:
        """The package's verdict after so many rounds."""
        difference = self._head[:rounds].sum(axis=0, dtype=int) - self._base[:rounds].sum(axis=0)
        counts = np.bincount(difference + rounds, minlength=2 * rounds + 1).tolist()
        by_size = {size - rounds: count for size, count in enumerate(counts) if count}
        return verdict_on(tuple(by_size.items()), rounds, margin, level)

    def turns(self, rounds: int, again: Any) -> tuple[Any, Any, Any]:
        """Which cases fail now, pass now and are flaky; those in `again` have one more answer."""
        sides = []
        for side in (self._base, self._head):
            passes = side[:rounds].sum(axis=0)
            asked = np.full(len(passes), rounds)
            if again is not None:
                passes = passes + (side[rounds] & again)
                asked = asked + again
            sides.append((passes == asked, passes == 0))
        (on_base, off_base), (on_head, off_head) = sides
        flaky = ~(on_base | off_base) | ~(on_head | off_head)
        return on_base & off_head, off_base & on_head, flaky


@lru_cache(maxsize=200_000)
def verdict_on(
    counts: tuple[tuple[int, int], ...], steps: int, margin: float, level: float
) -> tuple[Change, Estimate]:
    """The package's verdict on so many differences of each size."""
    evidence = evidence_of_counts(dict(counts), steps, confidence=level)
    found = judge(evidence, margin=margin, p_adjusted=evidence.p_value).change
    return found, evidence.difference


def automatic(answers: Answers, margin: float) -> tuple[Change, int, int]:
    """The run that repeats by itself: its verdict, rounds and calls."""
    rounds, again = 1, None
    cases = answers.cases
    calls = 2 * cases
    while True:
        level = confidence(rounds, ALPHA)
        verdict, difference = answers.verdict(rounds, margin, level)
        failing, passing, flaky = answers.turns(rounds, again)
        metric = MetricComparison(
            check="passes",
            aggregate="pass_rate",
            difference=difference,
            margin=margin,
            verdict=verdict,
            newly_failing=int(failing.sum()),
            newly_passing=int(passing.sum()),
        )
        turned = failing | passing | flaky
        found = next_step(
            Look(
                rounds=rounds,
                confidence=level,
                metrics=[metric],
                turned=int(turned.sum()),
                flaky=int(flaky.sum()),
                confirmed=again is not None,
            )
        )
        if found.step is Step.STOP:
            if found.exhausted:
                verdict, _ = answers.verdict(rounds, margin, final_confidence(rounds, ALPHA))
            return verdict, rounds, calls
        if found.step is Step.CONFIRM:
            again = turned
            calls += 2 * int(turned.sum())
        else:  # those asked again to confirm have their answer of the next round already
            calls += 2 * (cases - int(again.sum()) if again is not None else cases)
            rounds, again = rounds + 1, None


def table(results: dict[str, Any]) -> list[str]:
    """False alarms, power, open verdicts, and the calls of `repeat: auto`."""
    return tables(results)
