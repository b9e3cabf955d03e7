"""The `gate` of a suite's file as a `Gate`, with whatever could not fail or not pass refused."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.core.scoring import Check, Rule, Scorer
from llmops.evals.comparison.rules import Aggregate, ComparisonRules, MarginRule
from llmops.evals.gate import Gate, Threshold, settlement
from llmops.evals.slices.rules import Slice, SliceRule
from llmops.evals.suite_file import GateSection, MetricSection, SuiteFile


def read_gate(
    document: Parsed, file: SuiteFile, checks: tuple[Check, ...], slices: Sequence[Slice] = ()
) -> Gate:
    """The gate of a suite; `DocumentError` with the line of what makes no sense."""
    section = file.gate or GateSection()
    reader = _Metrics(document, checks, [each.scorer for each in file.checks], slices)
    for index, metric in enumerate(section.metrics or ()):
        reader.read(index, metric)
    if section.metrics is None:
        reader.expect_every_case()
    return Gate(
        unjudged=section.unjudged,
        thresholds=tuple(reader.thresholds),
        comparison=ComparisonRules(
            confidence=section.confidence,
            unjudged=section.unjudged,
            margins=tuple(reader.margins),
        ),
        written=section.metrics is not None,
        slices=tuple(reader.slices),
    )


class _Metrics:
    """Reads the metrics of a gate, one after the other."""

    def __init__(
        self,
        document: Parsed,
        checks: Sequence[Check],
        scorers: Sequence[str],
        slices: Sequence[Slice],
    ):
        self._document = document
        self._checks = {check.name: check for check in checks}
        self._scorers = {check.name: name for check, name in zip(checks, scorers, strict=True)}
        self.thresholds: list[Threshold] = []
        self.margins: list[MarginRule] = []
        self.slices: list[SliceRule] = []
        self._known_slices = {each.name: each for each in slices}

    def expect_every_case(self) -> None:
        """What holds where no gate is written: every check with a rule passes on every case."""
        ruled = [check for check in self._checks.values() if check.rule is not None]
        if not ruled:
            raise DocumentError(
                "no check has a pass rule, and there is no gate: the suite asserts nothing",
                hint="add a gate with a threshold, or a `pass` rule",
                where=self._document.where("checks"),
            )
        self.thresholds = [
            Threshold(check=check.name, aggregate="pass_rate", rule=Rule("==", 1.0))
            for check in ruled
        ]

    def read(self, index: int, metric: MetricSection) -> None:
        """Take one metric."""
        where = self._document.where("gate", "metrics", index)
        if metric.check not in self._checks:
            raise NotFound.among(
                "check",
                metric.check,
                self._checks,
                where=self._document.where("gate", "metrics", index, "check"),
            )
        if not (metric.mean or metric.pass_rate or metric.drop or metric.gap):
            raise DocumentError(
                "a metric of the gate needs `mean`, `pass_rate`, `drop` or `gap`",
                hint=f'write {{check: {metric.check}, mean: ">= 0.5"}}',
                where=where,
            )
        try:
            self._read(self._checks[metric.check], metric, self._slice(index, metric))
        except UsageError as error:
            error.where = error.where or where
            raise

    def _slice(self, index: int, metric: MetricSection) -> Slice | None:
        """The slice that the metric names; `NotFound` if the suite has none of that name."""
        if metric.by is None:
            if metric.gap is not None:
                raise DocumentError(
                    "a `gap` lies between the values of a slice, and `by` names none",
                    hint=f'write {{check: {metric.check}, gap: "{metric.gap}", by: SLICE}}',
                    where=self._document.where("gate", "metrics", index),
                )
            return None
        if metric.by not in self._known_slices:
            where = self._document.where("gate", "metrics", index, "by")
            raise NotFound.among("slice", metric.by, self._known_slices, where=where)
        return self._known_slices[metric.by]

    def _read(self, check: Check, metric: MetricSection, by: Slice | None) -> None:
        if metric.mean is not None:
            threshold = Threshold.on(check, "mean", metric.mean)
            refuse_settled(threshold.rule, self._scorers[check.name], check.scorer)
            self._expect(threshold, by)
        if metric.pass_rate is not None:
            self._expect(Threshold.on(check, "pass_rate", metric.pass_rate), by)
        if metric.gap is not None and by is not None:
            self.slices.append(self._gap(check, metric.of, metric.gap, by))
        if metric.drop is not None:
            self.margins.append(self._margin(check, metric, metric.drop))

    def _expect(self, threshold: Threshold, by: Slice | None) -> None:
        if by is None:
            self.thresholds.append(threshold)
            return
        self.slices.append(
            SliceRule(
                check=threshold.check,
                aggregate=threshold.aggregate,
                rule=threshold.rule,
                by=by.name,
                least=by.least,
            )
        )

    def _gap(self, check: Check, of: Aggregate | None, gap: str, by: Slice) -> SliceRule:
        aggregate: Aggregate = of or ("mean" if check.rule is None else "pass_rate")
        if aggregate == "pass_rate" and check.rule is None:
            raise UsageError(
                f"`{check.name}` has no pass rule, so it has no pass rate",
                hint="leave out `of: pass_rate`, or give the check a `pass` rule",
            )
        rule = Rule.parse(gap)
        if rule.operator not in ("<=", "<") or rule.bound < 0:
            raise UsageError(
                f"`gap: {gap}` is no limit of a distance", hint='write `gap: "<= 0.1"`'
            )
        bounded = aggregate == "pass_rate" or not getattr(check.scorer, "unit", "")
        if bounded and rule.holds(1.0):
            raise UsageError(
                f"`gap: {gap}` always holds: two ratios are never farther apart than 1",
                hint="10 points of a ratio are written 0.1",
            )
        return SliceRule(
            check=check.name, aggregate=aggregate, rule=rule, by=by.name, gap=True, least=by.least
        )

    def _margin(self, check: Check, metric: MetricSection, drop: str) -> MarginRule:
        if metric.of == "pass_rate" and check.rule is None:
            raise UsageError(
                f"`{check.name}` has no pass rule, so it has no pass rate",
                hint="leave out `of: pass_rate`, or give the check a `pass` rule",
            )
        rule = MarginRule.parse(check.name, drop, of=metric.of, by=metric.by)
        bounded = rule.relative or not getattr(check.scorer, "unit", "")
        if bounded and rule.margin >= 1:
            raise UsageError(
                f"`drop: {drop}` always holds: not more than everything can be lost",
                hint="2 points of a ratio are written 0.02",
            )
        return rule


def refuse_settled(rule: Rule, name: str, scorer: Scorer) -> None:
    """Raise for a rule that every score of a built-in scorer keeps, or none."""
    from llmops.scorers import BUILT_IN  # of others the range is not known

    unit = getattr(scorer, "unit", "")
    outcome = settlement(rule, 0.0, math.inf if unit else 1.0)
    if name in BUILT_IN and outcome is not None:
        found = "always holds" if outcome else "can never hold"
        span = "is never below 0" if unit else "lies between 0 and 1"
        raise UsageError(
            f"`{rule}` {found}: `{name}` {span}",
            hint="say `measure_only: true` to only look at it"
            if outcome
            else "95 % is written 0.95",
        )
