"""The end of a run on a terminal: verdict, checks, gate, the first failure, what to do next.

Laid out as plain text first, so that it says the same without colour and when
piped; rich only adds the colours, and is imported only for a terminal.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.core.scoring import Outcome, Verdict
from llmops.evals.render.comparison_terminal import comparison_body
from llmops.evals.render.figures import (
    AGGREGATES,
    NOTHING,
    SYMBOLS,
    WORDS,
    as_text,
    case_name,
    check_outcome,
    duration,
    gate_value,
    interval,
    money,
    one_line,
    plural,
    printable,
    score,
    subject_name,
)
from llmops.evals.render.judge_health import judges
from llmops.evals.render.lines import (
    NARROW,
    STYLES,
    WIDE,
    Line,
    cells,
    labelled,
    padded,
    wrapped,
)
from llmops.evals.results import CaseResult, CheckSummary, GateLine, Report, Summary

if TYPE_CHECKING:
    from rich.console import Console


def print_summary(
    report: Report, console: Console | None = None, *, folder: Path | None = None
) -> None:
    """Print how the run came out; `folder` is where its reports lie, if they were written.

    Without a console, to standard output: coloured on a terminal, plain elsewhere.
    """
    if console is None and not sys.stdout.isatty():
        sys.stdout.write(summary_text(report, folder=folder))
        return
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    for text, style in summary_lines(report, width=console.width, folder=folder):
        console.print(Text(text, style=STYLES[style]), soft_wrap=True)


def summary_text(report: Report, *, width: int | None = None, folder: Path | None = None) -> str:
    """What `print_summary` prints, without colour."""
    columns = width or shutil.get_terminal_size((80, 24)).columns
    lines = summary_lines(report, width=columns, folder=folder)
    return "".join(f"{text}\n" for text, _ in lines)


def summary_lines(report: Report, *, width: int, folder: Path | None = None) -> Iterator[Line]:
    """The summary, line by line, none wider than `width` where words allow."""
    summary = report.summary
    width = min(max(width, NARROW), WIDE) - 1
    yield from _verdict(summary, width)
    yield "", ""
    yield from _checks(summary, width)
    for name, health in judges(summary):
        told = f"judge of {printable(name)}: {health}"
        yield from wrapped(told, width, indent="  ", style="quiet")
    comparison = report.comparison
    if comparison is not None:
        yield "", ""
        yield f"  compared with {printable(comparison.base)}", "head"
        yield from comparison_body(comparison, width)
    # What may be lost stands in the table above, each with its verdict.
    lines = [
        each for each in summary.decision.lines if not (comparison and each.aggregate == "drop")
    ]
    if lines:
        yield "", ""
        yield from _gate(summary, lines, width)
    found = None if summary.decision.outcome == "passed" or comparison else _first(report)
    if found:
        yield "", ""
        yield from _failure(*found, summary, width)
    yield "", ""
    yield from _commands(summary, folder, found[0].case if found else None)


def _verdict(summary: Summary, width: int) -> Iterator[Line]:
    outcome = summary.decision.outcome
    yield f"{SYMBOLS[outcome]} {WORDS[outcome]}  {one_line(summary.suite, width - 20)}", outcome
    yield from wrapped(summary.decision.reason, width, indent="  ")
    size = plural(summary.cases, "case")
    if summary.repeats > 1:
        size += f", {summary.repeats} times each"
    facts = [size, plural(summary.calls, "call")]
    if summary.cached:
        facts.append(f"{summary.cached:,} from the cache")
    tokens = summary.usage.input_tokens + summary.usage.output_tokens
    facts.append(plural(tokens, "token"))
    if summary.usage.cost is not None:
        facts.append(f"cost {money(summary.usage.cost)}")
    facts.append(duration(summary.seconds))
    yield from wrapped("; ".join(facts), width, indent="  ", style="quiet")
    if subject := subject_name(summary):
        yield from wrapped(subject, width, indent="  ", style="quiet")


HEADINGS = ("check", "mean", "95 % interval", "pass", "fail", "unscored", "error", "rule")


def _checks(summary: Summary, width: int) -> Iterator[Line]:
    rows = [HEADINGS, *(_check_row(check) for check in summary.checks)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(HEADINGS))]
    spare = width - sum(widths) - 2 * (len(widths) - 1) - 2
    widths[0] = max(widths[0] + min(spare, 0), 8)
    for index, row in enumerate(rows):
        if cells(row[0]) > widths[0]:
            yield f"  {one_line(row[0], width - 2)}", ""
            row = ("", *row[1:])
        told = [padded(printable(row[0]), widths[0])]
        numbers = zip(row[1:-1], widths[1:-1], strict=True)
        told += [padded(cell, wide, right=True) for cell, wide in numbers]
        text = "  ".join([*told, row[-1]]).rstrip()
        if index == 0:
            yield f"  {text}", "quiet"
            continue
        outcome = check_outcome(summary.checks[index - 1], summary)
        yield f"{SYMBOLS[outcome] if outcome else ' '} {text}", outcome or ""


def _check_row(check: CheckSummary) -> tuple[str, ...]:
    counts = (check.passed, check.failed, check.unscored, check.errors)
    return (
        check.name,
        score(check.mean.value if check.mean else None, check.unit),
        interval(check.mean, check.unit),
        *(f"{count:,}" if count else NOTHING for count in counts),
        check.rule or "measured",
    )


def _gate(summary: Summary, lines: Sequence[GateLine], width: int) -> Iterator[Line]:
    yield "  gate", "head"
    names = [f"{line.check} {AGGREGATES.get(line.aggregate, line.aggregate)}" for line in lines]
    longest = min(max(cells(name) for name in names), width // 2)
    values = [gate_value(line, summary) for line in lines]
    widest = max(cells(value) for value in values)
    for line, name, value in zip(lines, names, values, strict=True):
        told = padded(one_line(name, longest), longest)
        text = f"{told}  {padded(value, widest, right=True)}  {line.rule}"
        yield f"{SYMBOLS[line.outcome]} {text}", line.outcome
        if line.outcome != "passed" and line.reason != summary.decision.reason:
            yield from wrapped(line.reason, width, indent="    ", style="quiet")


def _first(report: Report) -> tuple[CaseResult, Verdict | None] | None:
    """The first case that failed a check, or else the first that broke, or was not scored."""
    blamed = _blamed(report.summary)
    rank = {Outcome.FAILED: 1, Outcome.ERROR: 2, Outcome.UNSCORED: 3, Outcome.PASSED: 4}
    best: tuple[CaseResult, Verdict | None] | None = None
    lowest = 4
    for result in report.results():
        if result.error is not None and lowest > rank[Outcome.ERROR]:
            best, lowest = (result, None), rank[Outcome.ERROR]
        for verdict in result.verdicts:
            at = rank[verdict.outcome]
            if at == 1 and verdict.check in blamed:
                return result, verdict
            if at < lowest:
                best, lowest = (result, verdict), at
        if not blamed and best:
            break
    return best


def _blamed(summary: Summary) -> set[str]:
    """The checks with failures that the gate blames, or all with failures if it blames none."""
    failing = {check.name for check in summary.checks if check.failed}
    by_gate = {line.check for line in summary.decision.lines if line.outcome == "failed"}
    return failing & by_gate or failing


def _failure(
    result: CaseResult, verdict: Verdict | None, summary: Summary, width: int
) -> Iterator[Line]:
    outcome = verdict.outcome if verdict else Outcome.ERROR
    title = {"failed": "first failure", "error": "first error"}.get(outcome, "first unscored")
    name = case_name(result.case, result.repeat, summary.repeats)
    yield f"{SYMBOLS[outcome]} {title}: {one_line(name, width - 20)}", outcome
    told: list[tuple[str, str]] = []
    if verdict:
        check = next((each for each in summary.checks if each.name == verdict.check), None)
        said = f"{verdict.check} {score(verdict.score.value, check.unit if check else '')}"
        if verdict.score.value is not None and check and check.rule:
            said += f", asked for {check.rule}"
        told.append(("score", said))
        told.append(("because", verdict.score.rationale))
    if result.error:
        told.append(("error", result.error))
    told += [(key, as_text(value)) for key, value in list(result.inputs.items())[:3]]
    if result.expected is not None:
        told.append(("expected", as_text(result.expected)))
    if result.output is not None:
        told.append(("output", result.output or "(empty)"))
    for label, text in told:
        if text:
            yield from labelled(label, text, width)


_PLAIN_NAME = re.compile(r"[\w./:@+-]+")
"""Names that select one case and nothing else, and that a shell leaves alone."""


def _commands(summary: Summary, folder: Path | None, case: str | None) -> Iterator[Line]:
    if folder is not None:
        yield f"  page    {folder / 'report.html'}", ""
        yield f"  cases   {folder / 'report.json'}", ""
    yield f"  again   {printable(summary.command)}", ""
    if case is not None and _PLAIN_NAME.fullmatch(case):
        yield f"  case    {printable(summary.command)} --select case:{case}", ""
