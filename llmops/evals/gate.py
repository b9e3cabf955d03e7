"""The gate: whether a run passes, fails, or cannot be judged.

Each threshold compares one check's mean score or pass rate with a number. Both
are taken over the judged results; the results without a judgement (unscored,
or in error) never vanish:

- When their share is above `unjudged`, the threshold is *inconclusive*.
- Below it they are counted in the worst and in the best way. When the verdict
  would differ between the two, it is *inconclusive* too. For a pass rate they
  count as all failed and as all passed; for the mean of a ratio as 0 and as 1;
  for the mean of anything else (seconds, tokens), which has no bounds, as the
  smallest and as the largest score of the run.

Where a run has a base, what the gate says of a `drop` is judged by the
comparison of the two, whose lines stand beside those of the thresholds. A
`drop` without a base cannot be judged, and is never taken for kept.

A gate fails when one line fails, even when another is inconclusive: it
cannot pass any more. It passes when all pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llmops.core.errors import ExitCode, UsageError
from llmops.core.scoring import Check, Rule
from llmops.evals.comparison.rules import Aggregate, ComparisonRules
from llmops.evals.results import CheckSummary, Decision, Estimate, GateLine
from llmops.evals.slices.rules import SliceRule

DIGITS = 12
"""Decimals that count in a comparison: a mean of 0.1, 0.2 and 0.3 reaches `>= 0.2`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least and the most that an aggregate could be, had every result been judged."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One check's summary, with what its unjudged results leave open."""

    summary: CheckSummary
    mean: Bounds | None
    pass_rate: Bounds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What one aggregate of one check must be."""

    check: str
    aggregate: Aggregate
    rule: Rule

    @classmethod
    def on(cls, check: Check, aggregate: Aggregate, text: str) -> Threshold:
        """The threshold as written; `UsageError` when it could never fail or never pass."""
        rule = Rule.parse(text)
        if aggregate == "pass_rate":
            if check.rule is None:
                raise UsageError(
                    f"`{check.name}` has no pass rule, so it has no pass rate",
                    hint='give the check `pass: ">= 0.5"`, or set a threshold on its `mean`',
                )
            settled = settlement(rule, 0.0, 1.0)
            if settled is not None:
                found = "always holds" if settled else "can never hold"
                raise UsageError(
                    f"`pass_rate: {text}` {found}: a pass rate lies between 0 and 1",
                    hint="95 % is written 0.95",
                )
        return cls(check=check.name, aggregate=aggregate, rule=rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The thresholds of a suite, what it may lose, and how much may stay unjudged."""

    unjudged: float
    thresholds: tuple[Threshold, ...]
    comparison: ComparisonRules = field(default_factory=ComparisonRules)
    written: bool = True
    """Whether the suite has a gate. One without asks that every check passes on every case,
    or, of a run with a base, that none gets worse."""
    slices: tuple[SliceRule, ...] = ()

    def decide(
        self,
        measured: Mapping[str, Measured],
        compared: Decision | None = None,
        sliced: Sequence[GateLine] = (),
        *,
        touched_only: bool = False,
    ) -> Decision:
        """The gate's judgement.

        `measured` holds every check that the gate names; `compared` is the
        judgement on base and head, where the run has a base; `sliced` has the
        line of each rule on slices. A run that left out what a change does not
        touch (`touched_only`) holds no fair part of the suite: its thresholds
        are not asked, and the comparison alone decides.
        """
        if compared is not None and (touched_only or not self.written):
            return compared
        lines = [self._line(each, measured[each.check]) for each in self.thresholds]
        lines += sliced
        lines += compared.lines if compared is not None else self._not_compared()
        return decide(lines)

    def _not_compared(self) -> list[GateLine]:
        return [
            GateLine(
                check=each.check,
                aggregate="drop",
                rule=str(each),
                value=None,
                outcome="inconclusive",
                reason=f"what `{each.check}` may lose is judged against a base, and the run has "
                "none: add `--base main`",
            )
            for each in self.comparison.margins
        ]

    def _line(self, threshold: Threshold, measured: Measured) -> GateLine:
        summary = measured.summary
        if threshold.aggregate == "mean":
            estimate, bounds = summary.mean, measured.mean
        else:
            estimate, bounds = summary.pass_rate, measured.pass_rate
        outcome, reason = self._judge(threshold, summary, estimate, bounds)
        return GateLine(
            check=threshold.check,
            aggregate=threshold.aggregate,
            rule=str(threshold.rule),
            value=estimate.value if estimate else None,
            outcome=outcome,
            reason=reason,
        )

    def _judge(
        self,
        threshold: Threshold,
        summary: CheckSummary,
        estimate: Estimate | None,
        bounds: Bounds | None,
    ) -> tuple[str, str]:
        missing = _missing(summary)
        if estimate is None or bounds is None:
            return "inconclusive", f"`{summary.name}`: nothing was judged ({missing})"
        if summary.unjudged_share > self.unjudged:
            return "inconclusive", (
                f"`{summary.name}`: {missing} of {summary.results} results, "
                f"more than the tolerated {self.unjudged:.3g}"
            )
        name = threshold.aggregate.replace("_", " ")
        value = _number(estimate.value, beside=threshold.rule.bound)
        shown = f"the {name} of `{summary.name}` is {value}{_unit(summary, name)}"
        settled = settlement(threshold.rule, bounds.low, bounds.high)
        if settled is None:
            return "inconclusive", (
                f"{shown}, but {missing}; with them it could be anything from "
                f"{_number(bounds.low)} to {_number(bounds.high)}, "
                f"on both sides of `{threshold.rule}`"
            )
        asked = f"the gate asks for `{threshold.rule}`"
        return ("passed" if settled else "failed"), f"{shown}{_interval(estimate)}, {asked}"


