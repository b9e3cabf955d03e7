"""The simulation's results as tables and as one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

SHOWN = (100, 200, 500, 1000)


def tables(results: dict[str, Any]) -> list[str]:
    once = [each for each in results["once"] if not each["churn"]]
    churned = [each for each in results["once"] if each["churn"]]
    return [
        f"Percent of {results['simulations']:,} simulated comparisons a point; base passes 90 %.",
        "",
        *_summary(once, churned, results["repeated"]),
        "",
        *_spent(results["repeated"]),
        "",
        "At least one of ten metrics called a regression, none being one; 2 % flake.",
        "",
        *_several(results["several"]),
        "",
        "Called a regression, by points lost; margin 2 points. Up to 2 it is a false alarm.",
        "",
        *_verdicts(once, "margin 0.02", "regression"),
        "",
        "Called the same or better, by points lost; margin 2 points. From 2 on it is wrong.",
        "",
        *_verdicts(once, "margin 0.02", "same", "better"),
        "",
        "Called a regression, by points lost; margin 0.",
        "",
        *_verdicts(once, "margin 0", "regression"),
        "",
        "Red by what else is in use: unpaired z-test / below 90 % / 2 points below base.",
        "",
        *_others(once),
        "",
        "Called a regression by five rounds / by `repeat: auto`, and auto's share of the calls.",
        "",
        *_repeated(results["repeated"]),
    ]


def _summary(once: Any, churned: Any, repeated: Any) -> list[str]:
    unchanged = [each for each in [*once, *churned] if each["drop"] == 0]
    within = [each for each in once if 0 < each["drop"] <= 0.02]
    lost = [each for each in once if each["drop"] >= 0.02]
    rows = [
        ("false alarms, nothing lost: paired, margin 2 points", _most(unchanged, _ours)),
        ("the same, margin 0", _most(unchanged, _ours_zero)),
        ("false alarms, 1 or 2 points lost of the 2 allowed", _most(within, _ours)),
        ("passed although 2 points or more are lost", _most(lost, _passed)),
        ("false alarms of the unpaired z-test", _most(unchanged, lambda p: p["unpaired z-test"])),
        ("false alarms of `below 90 %`", _most(unchanged, lambda p: p["below 90 %"])),
        (
            "false alarms of `2 points below base`",
            _most(unchanged, lambda p: p["2 points below base"]),
        ),
        (
            "false alarms of `repeat: auto` (up to the margin)",
            _most((p for p in repeated if p["drop"] <= 0.02), lambda p: p["auto"]["regression"]),
        ),
        (
            "the same of five rounds",
            _most((p for p in repeated if p["drop"] <= 0.02), lambda p: p["five"]["regression"]),
        ),
        (
            "passed by `repeat: auto` although 2 points or more are lost",
            _most(
                (p for p in repeated if p["drop"] >= 0.02),
                lambda p: p["auto"]["same"] + p["auto"]["better"],
            ),
        ),
    ]
    return [
        "| over all points | at most |",
        "|---|--:|",
        *(f"| {name} | {share * 100:.1f} |" for name, share in rows),
    ]


def _spent(repeated: Any) -> list[str]:
    """What each way to repeat costs and sees."""
    flaky = [each for each in repeated if each["flake"]]
    lost = [each for each in flaky if each["drop"] > 0.02]
    kept = [each for each in flaky if each["drop"] == 0]
    within = [each for each in repeated if each["drop"] <= 0.02]
    beyond = [each for each in repeated if each["drop"] >= 0.02]
    rows = []
    for name, key in (("five rounds", "five"), ("two rounds", "two"), ("`repeat: auto`", "auto")):
        calls = {"five": lambda _: 1.0, "two": lambda _: 0.4}.get(key, lambda p: p["calls"])
        cells = (
            _mean([calls(each) for each in repeated]),
            _mean([calls(each) for each in flaky]),
            max(calls(each) for each in repeated),
            _mean([each[key]["regression"] for each in lost]),
            _mean([each[key]["same"] + each[key]["better"] for each in kept]),
            _most(within, lambda p, key=key: p[key]["regression"]),
            _most(beyond, lambda p, key=key: p[key]["same"] + p[key]["better"]),
        )
        rows.append(f"| {name} | " + " | ".join(f"{each * 100:.1f}" for each in cells) + " |")
    heading = (
        "| percent | calls, all points | calls, with flake | calls, most | losses seen "
        "| no loss seen | false alarms, most | wrongly passed, most |"
    )
    return [
        heading,
        "|---|" + "--:|" * 7,
        *rows,
    ]


def _several(points: Any) -> list[str]:
    return [
        "| cases | points lost in each | as the gate does it | without Holm |",
        "|--:|--:|--:|--:|",
        *(
            f"| {each['cases']:,} | {each['drop'] * 100:.0f} | {each['holm'] * 100:.1f} "
            f"| {each['unadjusted'] * 100:.1f} |"
            for each in points
        ),
    ]


def _ours(point: Any) -> float:
    return float(point["margin 0.02"]["regression"])


def _ours_zero(point: Any) -> float:
    return float(point["margin 0"]["regression"])


def _passed(point: Any) -> float:
    return float(point["margin 0.02"]["same"] + point["margin 0.02"]["better"])


def _most(points: Iterable[Any], share: Any) -> float:
    return max(share(point) for point in points)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _grid(points: Any) -> tuple[list[float], list[tuple[int, float]]]:
    drops = sorted({each["drop"] for each in points})
    return drops, list(dict.fromkeys((each["cases"], each["flake"]) for each in points))


def _rows(points: Any, cell: Any) -> list[str]:
    drops, worlds = _grid(points)
    at = {(each["cases"], each["flake"], each["drop"]): each for each in points}
    return [
        "| cases | flake | " + " | ".join(f"{drop * 100:.0f}" for drop in drops) + " |",
        "|--:|--:|" + "--:|" * len(drops),
        *(
            f"| {cases:,} | {flake * 100:.0f} % | "
            + " | ".join(cell(at[cases, flake, drop]) for drop in drops)
            + " |"
            for cases, flake in worlds
        ),
    ]


def _verdicts(points: Any, margin: str, *verdicts: str) -> list[str]:
    return _rows(points, lambda p: f"{sum(p[margin][each] for each in verdicts) * 100:.1f}")


def _others(points: Any) -> list[str]:
    names = ("unpaired z-test", "below 90 %", "2 points below base")
    return _rows(points, lambda p: " / ".join(f"{p[each] * 100:.0f}" for each in names))


def _repeated(points: Any) -> list[str]:
    return _rows(
        points,
        lambda p: (
            f"{p['five']['regression'] * 100:.0f} / {p['auto']['regression'] * 100:.0f}, "
            f"{p['calls'] * 100:.0f} %"
        ),
    )


# The picture

WIDTH, HEIGHT, PANEL, GAP, TOP = 1000, 330, 190, 48, 60
LINES = (
    ("paired, margin 2 points", "#1a7f37", lambda p: p["margin 0.02"]["regression"], ""),
    ("paired, margin 0", "#0969da", lambda p: p["margin 0"]["regression"], ""),
    ("unpaired z-test", "#9a6700", lambda p: p["unpaired z-test"], "6 3"),
    ("flat: below 90 %", "#cf222e", lambda p: p["below 90 %"], "2 3"),
)


def picture(results: dict[str, Any], flake: float = 0.02) -> str:
    """The share of runs that turn red by what was lost, as SVG; one panel a number of cases."""
    points = [each for each in results["once"] if not each["churn"] and each["flake"] == flake]
    sizes = [each for each in SHOWN if any(point["cases"] == each for point in points)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        '<g font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">',
        "<title>Share of runs called a regression, by how much was lost</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_legend(flake),
    ]
    for index, cases in enumerate(sizes):
        chosen = sorted((p for p in points if p["cases"] == cases), key=lambda p: p["drop"])
        parts += _panel(GAP + index * (PANEL + GAP), cases, chosen)
    return "\n".join([*parts, "</g></svg>", ""])


def _legend(flake: float) -> list[str]:
    told = f"Runs that turn red; base passes 90 %, {flake * 100:.0f} % of answers flip by chance"
    parts = [f'<text x="{GAP}" y="20" font-weight="600">{told}</text>']
    for index, (name, colour, _, dashes) in enumerate(LINES):
        x = GAP + index * 210
        parts.append(
            f'<line x1="{x}" y1="38" x2="{x + 26}" y2="38" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dashes}"/><text x="{x + 32}" y="42">{escape(name)}</text>'
        )
    return parts


def _panel(left: int, cases: int, points: Any) -> list[str]:
    bottom = TOP + PANEL
    most = max(point["drop"] for point in points) or 1
    parts = [f'<text x="{left}" y="{TOP + 4}" font-weight="600">{cases:,} cases</text>']
    top = TOP + 14
    for share in (0, 0.05, 0.5, 1):
        y = bottom - (bottom - top) * share
        parts.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{left + PANEL}" y2="{y:.1f}" stroke="#d1d9e0" '
            f'stroke-dasharray="{"4 3" if share == 0.05 else ""}"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#59636e" '
            f'font-size="10">{share * 100:.0f} %</text>'
        )
    for point in points:
        x = left + PANEL * point["drop"] / most
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#59636e" '
            f'font-size="10">{point["drop"] * 100:.0f}</text>'
        )
    for _, colour, share, dashes in LINES:
        path = " ".join(
            f"{left + PANEL * point['drop'] / most:.1f},"
            f"{bottom - (bottom - top) * share(point):.1f}"
            for point in points
        )
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dashes}"/>'
        )
    middle = left + PANEL / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{bottom + 34}" text-anchor="middle" fill="#59636e">'
        "points lost</text>"
    )
    return parts


def write_picture(results: dict[str, Any], path: Path) -> None:
    path.write_text(picture(results))
