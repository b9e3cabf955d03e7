"""Small charts as inline SVG: an estimate on its scale, and a histogram of scores."""

from __future__ import annotations

from llmops.core.errors import UsageError
from llmops.core.scoring import Rule
from llmops.evals.render.figures import plural, score
from llmops.evals.results import CheckSummary, Estimate

WIDTH = 1000
"""Units across; the page stretches a chart to the room it has."""


def meter(value: Estimate, check: CheckSummary, rule: str | None, *, rate: bool) -> str:
    """The estimate as a dot, its interval as a band, the gate's threshold as a mark.

    Two layers: the band stretches with the page, the dot and the mark keep their shape.
    """
    bound = _bound(rule)
    top = 1.0 if rate else _top(check, value, bound)

    def across(number: float) -> float:
        return min(max(number / top, 0.0), 1.0) * WIDTH

    at = across(value.value)
    low = across(value.value if value.low is None else value.low)
    high = across(value.value if value.high is None else value.high)
    mark = "" if bound is None else _tick(across(bound), "threshold")
    return (
        f'<svg class="meter" viewBox="0 0 {WIDTH} 20" preserveAspectRatio="none"'
        ' aria-hidden="true">'
        f'<rect class="track" y="7" width="{WIDTH}" height="6"/>'
        f'<rect class="filled" y="7" width="{at:.1f}" height="6"/>'
        f'<rect class="band" x="{low:.1f}" y="4" width="{max(high - low, 2):.1f}" height="12"/>'
        f"{_tick(at, 'value')}{mark}</svg>"
    )


def histogram(check: CheckSummary) -> str:
    """How many scores lie where, with the check's own pass rule marked."""
    bins = check.histogram
    if not bins:
        return '<p class="empty">no scores</p>'
    first, last = bins[0][0], bins[-1][1]
    wide = (last - first) or 1.0
    most = max(count for _, _, count in bins) or 1
    bars = ""
    for low, high, count in bins:
        tall = 60 * count / most
        left = WIDTH * (low - first) / wide
        room = WIDTH * ((high - low) or wide) / wide
        place = f"{score(low, check.unit)} to {score(high, check.unit)}: {plural(count, 'score')}"
        bars += (
            f'<g><rect class="room" x="{left:.1f}" width="{room:.1f}" height="62"/>'
            f'<rect class="{_side(low, high, check)}" x="{left + 4:.1f}" y="{62 - tall:.1f}"'
            f' width="{max(room - 8, 2):.1f}" height="{tall:.1f}"/>'
            f"<title>{place}</title></g>"
        )
    bound = _bound(check.rule)
    mark = ""
    if bound is not None and first <= bound <= last:
        mark = _tick(WIDTH * (bound - first) / wide, "threshold", tall=62)
    return (
        f'<svg class="histogram" viewBox="0 0 {WIDTH} 62" preserveAspectRatio="none" role="img"'
        f' aria-label="Histogram of the scores">{bars}{mark}</svg>'
    )


def _tick(at: float, name: str, *, tall: int = 20) -> str:
    """An upright line; it keeps its width however the chart is stretched."""
    return f'<line class="{name}" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{tall}"/>'


def _bound(rule: str | None) -> float | None:
    try:
        return Rule.parse(rule).bound if rule else None
    except UsageError:
        return None


def _side(low: float, high: float, check: CheckSummary) -> str:
    """Whether a bin's scores pass: by its middle, or for `==` by whether it holds the bound."""
    try:
        rule = Rule.parse(check.rule or "")
    except UsageError:
        return "neutral"
    if rule.operator in ("==", "!="):
        holds = low <= rule.bound < high or rule.bound == high
        return "passed" if holds == (rule.operator == "==") else "failed"
    return "passed" if rule.holds((low + high) / 2) else "failed"


def _top(check: CheckSummary, value: Estimate, bound: float | None) -> float:
    """The right end of the scale: 1 for a ratio, else what holds everything that is drawn."""
    highest = max(abs(value.value), abs(value.high or 0.0), abs(bound or 0.0))
    if not check.unit and highest <= 1:
        return 1.0
    return max(highest * 1.15, min(check.quantiles.get("p95", 0.0), highest * 3)) or 1.0
