"""A difference and its interval as one row of a forest plot, in inline SVG."""

from __future__ import annotations

from collections.abc import Iterable

from llmops.evals.render.charts import WIDTH
from llmops.evals.results import Estimate, MetricComparison

_MIDDLE = WIDTH / 2


def reaches(metrics: Iterable[MetricComparison]) -> dict[str, float]:
    """By unit, how far from zero the scale goes, so that rows of one unit can be compared."""
    found: dict[str, float] = {}
    for metric in metrics:
        ends = [abs(end) for end in _ends(metric.difference)]
        # A margin is worth its place only where the differences come near it.
        ends.append(min(metric.margin, 4 * max(ends, default=metric.margin)))
        found[metric.unit] = max(found.get(metric.unit, 0.0), *ends)
    return {unit: (reach or 1.0) * 1.12 for unit, reach in found.items()}


def forest(metric: MetricComparison, reach: float) -> str:
    """One row: zero as a line, more loss than the margin allows as a shade, the estimate as a dot.

    The row stretches with the page; lines and dot keep their shape.
    """
    beyond = (
        _zone(0.0, _across(-metric.margin, reach))
        if metric.higher_is_better
        else _zone(_across(metric.margin, reach), float(WIDTH))
    )
    return (
        f'<svg class="forest" viewBox="0 0 {WIDTH} 24" preserveAspectRatio="none"'
        f' aria-hidden="true">{beyond}'
        f'<line class="zero" x1="{_MIDDLE:g}" x2="{_MIDDLE:g}" y1="0" y2="24"/>'
        f"{_interval(metric.difference, reach)}</svg>"
    )


def interval_row(difference: Estimate) -> str:
    """A difference of something that has no margin, on a scale of its own."""
    reach = max((abs(end) for end in _ends(difference)), default=0.0) * 1.12 or 1.0
    return (
        f'<svg class="forest" viewBox="0 0 {WIDTH} 24" preserveAspectRatio="none"'
        f' aria-hidden="true"><line class="zero" x1="{_MIDDLE:g}" x2="{_MIDDLE:g}" y1="0" y2="24"/>'
        f"{_interval(difference, reach)}</svg>"
    )


def _interval(difference: Estimate | None, reach: float) -> str:
    if difference is None:
        return ""
    at = _across(difference.value, reach)
    # A line without length and with round ends is a dot that no stretching makes an egg.
    dot = f'<line class="dot" x1="{at:.1f}" x2="{at:.1f}" y1="12" y2="12"/>'
    if difference.low is None or difference.high is None:
        return dot
    low, high = _across(difference.low, reach), _across(difference.high, reach)
    return f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="12" y2="12"/>{dot}'


def _zone(start: float, end: float) -> str:
    return f'<rect class="beyond" x="{start:.1f}" width="{max(end - start, 0):.1f}" height="24"/>'


def _across(number: float, reach: float) -> float:
    return min(max(_MIDDLE + _MIDDLE * number / reach, 0.0), float(WIDTH))


def _ends(difference: Estimate | None) -> list[float]:
    if difference is None:
        return []
    ends = (difference.value, difference.low, difference.high)
    return [end for end in ends if end is not None]
