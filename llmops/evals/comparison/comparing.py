"""The steps of one comparison; `compare` is its door."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

from llmops.evals.comparison.asking import Asked, Asking
from llmops.evals.comparison.effort import efforts
from llmops.evals.comparison.evidence import Evidence
from llmops.evals.comparison.metrics import Measure, measure
from llmops.evals.comparison.pairing import EXAMPLES, CheckPair, pair
from llmops.evals.comparison.reasons import decide, name_of, reason_for
from llmops.evals.comparison.refusals import common_checks, no_common_case, one_sided_checks
from llmops.evals.comparison.rules import MARGIN, RELATIVE_MARGIN, ComparisonRules
from llmops.evals.comparison.sides import Side, SideCheck
from llmops.evals.comparison.turns import Codes, changes, count, turned_cases, turns_of
from llmops.evals.comparison.verdicts import beyond, cases_to_decide, judge
from llmops.evals.results import Change, Comparison, Coverage, MetricComparison, Turn
from llmops.evals.statistics import holm


class Comparing:
    """Two sides on their way to a comparison."""

    def __init__(self, base: Side, head: Side, rules: ComparisonRules):
        self._base = base
        self._head = head
        self._rules = rules
        self._checks = {check.name: check for check in common_checks(base, head)}
        self._same_subject = bool(base.subject) and base.subject == head.subject
        self._asking = Asking(base, self._checks, rules)
        self._notes = list(dict.fromkeys([*base.notes, *head.notes, *one_sided_checks(base, head)]))
        self._paired = pair(base, head, list(self._checks), self._asking.slices)
        if rules.untouched:
            self._notes.append(
                f"{rules.untouched:,} cases that the change does not touch were not run: they "
                "count as unchanged in every difference, and in no mean of one side; thresholds on "
                "the whole suite were not asked"
            )
        if not self._paired.ids:
            raise no_common_case(base, head, self._paired.only_base, self._paired.only_head)
        self._codes = {name: self._turns(name) for name in self._checks}

    def comparison(self) -> Comparison:
        """The comparison."""
        metrics = self._judged(
            [(asked, self._measure(asked)) for asked in self._asking.metrics(self._paired)]
        )
        gating = {metric.check for metric in metrics if metric.gates}
        turned = turned_cases(
            self._paired.ids, {name: self._codes[name] for name in self._checks if name in gating}
        )
        counts = Counter(each.turn for each in turned)
        coverage = self._coverage()
        return Comparison(
            base=self._base.label,
            head=self._head.label,
            confidence=self._rules.confidence,
            coverage=coverage,
            metrics=metrics,
            effort=efforts(self._paired, confidence=self._rules.confidence),
            turns={turn: counts[turn] for turn in Turn},
            decision=decide(metrics, self._too_little(coverage)),
            same_subject=self._same_subject,
            notes=tuple(self._notes),
            changes=partial(changes, self._base, self._head, turned),
        )

    # What is found

    def _turns(self, name: str) -> Codes:
        check, found = self._checks[name], self._paired.checks[name]
        return turns_of(
            found,
            ruled=self._asking.ruled(check),
            bounded=_bounded(check, found),
            higher_is_better=check.higher_is_better,
        )

    def _measure(self, asked: Asked) -> Measure:
        found = self._paired.checks[asked.check.name]
        return measure(
            found,
            rate=asked.aggregate == "pass_rate",
            bounded=asked.aggregate == "pass_rate" or _bounded(asked.check, found),
            higher_is_better=asked.aggregate == "pass_rate" or asked.check.higher_is_better,
            rows=asked.rows,
            untouched=self._rules.untouched if asked.rows is None else 0,
            confidence=self._rules.confidence,
        )

    def _judged(self, found: list[tuple[Asked, Measure]]) -> tuple[MetricComparison, ...]:
        """The metrics with their verdicts; p-values are adjusted over those that gate."""
        changed: dict[int, float] = {}
        lost: dict[int, float] = {}
        for index, (asked, measured) in enumerate(found):
            evidence = measured.evidence
            if asked.gates and evidence and evidence.p_value is not None:
                changed[index] = evidence.p_value
                lost[index] = beyond(evidence, self._margin(asked, measured))
        changed, lost = (
            dict(zip(each, holm(list(each.values())), strict=True)) for each in (changed, lost)
        )
        return tuple(
            self._metric(asked, measured, changed.get(index), lost.get(index, 0.0))
            for index, (asked, measured) in enumerate(found)
        )

    def _metric(
        self, asked: Asked, measured: Measure, p_adjusted: float | None, beyond_adjusted: float
    ) -> MetricComparison:
        codes, evidence = self._codes[asked.check.name], measured.evidence
        metric = MetricComparison(
            check=asked.check.name,
            aggregate=asked.aggregate,
            unit="" if asked.aggregate == "pass_rate" else asked.check.unit,
            higher_is_better=asked.aggregate == "pass_rate" or asked.check.higher_is_better,
            slice=asked.slice,
            gates=asked.gates,
            base=measured.base,
            head=measured.head,
            difference=measured.difference,
            margin=self._margin(asked, measured),
            method=evidence.method if evidence else "",
            p_value=evidence.p_value if evidence else None,
            p_adjusted=p_adjusted,
            pairs=evidence.pairs if evidence else 0,
            unjudged=measured.unjudged,
            newly_failing=count(codes, Turn.NEWLY_FAILING, asked.rows),
            newly_passing=count(codes, Turn.NEWLY_PASSING, asked.rows),
            flaky=count(codes, Turn.FLAKY, asked.rows),
        )
        return self._with_verdict(metric, evidence, beyond_adjusted)

    def _with_verdict(
        self, metric: MetricComparison, evidence: Evidence | None, beyond_adjusted: float
    ) -> MetricComparison:
        both = metric.pairs + metric.unjudged
        if evidence is None or metric.unjudged > self._rules.unjudged * both:
            reason = (
                f"{name_of(metric)}: {metric.unjudged:,} of {both:,} cases were not judged on both "
                f"sides, more than the tolerated {self._rules.unjudged:.3g}"
            )
            return replace(metric, verdict=Change.ERROR, reason=reason)
        p_value = metric.p_adjusted if metric.gates else metric.p_value
        finding = judge(
            evidence,
            margin=metric.margin,
            p_adjusted=p_value,
            beyond_adjusted=beyond_adjusted,
            same_subject=self._same_subject,
        )
        if finding.change is Change.INCONCLUSIVE and not finding.for_missing:
            metric = replace(metric, needed=cases_to_decide(evidence, metric.margin, p_value))
        reason = reason_for(metric, finding, self._rules.confidence, p_value)
        return replace(metric, verdict=finding.change, reason=reason)

    def _margin(self, asked: Asked, measured: Measure) -> float:
        """What may be lost, in the score's own unit."""
        at_base = abs(measured.base.value) if measured.base else 0.0
        if asked.rule is not None:
            return asked.rule.margin * (at_base if asked.rule.relative else 1.0)
        found = self._paired.checks[asked.check.name]
        if asked.aggregate == "pass_rate" or _bounded(asked.check, found):
            wanted = self._rules.default_margin
            return MARGIN if wanted is None else wanted
        return RELATIVE_MARGIN * at_base

    # Which cases

    def _coverage(self) -> Coverage:
        paired = self._paired
        totals = [side.total for side in (self._head, self._base) if side.total is not None]
        return Coverage(
            pairs=len(paired.ids),
            only_base=len(paired.only_base),
            only_head=len(paired.only_head),
            untouched=self._rules.untouched,
            total=totals[0] if totals else None,
            examples=(*paired.only_base[:EXAMPLES], *paired.only_head[:EXAMPLES]),
        )

    def _too_little(self, coverage: Coverage) -> str | None:
        """Why the cases allow no verdict: too many are missing on one side, for no known reason."""
        alone = coverage.only_base + coverage.only_head
        if not alone:
            return None
        told = f"{alone:,} of {coverage.pairs + alone:,} cases are on one side only, as "
        told += ", ".join(f"`{case}`" for case in coverage.examples[:3])
        chosen = (self._base.selection, self._head.selection)
        asked_otherwise = None not in chosen and chosen[0] != chosen[1]
        if asked_otherwise or alone <= self._rules.unjudged * (coverage.pairs + alone):
            self._notes.append(told)
            return None
        return f"{told}: more than the tolerated {self._rules.unjudged:.3g}"


def _bounded(check: SideCheck, found: CheckPair) -> bool:
    """Whether the scores are ratios: no unit, and none of them beyond 0 to 1."""
    low, high = min(found.base.low, found.head.low), max(found.base.high, found.head.high)
    return not check.unit and low >= 0 and high <= 1
