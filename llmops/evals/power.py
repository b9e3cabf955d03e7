"""What a suite can see: the drop that it would notice, and what more cases would buy.

How much answers vary is taken from a run whose cases were asked several times.
Where there is none, two assumptions stand beside each other: the worst, that
every answer is drawn anew, and a typical one, that one in fifty comes out
otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from llmops.core.errors import NotFound
from llmops.core.scoring import Outcome, Verdict
from llmops.evals.comparison.rules import MARGIN, RELATIVE_MARGIN, ComparisonRules
from llmops.evals.results import CheckSummary, Report
from llmops.evals.statistics import (
    Spread,
    cases_needed,
    cases_needed_for_mean,
    detectable_drop,
    flaky,
    kept_margin,
    normal_quantile,
)
from llmops.evals.statistics.distributions import normal_inverse
from llmops.evals.statistics.power import POWER

TYPICAL_FLAKE = 0.02
"""Of single answers that come out the other way, where it was not measured."""

SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
REPEATS = (1, 3, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buys:
    """What a number of cases and repeats can see."""

    cases: int
    repeats: int
    drop: float | None
    """The smallest drop that is called a regression four times of five; `None` if none is."""
    margin: float
    """The smallest margin that is shown to be kept four times of five, if nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPower:
    """What the suite can see in one metric, under one assumption of how answers vary."""

    check: str
    aggregate: str
    unit: str
    assumption: str
    """`observed`, `typical` or `worst`."""
    flake: float
    """Share of cases whose answer comes out otherwise when asked again; of scores, the mean
    size of the difference."""
    margin: float
    now: Buys
    needed: int | None
    """Cases that show the margin to be kept, with as many repeats."""
    table: tuple[Buys, ...]
    """Other numbers of cases and repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitePower:
    """What the suite can see, from one of its runs."""

    suite: str
    run: str
    cases: int
    repeats: int
    confidence: float
    metrics: tuple[MetricPower, ...]


def suite_power(
    report: Report, rules: ComparisonRules, *, repeats: int | None = None
) -> SuitePower:
    """What comparisons of runs like `report` can see at 80 % power.

    `rules` name the metrics and margins; without any, each check with a pass
    rule, else each that is a ratio. `repeats` is how often a case would be
    asked, left out as in the report.
    """
    summary = report.summary
    asked = _asked(report, rules)
    kinds = [(check.name, aggregate) for check, aggregate, _ in asked]
    gathered = _gather(report, kinds)
    wanted = repeats or summary.repeats
    metrics = []
    for (check, aggregate, margin), seen in zip(asked, gathered, strict=True):
        for assumption, spread in seen.spreads(check, aggregate):
            metrics.append(
                _metric(
                    check, aggregate, assumption, spread, margin, seen, rules, wanted, summary.cases
                )
            )
    return SuitePower(
        suite=summary.suite,
        run=summary.run,
        cases=summary.cases,
        repeats=wanted,
        confidence=rules.confidence,
        metrics=tuple(metrics),
    )


def _asked(report: Report, rules: ComparisonRules) -> list[tuple[CheckSummary, str, float | None]]:
    """The metrics with their margins; `None` for the default one."""
    checks = {check.name: check for check in report.summary.checks}
    if rules.margins:
        named = {}
        for rule in rules.margins:
            if rule.check not in checks:
                raise NotFound.among("check of the run", rule.check, checks)
            check = checks[rule.check]
            aggregate = rule.of or ("pass_rate" if check.rule else "mean")
            at = abs(_value(check, aggregate)) if rule.relative else 1.0
            named[check.name, aggregate, rule.margin * at] = check
        return [(check, of, margin) for (_, of, margin), check in named.items()]
    ruled = [check for check in checks.values() if check.rule]
    chosen = ruled or [check for check in checks.values() if not check.unit] or [*checks.values()]
    return [
        (check, "pass_rate" if check.rule else "mean", rules.default_margin) for check in chosen
    ]


def _value(check: CheckSummary, aggregate: str) -> float:
    found = check.pass_rate if aggregate == "pass_rate" else check.mean
    return found.value if found else 0.0


class _Seen:
    """One metric over a run: how cases vary among themselves, and when asked again."""

    def __init__(self) -> None:
        self._count = self._sum = self._squares = 0.0
        self._low, self._high = math.inf, -math.inf
        self._repeated = 0
        self._turned = self._within = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Take the values of one case's repeats."""
        count = len(values)
        if not count:
            return
        mean = math.fsum(values) / count
        self._count += 1
        self._sum += mean
        self._squares += mean * mean
        self._low, self._high = min(self._low, *values, mean), max(self._high, *values, mean)
        if count < 2:
            return
        # Over all pairs of its repeats: how far two answers to the case are apart.
        pairs = count * (count - 1)
        ordered = sorted(values)
        apart = sum((2 * rank - count + 1) * value for rank, value in enumerate(ordered))
        self._repeated += 1
        self._turned += 2 * apart / pairs
        self._within += 2 * count * math.fsum((value - mean) ** 2 for value in values) / pairs

    @property
    def bounded(self) -> bool:
        """Whether all values lie between 0 and 1."""
        return self._low >= 0 and self._high <= 1

    @property
    def mean(self) -> float:
        """Over the cases."""
        return self._sum / self._count if self._count else 0.0

    def spreads(self, check: CheckSummary, aggregate: str) -> list[tuple[str, Spread]]:
        """How far two answers are apart: as observed, or as assumed."""
        if not self._count:
            return []
        if self._repeated:
            spread = Spread(
                turned=self._turned / self._repeated, squares=self._within / self._repeated
            )
            return [("observed", spread)]
        variance = max(self._squares / self._count - self.mean**2, 0.0)
        squares = 2 * variance
        turned = squares if aggregate == "pass_rate" else math.sqrt(2 / math.pi * squares)
        worst = Spread(turned=max(turned, squares) if not check.unit else turned, squares=squares)
        share = flaky(TYPICAL_FLAKE).turned / flaky(0.5).turned
        if aggregate == "pass_rate":
            typical = min(flaky(TYPICAL_FLAKE), worst, key=lambda each: each.squares)
        else:
            typical = Spread(turned=worst.turned * share, squares=worst.squares * share)
        return [("typical", typical), ("worst", worst)]


