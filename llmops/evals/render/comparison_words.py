"""What a comparison of two runs says in words and numbers, wherever it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmops.evals.render.figures import (
    AGGREGATES,
    NOTHING,
    difference,
    difference_interval,
    money,
    one_line,
    percent,
    plural,
    score,
)
from llmops.evals.results import (
    Change,
    Comparison,
    Coverage,
    Effort,
    Estimate,
    MetricComparison,
    Turn,
)

CHANGE_SYMBOLS = {
    Change.BETTER: "↑",
    Change.SAME: "=",
    Change.REGRESSION: "✗",
    Change.INCONCLUSIVE: "?",
    Change.ERROR: "!",
}
"""One sign a verdict, so that nothing depends on colour."""

CHANGE_TONES = {
    Change.BETTER: "passed",
    Change.SAME: "same",
    Change.REGRESSION: "failed",
    Change.INCONCLUSIVE: "inconclusive",
    Change.ERROR: "error",
}
"""The outcome whose colours a verdict has."""

TURN_TONES = {
    Turn.NEWLY_FAILING: "failed",
    Turn.NEWLY_PASSING: "passed",
    Turn.FLAKY: "inconclusive",
    Turn.BROKEN: "error",
}

_WORST = (Change.REGRESSION, Change.ERROR, Change.INCONCLUSIVE, Change.BETTER, Change.SAME)


def by_weight(metrics: Iterable[MetricComparison]) -> list[MetricComparison]:
    """The metrics that decide first, the worst of them at the top; slices after the whole."""
    return sorted(
        metrics,
        key=lambda each: (not each.gates, each.slice is not None, _WORST.index(each.verdict)),
    )


def aggregate_of(metric: MetricComparison) -> str:
    """What the metric is: `mean` or `pass rate`."""
    return AGGREGATES.get(metric.aggregate, metric.aggregate)


def is_rate(metric: MetricComparison) -> bool:
    """Whether the metric is a share, which reads as percent."""
    return metric.aggregate == "pass_rate"


def value(estimate: Estimate | None, metric: MetricComparison) -> str:
    """One side of a metric."""
    if estimate is None:
        return NOTHING
    return percent(estimate.value) if is_rate(metric) else score(estimate.value, metric.unit)


def changed_by(metric: MetricComparison) -> str:
    """Head less base: `-6.2 points`."""
    return difference(metric.difference, metric.unit, rate=is_rate(metric))


def interval_of(metric: MetricComparison) -> str:
    """The interval of the difference; empty where there is none."""
    return difference_interval(metric.difference, metric.unit, rate=is_rate(metric))


def margin_of(metric: MetricComparison) -> str:
    """What may be lost: `2.0 points`."""
    if is_rate(metric):
        return f"{metric.margin * 100:.1f} points"
    return score(metric.margin, metric.unit)


def p_value(value: float | None) -> str:
    """A p-value with as many places as it deserves.

    >>> p_value(0.0412), p_value(0.00004), p_value(None)
    ('0.041', '< 0.001', '-')
    """
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def confidence(comparison: Comparison) -> str:
    """The confidence of the intervals: `95 %`."""
    return f"{comparison.confidence * 100:.4g} %"


def headline(metric: MetricComparison, comparison: Comparison) -> str:
    """A metric's numbers in one line: `61.0 % → 55.0 %, -6.0 points (95 %: -9.9 to …)`."""
    sides = f"{value(metric.base, metric)} → {value(metric.head, metric)}"
    low_high = interval_of(metric)
    told = f" ({confidence(comparison)}: {low_high})" if low_high else ""
    return f"{sides}, {changed_by(metric)}{told}"


def headlines(comparison: Comparison, most: int = 3) -> Iterator[MetricComparison]:
    """The metrics that a verdict line is about: those not the same, else the first that gates."""
    gating = [each for each in by_weight(comparison.metrics) if each.gates and not each.slice]
    telling = [each for each in by_weight(comparison.metrics) if _tells(each)]
    yield from (telling or gating)[: most if telling else 1]


def _tells(metric: MetricComparison) -> bool:
    return metric.gates and metric.verdict is not Change.SAME


def covered(coverage: Coverage) -> str:
    """How many cases were laid side by side.

    >>> covered(Coverage(pairs=37, total=412))
    '37 of 412 cases on both sides'
    """
    if coverage.total is not None and coverage.total != coverage.pairs:
        told = f"{coverage.pairs:,} of {plural(coverage.total, 'case')} on both sides"
    else:
        told = f"{plural(coverage.pairs, 'case')} on both sides"
    apart = [
        f"{count:,} {what}"
        for count, what in (
            (coverage.untouched, "untouched"),
            (coverage.only_base, "on base only"),
            (coverage.only_head, "on head only"),
        )
        if count
    ]
    return ", ".join([told, *apart])


def turned(comparison: Comparison) -> list[tuple[Turn, int]]:
    """How many cases turned, by kind, without the kinds that did not happen."""
    return [(turn, comparison.turns[turn]) for turn in Turn if comparison.turns.get(turn)]


def effort_name(effort: Effort) -> str:
    """What is spent. A case costs next to nothing, so its cost is told for a thousand."""
    return "cost of 1,000 cases" if effort.name == "cost" else one_line(effort.name, 40)


def effort_value(estimate: Estimate, effort: Effort) -> str:
    """What a case costs on one side."""
    if effort.name == "cost":
        return money(estimate.value * 1000)
    return score(estimate.value, effort.unit)


def effort_change(effort: Effort) -> tuple[str, str]:
    """The difference of an effort, and its interval."""
    if effort.name != "cost":
        return (
            difference(effort.difference, effort.unit),
            difference_interval(effort.difference, effort.unit),
        )
    found = effort.difference
    low_high = ""
    if found.low is not None and found.high is not None:
        low_high = f"{_cost_change(found.low)} to {_cost_change(found.high)}"
    return _cost_change(found.value), low_high


def _cost_change(value: float) -> str:
    return f"{_sign(value)}{money(abs(value) * 1000)}"


def effort_share(effort: Effort) -> str:
    """The difference as a share of the base: `+12 %`; empty where the base costs nothing."""
    if not effort.base.value:
        return ""
    share = effort.difference.value / effort.base.value * 100
    return f"{_sign(share)}{abs(share):.0f} %"


def _sign(value: float) -> str:
    return "+" if value > 0 else "-" if value < 0 else "±"
