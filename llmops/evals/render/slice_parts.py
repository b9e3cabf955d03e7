"""Results by slice: a bar a value with its interval, and how far apart the values are."""

from __future__ import annotations

from itertools import groupby

from llmops.evals.render.charts import WIDTH
from llmops.evals.render.escaping import text
from llmops.evals.render.figures import AGGREGATES, interval, percent, plural, score
from llmops.evals.results import CheckSummary, Estimate, SliceGap, SliceSummary, Summary

MOST_VALUES = 40
"""Values of a slice that are drawn; the rest are counted."""

MOST_FIGURES = 60


def slices(summary: Summary) -> str:
    """A chart for every check in every slice; empty for a suite without slices."""
    checks = {check.name: check for check in summary.checks}
    figures = []
    rows = sorted(summary.slices, key=lambda each: each.slice)
    for name, of_slice in groupby(rows, key=lambda each: each.slice):
        by_check: dict[str, list[SliceSummary]] = {}
        for each in of_slice:
            by_check.setdefault(each.check, []).append(each)
        figures += [
            _figure(name, checks[check], found, summary.gaps)
            for check, found in by_check.items()
            if check in checks
        ]
    if not figures:
        return ""
    left = len(figures) - MOST_FIGURES
    more = f'<p class="limit">… and {plural(left, "chart")} more</p>' if left > 0 else ""
    return (
        '<section aria-labelledby="slices"><h2 id="slices">By slice</h2>'
        f'<div class="slices">{"".join(figures[:MOST_FIGURES])}</div>{more}</section>'
    )


def _figure(
    name: str, check: CheckSummary, found: list[SliceSummary], gaps: tuple[SliceGap, ...]
) -> str:
    rate = any(each.pass_rate is not None for each in found)
    values = sorted(found, key=lambda each: _estimate(each, rate=rate).value)
    if not check.higher_is_better:
        values.reverse()
    top = _top(found, check, rate=rate)
    bars = "".join(_bar(each, check, top, rate=rate) for each in values[:MOST_VALUES])
    left = len(values) - MOST_VALUES
    more = f"<li>… and {plural(left, 'value')} more</li>" if left > 0 else ""
    aggregate = AGGREGATES["pass_rate" if rate else "mean"]
    gap = "".join(_gap(each) for each in gaps if each.slice == name and each.check == check.name)
    return (
        f'<figure class="slice card"><h3>{text(check.name[:80])} <small>{aggregate} by'
        f" {text(name[:60])}</small></h3><ul>{bars}{more}</ul>"
        f"{f'<figcaption>{gap}</figcaption>' if gap else ''}</figure>"
    )


def _bar(each: SliceSummary, check: CheckSummary, top: float, *, rate: bool) -> str:
    estimate = _estimate(each, rate=rate)
    unit = "" if rate else check.unit
    scored = each.pass_rate if rate else each.mean
    number = (percent(estimate.value) if rate else score(estimate.value, unit)) if scored else "-"
    low_high = interval(scored, unit, rate=rate)
    unjudged = f", {each.unjudged:,} unjudged" if each.unjudged else ""
    return (
        f'<li title="{low_high}"><span class="value-name">{text(each.value[:60])}</span>'
        f"{_svg(estimate, top) if scored else '<span></span>'}<b>{number}</b>"
        f"<small>{plural(each.cases, 'case')}{unjudged}</small></li>"
    )


def _svg(estimate: Estimate, top: float) -> str:
    def across(number: float) -> float:
        return min(max(number / top, 0.0), 1.0) * WIDTH

    at = across(estimate.value)
    whisker = ""
    if estimate.low is not None and estimate.high is not None:
        whisker = (
            f'<line class="whisker" x1="{across(estimate.low):.1f}"'
            f' x2="{across(estimate.high):.1f}" y1="8" y2="8"/>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} 16" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" y="3" width="{WIDTH}" height="10"/>'
        f'<rect class="bar-fill" y="3" width="{at:.1f}" height="10"/>{whisker}</svg>'
    )


def _gap(gap: SliceGap) -> str:
    rate = gap.aggregate == "pass_rate"
    apart = f"{gap.difference.value * 100:.1f} points" if rate else score(gap.difference.value)
    low_high = interval(gap.difference, rate=rate).replace(" %", " points")
    told = f" (95 %: {low_high})" if low_high else ""
    return (
        f"<span>gap <b>{apart}</b>{told}: <b>{text(gap.highest[:60])}</b> over"
        f" <b>{text(gap.lowest[:60])}</b>{', paired' if gap.paired else ''}</span>"
    )


def _estimate(each: SliceSummary, *, rate: bool) -> Estimate:
    return (each.pass_rate if rate else each.mean) or Estimate(value=0.0)


def _top(found: list[SliceSummary], check: CheckSummary, *, rate: bool) -> float:
    if rate:
        return 1.0
    ends = [
        end
        for each in found
        if each.mean is not None
        for end in (each.mean.value, each.mean.high)
        if end is not None
    ]
    highest = max(ends, default=1.0)
    return 1.0 if not check.unit and highest <= 1 else highest * 1.05 or 1.0