def decide(lines: Sequence[GateLine]) -> Decision:
    """The judgement that follows from all lines of a gate."""
    if not lines:
        reason = "nothing is asked of one run alone"
        return Decision(outcome="passed", exit_code=ExitCode.PASSED, reason=reason)
    failed = [line for line in lines if line.outcome == "failed"]
    open_ = [line for line in lines if line.outcome == "inconclusive"]
    if failed:
        return Decision(
            outcome="failed",
            exit_code=ExitCode.FAILED,
            reason=_reason(failed, len(lines)),
            lines=tuple(lines),
        )
    if open_:
        return Decision(
            outcome="inconclusive",
            exit_code=ExitCode.INCONCLUSIVE,
            reason=_reason(open_, len(lines)),
            lines=tuple(lines),
        )
    reason = (
        f"all {len(lines)} thresholds hold"
        if len(lines) > 1
        else f"the one threshold holds: {lines[0].reason}"
    )
    return Decision(outcome="passed", exit_code=ExitCode.PASSED, reason=reason, lines=tuple(lines))


def settlement(rule: Rule, low: float, high: float) -> bool | None:
    """Whether the rule holds for all (True) or for none (False) of the values in the range."""
    low, high = round(low, DIGITS), round(high, DIGITS)
    if rule.operator in ("==", "!="):
        if low <= rule.bound <= high and low != high:
            return None
        return rule.holds(low)
    at_low, at_high = rule.holds(low), rule.holds(high)
    return at_low if at_low == at_high else None


def _reason(lines: list[GateLine], total: int) -> str:
    first = lines[0].reason
    more = len(lines) - 1
    return f"{first} (and {more} more of {total} thresholds)" if more else first


def _missing(summary: CheckSummary) -> str:
    parts = []
    if summary.unscored:
        parts.append(f"{summary.unscored} unscored")
    if summary.errors:
        parts.append(f"{summary.errors} in error")
    return " and ".join(parts) or "no results"


def _number(value: float, beside: float | None = None) -> str:
    """Four digits, and all of them where four would make it look like its bound."""
    short = f"{value:.4g}"
    return f"{value:.{DIGITS}g}" if beside is not None and float(short) == beside else short


def _unit(summary: CheckSummary, aggregate: str) -> str:
    return f" {summary.unit}" if summary.unit and aggregate == "mean" else ""


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95 % interval {_number(estimate.low)} to {_number(estimate.high)})"
