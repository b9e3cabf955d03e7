"""A comparison of two runs as Markdown, for a comment on a pull request.

What comes from a model, a dataset or a suite stands in code only, as in the
report. The whole is bounded: some cases of every kind, their texts cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llmops.core.files import write_text
from llmops.evals.render.comparison_words import (
    CHANGE_SYMBOLS,
    aggregate_of,
    by_weight,
    changed_by,
    confidence,
    covered,
    effort_change,
    effort_name,
    effort_share,
    effort_value,
    headline,
    headlines,
    interval_of,
    p_value,
    turned,
    value,
)
from llmops.evals.render.figures import NOTHING, SYMBOLS, as_text, plural
from llmops.evals.render.markdown_text import LONGEST, MARKS, MOST_ROWS, code, fenced, html, prose
from llmops.evals.render.turned_cases import Shown, expected_text, first_of_each, marks
from llmops.evals.results import CaseResult, Change, Comparison, MetricComparison, Turn

CASES = 5
"""Cases of every kind that are shown in full."""

LONGEST_ANSWER = 1_200
"""Characters of one answer."""

_COLUMN = 58
"""Characters of a line in one of two columns; GitHub wraps nothing in code."""

_SIGNS = {
    Turn.NEWLY_FAILING: SYMBOLS["failed"],
    Turn.NEWLY_PASSING: SYMBOLS["passed"],
    Turn.FLAKY: "~",
    Turn.BROKEN: SYMBOLS["error"],
}


def write_comparison_markdown(comparison: Comparison, path: Path, *, title: str = "") -> None:
    """Write a comparison of at most 60,000 characters: verdict, metrics, cases that turned."""
    write_text(path, comparison_markdown(comparison, title=title))


def comparison_markdown(comparison: Comparison, *, title: str = "") -> str:
    """The whole comparison as a document of its own."""
    outcome = comparison.decision.outcome
    head = f"## {MARKS[outcome]} {outcome.capitalize()}"
    head += f": {code(title)}\n\n" if title else "\n\n"
    head += f"{code(comparison.base)} → {code(comparison.head)}\n\n"
    body = head + overview(comparison)
    return body + cases(comparison, room=LONGEST - len(body))


def overview(comparison: Comparison) -> str:
    """Verdict, metrics, what a case costs, notes: everything but the cases."""
    return "".join(
        [
            *_verdict(comparison),
            *_metrics(comparison),
            *_reasons(comparison),
            *_effort(comparison),
            *_notes(comparison),
        ]
    )


def cases(comparison: Comparison, *, room: int, most: int = CASES) -> str:
    """The cases that turned, newly failing first, as many as there is room for."""
    parts: list[str] = []
    left = room - 200
    last: Turn | None = None
    for each in first_of_each(comparison, most):
        turn = each.change.turn
        block = case_block(each)
        if turn is not last:
            block = _turn_heading(comparison, turn, most) + block
        if len(block) > left:
            break
        parts.append(block)
        left -= len(block)
        last = turn
    if not parts and any(comparison.turns.values()):
        return f"\n{_turns(comparison)}\n"
    return "".join(parts)


def _verdict(comparison: Comparison) -> Iterator[str]:
    yield f"{prose(comparison.decision.reason, 600)}\n\n"
    for metric in headlines(comparison):
        verdict = f"{CHANGE_SYMBOLS[metric.verdict]} {metric.verdict}"
        yield f"- **{verdict}** {_name(metric)} {headline(metric, comparison)}\n"
    yield f"\n{covered(comparison.coverage)}"
    if told := _turns(comparison):
        yield f" · {told}"
    yield "\n\n"


def _turns(comparison: Comparison) -> str:
    return ", ".join(f"{_SIGNS[turn]} {count:,} {turn}" for turn, count in turned(comparison))


def _metrics(comparison: Comparison) -> Iterator[str]:
    metrics = by_weight(comparison.metrics)
    if not metrics:
        return
    yield f"| Metric | Base | Head | Difference | {confidence(comparison)} interval | Pairs | p |"
    yield " Verdict |\n|:--|--:|--:|--:|:--:|--:|--:|:--|\n"
    for metric in metrics[:MOST_ROWS]:
        # What Holm made of it decides, where the metric is one of those that do.
        p = metric.p_value if metric.p_adjusted is None else metric.p_adjusted
        cells = [
            _name(metric),
            value(metric.base, metric),
            value(metric.head, metric),
            changed_by(metric),
            interval_of(metric) or NOTHING,
            f"{metric.pairs:,}",
            p_value(p),
            _verdict_cell(metric),
        ]
        yield f"| {' | '.join(cells)} |\n"
    if len(metrics) > MOST_ROWS:
        yield f"\n… and {plural(len(metrics) - MOST_ROWS, 'metric')} more\n"
    yield "\n"


def _name(metric: MetricComparison) -> str:
    of_slice = f", {code(metric.slice, 60)}" if metric.slice else ""
    return f"{code(metric.check, 60)} {aggregate_of(metric)}{of_slice}"


def _verdict_cell(metric: MetricComparison) -> str:
    said = f"{CHANGE_SYMBOLS[metric.verdict]} {metric.verdict}"
    if metric.verdict is Change.INCONCLUSIVE and metric.needed:
        said += f": needs {plural(metric.needed, 'case')}"
    return said if metric.gates else f"{said} (measured)"


def _reasons(comparison: Comparison) -> Iterator[str]:
    """Why metrics could not be judged; what the others say stands in the table."""
    broken = [
        each
        for each in by_weight(comparison.metrics)
        if each.gates and each.verdict is Change.ERROR and each.reason
    ]
    for metric in broken[:10]:
        yield f"- {_name(metric)}: {prose(metric.reason)}\n"
    if broken:
        yield "\n"


def _effort(comparison: Comparison) -> Iterator[str]:
    if not comparison.effort:
        return
    yield f"| A case costs | Base | Head | Change | {confidence(comparison)} interval |\n"
    yield "|:--|--:|--:|--:|:--:|\n"
    for effort in comparison.effort[:MOST_ROWS]:
        change, low_high = effort_change(effort)
        share = effort_share(effort)
        cells = [
            html(effort_name(effort), 40),
            effort_value(effort.base, effort),
            effort_value(effort.head, effort),
            f"{change} ({share})" if share else change,
            low_high or NOTHING,
        ]
        yield f"| {' | '.join(cells)} |\n"
    yield "\n"


def _notes(comparison: Comparison) -> Iterator[str]:
    for note in comparison.notes[:20]:
        yield f"> {prose(note)}\n\n"


def _turn_heading(comparison: Comparison, turn: Turn, most: int) -> str:
    count = comparison.turns.get(turn, 0)
    which = f", the first {most}" if count > most else ""
    return f"\n**{_SIGNS[turn]} {plural(count, 'case')} {turn}{which}**\n\n"


def case_block(shown: Shown) -> str:
    """A case that turned: its input, and both answers side by side."""
    change = shown.change
    blamed = ", ".join(f"<code>{html(each, 60)}</code>" for each in change.checks[:8])
    repeats = f"{marks(change.base, change.checks)} → {marks(change.head, change.checks)}"
    lines = [f"<details><summary>{_SIGNS[change.turn]} <code>{html(change.case, 80)}</code>"]
    lines.append(f" {repeats} {blamed}</summary>\n\n")
    if shown.either is not None:
        for key, given in list(shown.either.inputs.items())[:6]:
            lines += [f"{code(key, 60)}:\n", fenced(as_text(given), most=800)]
        if shown.either.expected is not None:
            lines += ["expected:\n", fenced(expected_text(shown.either), most=400)]
    # A blank line ends what HTML began, so that the blocks of code are read as such.
    lines.append("<table><tr><th>base</th><th>head</th></tr><tr><td>\n")
    lines.append(_answer(shown.base))
    lines.append("</td><td>\n")
    lines.append(_answer(shown.head))
    lines.append("</td></tr></table>\n\n</details>\n")
    return "".join(lines)


def _answer(result: CaseResult | None) -> str:
    if result is None:
        return "\nnot run\n\n"
    if result.output is None:
        return f"\nno answer:\n{fenced(result.error or 'no reason given', width=_COLUMN)}"
    shown = fenced(result.output, most=LONGEST_ANSWER, width=_COLUMN)
    worst = [each for each in result.verdicts if each.outcome in ("failed", "error")][:3]
    return shown + "".join(
        f"{SYMBOLS[each.outcome]} {code(each.check, 40)} {code(why, 120)}\n\n"
        for each in worst
        if (why := each.score.rationale)
    )
