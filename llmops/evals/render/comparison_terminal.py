"""A comparison on a terminal: verdict, metrics, cost, the first case that turned, what to do next.

Laid out as plain text first, so that it says the same without colour and when
piped; rich only adds the colours, and is imported only for a terminal.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llmops.evals.render import comparison_words as words
from llmops.evals.render import turned_cases
from llmops.evals.render.figures import SYMBOLS, WORDS, as_text, one_line, plural, printable
from llmops.evals.render.lines import NARROW, STYLES, WIDE, Line, cells, labelled, padded, wrapped
from llmops.evals.results import Comparison, MetricComparison, Turn

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("metric", "base", "head", "difference", "n", "p", "verdict")


def print_comparison(
    comparison: Comparison, console: Console | None = None, *, more: str = ""
) -> None:
    """Print how two runs compare; `more` is the command that shows every case that turned.

    Without a console, to standard output: coloured on a terminal, plain elsewhere.
    """
    if console is None and not sys.stdout.isatty():
        sys.stdout.write(comparison_text(comparison, more=more))
        return
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    for text, style in comparison_lines(comparison, width=console.width, more=more):
        console.print(Text(text, style=STYLES.get(style, "")), soft_wrap=True)


def comparison_text(comparison: Comparison, *, width: int | None = None, more: str = "") -> str:
    """What `print_comparison` prints, without colour."""
    columns = width or shutil.get_terminal_size((80, 24)).columns
    lines = comparison_lines(comparison, width=columns, more=more)
    return "".join(f"{text}\n" for text, _ in lines)


def comparison_lines(comparison: Comparison, *, width: int, more: str = "") -> Iterator[Line]:
    """The comparison, line by line; the table is as wide as its numbers."""
    width = min(max(width, NARROW), WIDE) - 1
    outcome = comparison.decision.outcome
    yield f"{SYMBOLS[outcome]} {WORDS[outcome]}  {_sides(comparison, width - 16)}", outcome
    yield from wrapped(comparison.decision.reason, width, indent="  ")
    yield from comparison_body(comparison, width, more=more)


def comparison_body(comparison: Comparison, width: int, *, more: str = "") -> Iterator[Line]:
    """What stands below the verdict: how it was compared, metrics, cost, the cases that turned."""
    yield from _terms(comparison, width)
    yield "", ""
    yield from _metrics(comparison, width)
    yield from _open_reasons(comparison, width)
    if comparison.effort:
        yield "", ""
        yield from _effort(comparison, width)
    yield from _turned(comparison, width, more)


def _sides(comparison: Comparison, width: int) -> str:
    return one_line(f"{printable(comparison.base)} → {printable(comparison.head)}", width)


def _terms(comparison: Comparison, width: int) -> Iterator[Line]:
    yield from wrapped(
        f"{words.covered(comparison.coverage)}; intervals at {words.confidence(comparison)}",
        width,
        indent="  ",
        style="quiet",
    )
    if comparison.same_subject:
        said = "both sides asked the same of the same model: what differs is noise"
        yield from wrapped(said, width, indent="  ", style="quiet")
    for note in comparison.notes:
        yield from wrapped(note, width, indent="  ", style="quiet")


def _metrics(comparison: Comparison, width: int) -> Iterator[Line]:
    metrics = words.by_weight(comparison.metrics)
    rows = [HEADINGS, *(_row(metric) for metric in metrics)]
    tones = ["quiet", *(_tone(metric) for metric in metrics)]
    yield from _table(rows, tones, width)
    if not all(metric.gates for metric in metrics):
        yield "  in brackets: measured, the decision does not look at it", "quiet"


def _row(metric: MetricComparison) -> tuple[str, ...]:
    name = f"{metric.check} {words.aggregate_of(metric)}"
    if metric.slice:
        name += f" [{metric.slice}]"
    p_value = metric.p_adjusted if metric.gates else metric.p_value
    verdict = f"{words.CHANGE_SYMBOLS[metric.verdict]} {metric.verdict.value}"
    return (
        name,
        words.value(metric.base, metric),
        words.value(metric.head, metric),
        _difference(words.changed_by(metric), words.interval_of(metric)),
        f"{metric.pairs:,}",
        words.p_value(p_value),
        verdict if metric.gates else f"({metric.verdict.value})",
    )


def _difference(value: str, interval: str) -> str:
    """A difference with its interval, the unit once: `-3.1 [-5.2, -1.0] points`."""
    if not interval:
        return value
    number, _, unit = value.partition(" ")
    low, _, high = interval.partition(" to ")
    if unit and high.endswith(f" {unit}") and " " not in low:
        return f"{number} [{low}, {high.removesuffix(f' {unit}')}] {unit}"
    return f"{value} [{low}, {high}]"


def _tone(metric: MetricComparison) -> str:
    tone = words.CHANGE_TONES[metric.verdict]
    return tone if metric.gates and tone in STYLES else ""


def _table(rows: Sequence[tuple[str, ...]], tones: Sequence[str], width: int) -> Iterator[Line]:
    """Aligned columns: names and verdicts to the left, numbers to the right.

    A name that leaves no room for its numbers stands on a line of its own.
    """
    widths = [max(cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    spare = width - sum(widths) - 2 * len(widths)
    widths[0] = max(widths[0] + min(spare, 0), 6)
    for row, tone in zip(rows, tones, strict=True):
        name = printable(row[0])
        if cells(name) > widths[0]:
            yield f"  {one_line(name, width - 2)}", tone
            name = ""
        numbers = zip(row[1:-1], widths[1:-1], strict=True)
        told = [padded(name, widths[0])]
        told += [padded(cell, wide, right=True) for cell, wide in numbers]
        yield f"  {'  '.join([*told, row[-1]])}".rstrip(), tone


def _open_reasons(comparison: Comparison, width: int) -> Iterator[Line]:
    """Why the other metrics that gate are not decided, or lost."""
    for metric in words.by_weight(comparison.metrics):
        tone = words.CHANGE_TONES[metric.verdict]
        if metric.gates and tone in SYMBOLS and tone != "passed":
            if comparison.decision.reason.startswith(metric.reason):
                continue
            yield from wrapped(
                f"{SYMBOLS[tone]} {metric.reason}", width, indent="  ", style="quiet"
            )


def _effort(comparison: Comparison, width: int) -> Iterator[Line]:
    rows = [("a case", "base", "head", "difference", "n", "")]
    for effort in comparison.effort:
        changed, interval = words.effort_change(effort)
        share = words.effort_share(effort)
        rows.append(
            (
                words.effort_name(effort),
                words.effort_value(effort.base, effort),
                words.effort_value(effort.head, effort),
                _difference(changed, interval),
                f"{effort.pairs:,}",
                share,
            )
        )
    yield from _table(rows, ["quiet", *[""] * len(comparison.effort)], width)


def _turned(comparison: Comparison, width: int, more: str) -> Iterator[Line]:
    turned = words.turned(comparison)
    if not turned:
        return
    yield "", ""
    counts = ", ".join(f"{count:,} {turn.value}" for turn, count in turned)
    total = sum(count for _, count in turned)
    yield f"  {plural(total, 'case')} turned: {counts}", "head"
    if comparison.turns.get(Turn.NEWLY_FAILING):
        first = next(iter(comparison.changes()), None)
        if first is not None:
            yield from _case(turned_cases.shown(first), width)
    if more:
        yield "", ""
        yield f"  every case  {printable(more)}", ""


def _case(shown: turned_cases.Shown, width: int) -> Iterator[Line]:
    change = shown.change
    title = f"first {change.turn.value}: {one_line(change.case, width - 30)}"
    yield f"{SYMBOLS['failed']} {title}", "failed"
    told = [("in", ", ".join(change.checks))]
    if shown.either is not None:
        told += [(key, as_text(value)) for key, value in list(shown.either.inputs.items())[:3]]
        if shown.either.expected is not None:
            told.append(("expected", turned_cases.expected_text(shown.either)))
    for side, result, repeats in (
        ("base", shown.base, change.base),
        ("head", shown.head, change.head),
    ):
        if result is not None:
            marks = f"{turned_cases.marks(repeats, change.checks)} " if len(repeats) > 1 else ""
            text = result.error if result.output is None else result.output or "(empty)"
            told.append((side, f"{marks}{text or ''}"))
            because = [
                verdict.score.rationale
                for verdict in result.verdicts
                if verdict.check in change.checks and verdict.score.rationale
            ]
            if because and side == "head":
                told.append(("because", because[0]))
    for label, text in told:
        yield from labelled(label, text, width)
