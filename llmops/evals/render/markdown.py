"""The report as Markdown, for a job summary or a comment on a pull request.

What comes from a model, a dataset or a suite stands in code only: there it
cannot end a table, start a link or an image, hide as HTML or mention anybody.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from llmops.core.errors import UsageError
from llmops.core.scoring import Outcome, Rule, Verdict
from llmops.evals.render import write_report
from llmops.evals.render.comparison_markdown import cases, overview
from llmops.evals.render.figures import (
    AGGREGATES,
    NOTHING,
    SYMBOLS,
    Tally,
    as_text,
    case_name,
    duration,
    gate_value,
    interval,
    money,
    percent,
    plural,
    score,
    subject_name,
)
from llmops.evals.render.judge_health import judges
from llmops.evals.render.markdown_text import LONGEST, MARKS, MOST_ROWS, code, fenced, html, prose
from llmops.evals.render.rows import Row
from llmops.evals.results import CaseResult, Report, Summary

WORST = 10
"""Cases that are shown in full."""


def write_markdown(report: Report, path: Path) -> None:
    """Write a summary of at most 60,000 characters: verdict, checks, gate, the worst cases."""
    write_report(report, "markdown", path)


class MarkdownWriter:
    """Keeps the worst cases while they pass by, and writes all of it at the end."""

    def __init__(self, report: Report, file: IO[str]):
        summary = report.summary
        self._summary = summary
        self._file = file
        self._tally = Tally()
        self._rules = _rules(summary)
        self._comparison = report.comparison
        self._worst: list[tuple[float, int, CaseResult]] = []

    def add(self, row: Row) -> None:
        """Count one case, and keep it if it is among the worst so far."""
        self._tally.add(row.outcome)
        if row.outcome is Outcome.PASSED or row.outcome is Outcome.UNSCORED:
            return
        # The earlier of two equally bad cases is kept.
        entry = (self._badness(row.result), -self._tally.total, row.result)
        if len(self._worst) < WORST:
            heapq.heappush(self._worst, entry)
        elif entry[:2] > self._worst[0][:2]:
            heapq.heapreplace(self._worst, entry)

    def _badness(self, result: CaseResult) -> float:
        """How far the failed scores are from their rules, each at most 1; errors come last."""
        missed = 0.0
        for verdict in result.verdicts:
            value, rule = verdict.score.value, self._rules.get(verdict.check)
            if verdict.outcome is Outcome.FAILED and value is not None and rule:
                size = max(abs(value), abs(rule.bound), 1e-9)
                missed += 0.01 + min(abs(value - rule.bound) / size, 1)
        return missed

    def finish(self) -> None:
        """Write the document, leaving out what does not fit."""
        left = LONGEST - 200
        parts = [*self._head(), *self._checks(), *self._judges(), *self._gate()]
        if self._comparison is not None:
            parts += [f"\n### Compared with {code(self._comparison.base)}\n\n"]
            parts += [overview(self._comparison)]
        shown = sorted(self._worst, key=lambda entry: (-entry[0], -entry[1]))
        blocks = [self._case(result) for _, _, result in shown]
        ending = "".join(self._ending())
        text = "".join(parts)
        left -= len(text) + len(ending)
        if self._comparison is not None:  # what turned says more than what fails on both sides
            self._file.write(text + cases(self._comparison, room=left) + ending)
            return
        kept: list[str] = []
        for block in blocks:
            if len(block) > left:
                break
            kept.append(block)
            left -= len(block)
        self._file.write(text + self._worst_heading(len(kept)) + "".join(kept) + ending)

    def _head(self) -> Iterator[str]:
        summary, decision = self._summary, self._summary.decision
        yield f"## {MARKS[decision.outcome]} {decision.outcome.capitalize()}: "
        yield f"{code(summary.suite)}\n\n{code(decision.reason, 600)}\n\n"
        counts = self._tally.counts
        told = [f"{SYMBOLS[name]} {count:,} {name}" for name, count in counts.items() if count]
        yield f"{plural(self._tally.total, 'result')}: {', '.join(told) or 'none'}"
        yield f" · {plural(summary.calls, 'call')}, {summary.cached:,} from the cache"
        usage = summary.usage
        yield f" · {plural(usage.input_tokens + usage.output_tokens, 'token')}"
        if usage.cost is not None:
            yield f" · cost {money(usage.cost)}"
        yield f" · {duration(summary.seconds)}\n\n"

    def _checks(self) -> Iterator[str]:
        checks = self._summary.checks
        yield "| Check | Mean | 95 % interval | Pass rate | Passed | Failed | Unscored | Errors |"
        yield " Rule |\n|:--|--:|:--:|--:|--:|--:|--:|--:|:--|\n"
        for check in checks[:MOST_ROWS]:
            counts = (check.passed, check.failed, check.unscored, check.errors)
            cells = [
                code(check.name, 60),
                score(check.mean.value, check.unit) if check.mean else NOTHING,
                interval(check.mean, check.unit) or NOTHING,
                percent(check.pass_rate.value if check.pass_rate else None),
                *(f"{count:,}" for count in counts),
                code(check.rule) if check.rule else "measured",
            ]
            yield f"| {' | '.join(cells)} |\n"
        yield _left_out(len(checks) - MOST_ROWS, "check")

    def _judges(self) -> Iterator[str]:
        told = [f"- {code(name, 60)}: {prose(health)}\n" for name, health in judges(self._summary)]
        if told:
            yield "".join(["**Judges**\n\n", *told[:MOST_ROWS], "\n"])

    def _gate(self) -> Iterator[str]:
        lines = self._summary.decision.lines
        if not lines:
            return
        yield "\n| Gate | Value | Asked for | Outcome |\n|:--|--:|:--|:--|\n"
        for line in lines[:MOST_ROWS]:
            told = "" if line.outcome == "passed" else f": {code(line.reason, 200)}"
            name = f"{code(line.check, 60)} {AGGREGATES.get(line.aggregate, line.aggregate)}"
            cells = [name, gate_value(line, self._summary), code(line.rule)]
            cells.append(f"{SYMBOLS[line.outcome]} {line.outcome}{told}")
            yield f"| {' | '.join(cells)} |\n"
        yield _left_out(len(lines) - MOST_ROWS, "threshold")

    def _worst_heading(self, shown: int) -> str:
        counts = self._tally.counts
        bad = counts[Outcome.FAILED] + counts[Outcome.ERROR]
        if not bad:
            return ""
        which = "all of them" if shown == bad else f"the worst {shown}"
        return f"\n### {plural(bad, 'case')} failed or broke; {which}:\n\n"

    def _case(self, result: CaseResult) -> str:
        name = case_name(result.case, result.repeat, self._summary.repeats)
        judged = [each for each in result.verdicts if each.outcome is not Outcome.PASSED]
        blamed = ", ".join(f"<code>{html(each.check, 60)}</code>" for each in judged[:8])
        lines = [f"<details><summary>{SYMBOLS[result.outcome]} <code>{html(name, 80)}</code>"]
        lines.append(f" {blamed}</summary>\n\n")
        if result.error:
            lines += ["error:\n", fenced(result.error)]
        lines += [self._verdict(verdict) for verdict in judged[:8]]
        lines.append("\n")
        for key, value in list(result.inputs.items())[:6]:
            lines += [f"{code(key, 60)}:\n", fenced(as_text(value))]
        if result.expected is not None:
            lines += ["expected:\n", fenced(as_text(result.expected))]
        if result.output is not None:
            lines += ["output:\n", fenced(result.output)]
        return "".join([*lines, "</details>\n"])

    def _verdict(self, verdict: Verdict) -> str:
        check = next((c for c in self._summary.checks if c.name == verdict.check), None)
        told = f"- {SYMBOLS[verdict.outcome]} {code(verdict.check, 60)}"
        if verdict.score.value is not None:
            told += f" {score(verdict.score.value, check.unit if check else '')}"
            told += f", asked for {code(check.rule)}" if check and check.rule else ""
        why = verdict.score.rationale
        return told + (f": {code(why, 300)}\n" if why else "\n")

    def _ending(self) -> Iterator[str]:
        summary = self._summary
        yield f"\n{code(subject_name(summary), 200)} · run {code(summary.run, 200)}\n\n"
        yield fenced(summary.command, language="sh")


def _rules(summary: Summary) -> dict[str, Rule]:
    found = {}
    for check in summary.checks:
        try:
            found[check.name] = Rule.parse(check.rule or "")
        except UsageError:
            continue
    return found


def _left_out(count: int, noun: str) -> str:
    return f"\n… and {plural(count, noun)} more\n" if count > 0 else ""
