"""A review as one comment on a pull request: what changed, what came of it, how to run it again.

The comment is bounded by what GitHub takes. The verdicts come before the cases
and the cases before the texts of prompts, so that what is left out is what
matters least; the page and the runs hold everything.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.evals.render.comparison_markdown import cases, overview
from llmops.evals.render.figures import SYMBOLS, plural
from llmops.evals.render.judge_health import judges
from llmops.evals.render.markdown_text import MARKS, code, fenced, prose
from llmops.evals.results import Comparison, Report
from llmops.prompts.comparison.diff import PromptDiff
from llmops.prompts.comparison.markdown import prompt_lines
from llmops.prompts.comparison.sentences import counted, verdict, versions
from llmops.review.results import Review, SuiteReview
from llmops.review.words import changed_files, coverage, order, touched_by

MARKER = "<!-- llmops:review -->"
"""The first line of the comment, by which the next run finds it."""

LONGEST = 65_536
"""Characters of a comment that GitHub takes."""

_SPARE = 1_000
MOST_ROWS = 50


def as_markdown(review: Review) -> str:
    """The comment, at most 65,536 characters."""
    ending = "".join(_ending(review))
    told = f"{MARKER}\n" + "".join([*_head(review), *_changes(review)])
    left = LONGEST - _SPARE - len(ending)
    if len(told) > left:  # names of a length that nobody needs
        told = told[:left].rpartition("\n")[0] + "\n"
    left -= len(told)
    suites = _suites(review, left)
    left -= len(suites)
    return told + suites + _prompts(review, left) + ending


def _head(review: Review) -> Iterator[str]:
    outcome = review.outcome if review.suites and review.ran else ""
    mark = f"{MARKS[outcome]} " if outcome else ""
    yield f"## {mark}Review{f': {outcome}' if outcome else ''}\n\n"
    yield f"{code(review.base)} → {code(review.head)}: {prose(review.reason, 600)}\n\n"
    if told := coverage(review):
        yield f"{told}\n\n"
    for note in review.notes[:10]:
        yield f"> {prose(note)}\n\n"


def _changes(review: Review) -> Iterator[str]:
    diffs = review.prompts.prompts if review.prompts else ()
    if diffs:
        yield "| Prompt | Version | Change | Tokens |\n|:--|:--|:--|--:|\n"
        for diff in diffs[:MOST_ROWS]:
            name = diff.before.name if diff.before else diff.name
            cells = (code(name, 100), versions(diff), f"**{verdict(diff)}**", _tokens(diff))
            yield f"| {' | '.join(cells)} |\n"
        yield _left_out(len(diffs) - MOST_ROWS, "prompt")
    others = changed_files(review)
    if others:
        yield "\n| File | Is | |\n|:--|:--|:--|\n"
        for each in others[:MOST_ROWS]:
            yield f"| {code(each.path, 120)} | {each.kind} | {each.state} |\n"
        yield _left_out(len(others) - MOST_ROWS, "file")


def _tokens(diff: PromptDiff) -> str:
    return counted(diff.tokens) if diff.tokens.reason is None else "-"


def _suites(review: Review, room: int) -> str:
    """Every suite: its verdict while there is room for it, and cases of what is left."""
    suites = order(review.suites)
    heads = [_suite(each) for each in suites]
    bodies = [_body(each) for each in suites]
    left = room - sum(map(len, heads))
    kept: list[str] = []
    for body in bodies:
        # A suite may take half of what is left, so that no one crowds out the others.
        fits = len(body) <= left // 2
        kept.append(body if fits else "")
        left -= len(body) if fits else 0
    parts: list[str] = []
    with_cases = sum(1 for each in suites if _comparison(each) is not None)
    share = left * 2 // 3 // max(with_cases, 1)
    for suite, head, body in zip(suites, heads, kept, strict=True):
        comparison = _comparison(suite)
        found = cases(comparison, room=share) if comparison and body else ""
        parts.append(head + body + found)
    return _bounded(parts, room)


def _bounded(parts: list[str], room: int) -> str:
    shown: list[str] = []
    for at, part in enumerate(parts):
        if len(part) > room:
            return "".join(shown) + _left_out(len(parts) - at, "suite")
        shown.append(part)
        room -= len(part)
    return "".join(shown)


def _comparison(suite: SuiteReview) -> Comparison | None:
    return suite.report.comparison if suite.report else None


def _suite(suite: SuiteReview) -> str:
    mark = MARKS.get(suite.outcome, "▫️")
    told = f"\n### {mark} {code(suite.name, 100)}\n\n{touched_by(suite, prose)}"
    if suite.run is not None:
        of = f" of {suite.total:,}" if suite.total is not None else ""
        times = f", {suite.repeats} times each" if suite.repeats > 1 else ""
        told += f" · ran {suite.run:,}{of} cases{times}"
    return told + "\n\n"


def _body(suite: SuiteReview) -> str:
    if suite.error is not None:
        return f"{prose(suite.error, 600)}\n\n"
    if suite.report is None:
        return ""
    report = suite.report
    if report.comparison is not None:
        told = overview(report.comparison)
    else:
        told = f"{prose(report.summary.decision.reason, 600)}\n\n"
    return told + "".join([*_gate(suite), *_judges(report)])


def _gate(suite: SuiteReview) -> Iterator[str]:
    """The thresholds that do not hold; those against the base stand in the table of metrics."""
    lines = suite.report.summary.decision.lines if suite.report else ()
    for line in lines[:MOST_ROWS]:
        if line.outcome != "passed" and line.aggregate != "drop":
            yield (
                f"- {SYMBOLS[line.outcome]} gate {code(line.check, 60)} {code(line.rule, 40)}:"
                f" {prose(line.reason)}\n"
            )


def _judges(report: Report) -> Iterator[str]:
    for check, health in list(judges(report.summary))[:MOST_ROWS]:
        yield f"\njudge {code(check, 60)}: {prose(health)}\n"


def _prompts(review: Review, room: int) -> str:
    """What changed in the prompts' texts, folded, as many as there is room for."""
    diffs = review.prompts.prompts if review.prompts else ()
    shown: list[str] = []
    opened, closed = "\n<details><summary>What changed in the prompts</summary>\n\n", "</details>\n"
    left = room - len(opened) - len(closed) - 100
    for at, diff in enumerate(diffs):
        block = "\n".join(prompt_lines(diff)) + "\n\n"
        if len(block) > left:
            shown.append(_left_out(len(diffs) - at, "prompt"))
            break
        shown.append(block)
        left -= len(block)
    return opened + "".join(shown) + closed if shown and left > -100 else ""


def _ending(review: Review) -> Iterator[str]:
    if review.command:
        yield "\nRun it again:\n"
        yield fenced(review.command, language="sh")


def _left_out(count: int, noun: str) -> str:
    return f"\n… and {plural(count, noun)} more\n" if count > 0 else ""