def _gather(report: Report, kinds: Sequence[tuple[str, str]]) -> list[_Seen]:
    seen = [_Seen() for _ in kinds]
    for _, results in groupby(report.results(), key=lambda each: each.case):
        values: list[list[float]] = [[] for _ in kinds]
        for result in results:
            if result.repeat >= report.summary.repeats:
                continue
            by_check = {verdict.check: verdict for verdict in result.verdicts}
            for (check, aggregate), found in zip(kinds, values, strict=True):
                value = _of(by_check.get(check), aggregate)
                if value is not None:
                    found.append(value)
        for each, found in zip(seen, values, strict=True):
            each.add(found)
    return seen


def _of(verdict: Verdict | None, aggregate: str) -> float | None:
    if verdict is None or verdict.outcome not in (Outcome.PASSED, Outcome.FAILED):
        return None
    if aggregate == "pass_rate":
        return float(verdict.outcome is Outcome.PASSED)
    return verdict.score.value


def _metric(
    check: CheckSummary,
    aggregate: str,
    assumption: str,
    spread: Spread,
    margin: float | None,
    seen: _Seen,
    rules: ComparisonRules,
    repeats: int,
    cases: int,
) -> MetricPower:
    bounded = aggregate == "pass_rate" or (not check.unit and seen.bounded)
    if margin is None:
        margin = MARGIN if bounded else RELATIVE_MARGIN * abs(seen.mean)

    def buys(number: int, times: int) -> Buys:
        return _buys(number, times, spread, margin, bounded, rules.confidence)

    return MetricPower(
        check=check.name,
        aggregate=aggregate,
        unit="" if aggregate == "pass_rate" else check.unit,
        assumption=assumption,
        flake=spread.turned,
        margin=margin,
        now=buys(cases, repeats),
        needed=_needed(margin, spread.with_repeats(repeats), bounded, rules.confidence),
        table=tuple(buys(number, times) for number in SIZES for times in REPEATS),
    )


def _buys(
    cases: int, repeats: int, spread: Spread, margin: float, bounded: bool, confidence: float
) -> Buys:
    averaged = spread.with_repeats(repeats)
    if bounded:
        return Buys(
            cases=cases,
            repeats=repeats,
            drop=detectable_drop(cases, averaged, margin=margin, confidence=confidence),
            margin=kept_margin(cases, averaged, confidence=confidence),
        )
    deviations = normal_quantile(confidence) + normal_inverse(POWER)
    reach = deviations * math.sqrt(averaged.squares / cases)
    return Buys(cases=cases, repeats=repeats, drop=margin + reach, margin=reach)


def _needed(margin: float, spread: Spread, bounded: bool, confidence: float) -> int | None:
    if bounded:
        return cases_needed(margin, spread, confidence=confidence)
    return cases_needed_for_mean(margin, spread.squares, confidence=confidence)
