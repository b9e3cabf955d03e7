"""Scores against latency: whether what takes longer is better, and what is slow and bad."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator

from llmops.core.scoring import Outcome
from llmops.evals.render.charts import WIDTH
from llmops.evals.render.escaping import text
from llmops.evals.render.figures import plural, score
from llmops.evals.results import CaseResult, CheckSummary

MOST_POINTS = 2_000
"""Points that are drawn one by one; more of them are counted in cells."""

MOST_CHECKS = 6
COLUMNS, ROWS = 48, 20
_TALL = 300
_EDGE = 12
_SIDES = ("passed", "failed", "neutral")
_WIDE_SPREAD = 20.0
"""Longest over median latency beyond which the axis is logarithmic."""


class Scatter:
    """Collects latency and score of every answer: two numbers a check, however long the answers."""

    def __init__(self, checks: Iterable[CheckSummary]):
        # Against time itself, and where all scores are one, there is nothing to see.
        chosen = [check for check in checks if check.unit != "s" and _spread(check)]
        self._checks = {check.name: check for check in chosen[:MOST_CHECKS]}
        self._points = {name: _Points() for name in self._checks}

    def add(self, result: CaseResult) -> None:
        """Take one answer; one whose latency is not known has no point."""
        if result.latency is None:
            return
        for verdict in result.verdicts:
            points = self._points.get(verdict.check)
            if points is not None and verdict.score.value is not None:
                check = self._checks[verdict.check]
                points.add(result.latency, verdict.score.value, _side(verdict.outcome, check))

    def html(self) -> str:
        """A plot a check; empty where there are no points."""
        plots = "".join(
            _figure(check, self._points[name])
            for name, check in self._checks.items()
            if len(self._points[name].latencies) > 1
        )
        if not plots:
            return ""
        return (
            '<section aria-labelledby="latency"><h2 id="latency">Score against latency</h2>'
            f'<div class="scatters">{plots}</div></section>'
        )


class _Points:
    def __init__(self) -> None:
        self.latencies = array("f")
        self.scores = array("f")
        self.sides = array("b")

    def add(self, latency: float, value: float, side: int) -> None:
        self.latencies.append(latency)
        self.scores.append(value)
        self.sides.append(side)


class _Axis:
    """A scale from 0 to 1 over the values, logarithmic where a few would squeeze all others."""

    def __init__(self, values: array[float], *, may_bend: bool = False):
        self.low, self.high = min(values), max(values)
        middle = sorted(values)[len(values) // 2]
        self.bent = may_bend and self.low > 0 and self.high > _WIDE_SPREAD * middle
        self._from, self._to = self._bend(self.low), self._bend(self.high)

    def __call__(self, value: float) -> float:
        span = self._to - self._from
        return (self._bend(value) - self._from) / span if span else 0.5

    def _bend(self, value: float) -> float:
        return math.log(value) if self.bent else value


def _figure(check: CheckSummary, points: _Points) -> str:
    across = _Axis(points.latencies, may_bend=True)
    up = _Axis(points.scores)
    many = len(points.latencies) > MOST_POINTS
    drawn = "".join(_cells(points, across, up) if many else _dots(points, across, up))
    scale = "time, logarithmic" if across.bent else "time"
    how = f"{plural(len(points.latencies), 'answer')}{', counted in cells' if many else ''}"
    return (
        f'<figure class="scatter card"><h3>{text(check.name[:80])}</h3><div class="field">'
        f'<span class="top">{score(up.high, check.unit)}</span>'
        f'<span class="bottom">{score(up.low, check.unit)}</span>'
        f'<svg viewBox="0 0 {WIDTH} {_TALL}" preserveAspectRatio="none" role="img"'
        f' aria-label="Scores against latency">{drawn}</svg></div>'
        f"<figcaption><span>{score(across.low, 's')}</span><span>{scale} · {how}</span>"
        f"<span>{score(across.high, 's')}</span></figcaption></figure>"
    )


def _dots(points: _Points, across: _Axis, up: _Axis) -> Iterator[str]:
    """A path a colour: lines without length, whose round ends are the dots."""
    drawn: dict[int, list[str]] = {}
    for latency, value, side in zip(points.latencies, points.scores, points.sides, strict=True):
        x, y = _place(across(latency), up(value))
        drawn.setdefault(side, []).append(f"M{x:.0f} {y:.0f}h0")
    for side, steps in sorted(drawn.items()):
        yield f'<path class="{_SIDES[side]}" d="{"".join(steps)}"/>'


def _cells(points: _Points, across: _Axis, up: _Axis) -> Iterator[str]:
    """A rectangle a cell, the darker the more answers lie in it."""
    counts: Counter[tuple[int, int, int]] = Counter()
    for latency, value, side in zip(points.latencies, points.scores, points.sides, strict=True):
        column = min(int(across(latency) * COLUMNS), COLUMNS - 1)
        row = min(int((1 - up(value)) * ROWS), ROWS - 1)
        counts[column, row, side] += 1
    totals: Counter[tuple[int, int]] = Counter()
    for (column, row, _), count in counts.items():
        totals[column, row] += count
    most = math.log1p(max(totals.values()))
    wide, tall = WIDTH / COLUMNS, _TALL / ROWS
    for (column, row), total in sorted(totals.items()):
        side = max(range(3), key=lambda each: counts[column, row, each])
        yield (
            f'<rect class="{_SIDES[side]}" x="{column * wide:.1f}" y="{row * tall:.1f}"'
            f' width="{wide:.1f}" height="{tall:.1f}"'
            f' opacity="{0.18 + 0.82 * math.log1p(total) / most:.2f}">'
            f"<title>{plural(total, 'answer')}</title></rect>"
        )


def _place(x: float, y: float) -> tuple[float, float]:
    """Within the edges, so that no dot is cut in half."""
    return (
        _EDGE + x * (WIDTH - 2 * _EDGE),
        _EDGE + (1 - y) * (_TALL - 2 * _EDGE),
    )


def _side(outcome: Outcome, check: CheckSummary) -> int:
    if check.rule is None:
        return 2
    return 0 if outcome is Outcome.PASSED else 1


def _spread(check: CheckSummary) -> bool:
    return check.quantiles.get("min") != check.quantiles.get("max")
