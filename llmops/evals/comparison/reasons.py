"""A verdict as one sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.core.errors import ExitCode
from llmops.evals.comparison.verdicts import Finding
from llmops.evals.results import Change, Decision, GateLine, MetricComparison

_OUTCOMES = {
    Change.BETTER: "passed",
    Change.SAME: "passed",
    Change.REGRESSION: "failed",
    Change.INCONCLUSIVE: "inconclusive",
    Change.ERROR: "inconclusive",
}


def name_of(metric: MetricComparison) -> str:
    """The metric in words: the pass rate of `f1` where language=de."""
    aggregate = "pass rate" if metric.aggregate == "pass_rate" else "mean"
    where = f" where {metric.slice}" if metric.slice else ""
    return f"the {aggregate} of `{metric.check}`{where}"


def reason_for(
    metric: MetricComparison, finding: Finding, confidence: float, p: float | None
) -> str:
    """Why the verdict on a metric is what it is."""
    name = name_of(metric)
    if metric.difference is None:
        return f"{name} was judged in no case on both sides"
    if finding.for_missing:
        return (
            f"{name} {_moved(metric)}, but {metric.unjudged:,} of "
            f"{metric.pairs + metric.unjudged:,} cases were not judged on both sides, "
            "and they could turn the verdict"
        )
    if metric.difference.low is None:
        return f"{name} {_moved(metric)}, in one case: nothing follows from that"
    told = f"{name} {_moved(metric)} ({_interval(metric, confidence)})"
    match finding.change:
        case Change.REGRESSION:
            return f"{told}, {_allowed(metric)}{_turned(metric)}"
        case Change.BETTER:
            return f"{told}{_turned(metric)}"
        case Change.SAME:
            return _same(metric, finding, confidence)
        case _:
            return f"{told}: {_open(metric, finding, confidence, p)}"


def _same(metric: MetricComparison, finding: Finding, confidence: float) -> str:
    name = name_of(metric)
    if finding.untouched:
        return f"{name} is the same in every case, and nothing that the model sees changed"
    lost = -_low(metric)
    if lost <= 0:
        return (
            f"{name} {_moved(metric)}, and nothing is lost at {confidence * 100:.4g} % confidence"
        )
    return (
        f"{name} {_moved(metric)}: at {confidence * 100:.4g} % confidence no more than "
        f"{amount(lost, metric)} is lost, and {amount(metric.margin, metric)} may be"
    )


def _open(metric: MetricComparison, finding: Finding, confidence: float, p: float | None) -> str:
    if finding.one_of_many:
        cause = "among the metrics of this gate one may lose so much by chance"
    elif p is not None and p >= 1 - confidence and _high(metric) < -metric.margin:
        cause = f"with p = {p:.3g} it could be chance"
    elif metric.margin:
        cause = f"it could have lost more than the {amount(metric.margin, metric)} allowed, or not"
    else:
        cause = "it could have lost or not"
    if metric.needed is not None:
        return (
            f"{cause}; about {_round(metric.needed):,} cases would tell, {metric.pairs:,} did not"
        )
    if not metric.margin:
        return f"{cause}; with a margin of 0 no number of cases shows that nothing is lost"
    return f"{cause}, and no number of cases would tell"


def _moved(metric: MetricComparison) -> str:
    found = metric.difference.value if metric.difference else 0.0
    if not found:
        return "does not move"
    return f"{'rises' if found > 0 else 'falls'} by {amount(abs(found), metric)}"


def _interval(metric: MetricComparison, confidence: float) -> str:
    found = metric.difference
    if found is None or found.low is None or found.high is None:
        return ""
    scale, places, unit = _scale(metric, max(abs(found.low), abs(found.high)))
    unit = f" {unit}" if unit else ""
    return (
        f"{confidence * 100:.4g} % interval {found.low * scale:+.{places}f} "
        f"to {found.high * scale:+.{places}f}{unit}"
    )


def _allowed(metric: MetricComparison) -> str:
    return f"more than the {amount(metric.margin, metric)} allowed" if metric.margin else "a loss"


def _turned(metric: MetricComparison) -> str:
    failing, passing = metric.newly_failing, metric.newly_passing
    if not failing and not passing:
        return ""
    if passing > failing:
        most, other, told = passing, failing, ("passes", "pass", "failed")
    else:
        most, other, told = failing, passing, ("fails", "fail", "passed")
    cases = f"case {told[0]}" if most == 1 else f"cases {told[1]}"
    more = f", {other:,} the other way round" if other else ""
    return f": {most:,} {cases} now that {told[2]} before{more}"


def amount(value: float, metric: MetricComparison) -> str:
    """A part of a metric's range: points of a rate, else the score's own unit."""
    scale, places, unit = _scale(metric, value)
    return f"{value * scale:.{places}f} {unit}".rstrip()


def _scale(metric: MetricComparison, value: float) -> tuple[float, int, str]:
    if metric.aggregate == "pass_rate":
        return 100.0, 1, "points"
    if metric.unit == "s" and abs(value) < 1:
        return 1000.0, 0, "ms"
    return 1.0, 3 if abs(value) < 10 else 1, metric.unit


def _low(metric: MetricComparison) -> float:
    """The lower end of what may have been gained, above zero being better."""
    found = metric.difference
    if found is None or found.low is None or found.high is None:
        return 0.0
    return found.low if metric.higher_is_better else -found.high


def _high(metric: MetricComparison) -> float:
    found = metric.difference
    if found is None or found.low is None or found.high is None:
        return 0.0
    return found.high if metric.higher_is_better else -found.low


def _round(cases: int) -> int:
    """Up to two significant digits."""
    step = int(10 ** max(0, len(str(cases)) - 2))
    return -(-cases // step) * step


def decide(metrics: Sequence[MetricComparison], coverage: str | None) -> Decision:
    """The judgement that follows from the metrics that gate.

    `coverage` says why the cases themselves do not allow one. A regression is
    one all the same.
    """
    lines = tuple(_line(metric) for metric in metrics if metric.gates)
    failed = [line for line in lines if line.outcome == "failed"]
    open_ = [line for line in lines if line.outcome == "inconclusive"]
    if failed:
        return Decision(
            outcome="failed",
            exit_code=ExitCode.FAILED,
            reason=_first(failed, len(lines)),
            lines=lines,
        )
    if open_ or coverage is not None:
        return Decision(
            outcome="inconclusive",
            exit_code=ExitCode.INCONCLUSIVE,
            reason=coverage or _first(open_, len(lines)),
            lines=lines,
        )
    reason = (
        lines[0].reason
        if len(lines) == 1
        else f"in none of {len(lines)} metrics more is lost than allowed"
    )
    return Decision(outcome="passed", exit_code=ExitCode.PASSED, reason=reason, lines=lines)


def _line(metric: MetricComparison) -> GateLine:
    found = metric.difference
    sign = -1 if metric.higher_is_better else 1
    return GateLine(
        check=metric.check,
        aggregate="drop",
        rule=f"<= {metric.margin:.4g}" + (f" where {metric.slice}" if metric.slice else ""),
        value=sign * found.value + 0.0 if found else None,
        outcome=_OUTCOMES[metric.verdict],
        reason=metric.reason,
    )


def _first(lines: Sequence[GateLine], total: int) -> str:
    more = len(lines) - 1
    reason = lines[0].reason
    return f"{reason} (and {more} more of {total} metrics)" if more else reason
