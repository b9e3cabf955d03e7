"""What a review has to say about a place in a file: the line of the prompt that made it worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from llmops.core.errors import Where
from llmops.core.files import relative
from llmops.evals.render.comparison_words import aggregate_of, headline
from llmops.evals.results import Change, MetricComparison
from llmops.prompts.comparison.diff import PromptDiff
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.comparison.messages import MessageChange
from llmops.prompts.lint.annotations import SHOWN, as_annotations
from llmops.prompts.lint.findings import Finding, Level, Rule
from llmops.prompts.lint.sarif import sarif
from llmops.review.results import Review, SuiteReview

RULES = {
    rule.id: rule
    for rule in (
        Rule(
            id="eval-regression",
            level=Level.ERROR,
            summary="An evaluation got worse by more than its suite allows.",
        ),
        Rule(
            id="eval-gate",
            level=Level.ERROR,
            summary="A threshold of a suite's gate does not hold.",
        ),
        Rule(
            id="eval-inconclusive",
            level=Level.WARNING,
            summary="Too few cases to tell whether an evaluation got worse.",
        ),
        Rule(
            id="eval-error",
            level=Level.WARNING,
            summary="An evaluation could not be judged: a provider or a scorer failed.",
        ),
        Rule(
            id="prompt-breaking",
            level=Level.NOTE,
            summary="A prompt changed so that its callers may fail.",
        ),
    )
}

FINGERPRINT = "llmopsReview/v1"


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding, and what makes it the same one in the next run: no number that varies."""

    finding: Finding
    identity: tuple[str, ...]


def findings(review: Review) -> Iterator[Placed]:
    """Everything that can be pointed at, by suite and metric."""
    diffs = review.prompts.prompts if review.prompts else ()
    for suite in review.suites:
        yield from _of_suite(suite, _place(suite, diffs))
    for diff in diffs:
        if diff.kind is ChangeKind.BREAKING and diff.after is not None:
            what = "; ".join(each.what for each in diff.reasons if each.kind is diff.kind)
            yield Placed(
                _finding(
                    "prompt-breaking", f"prompt `{diff.name}`: {what}", _line(diff), diff.name
                ),
                (diff.name,),
            )


def as_sarif(review: Review) -> dict[str, Any]:
    """One SARIF log, for code scanning: a regression stands at the prompt's line."""
    placed = list(findings(review))
    identities = {id(each.finding): each.identity for each in placed}

    def identify(finding: Finding, base: Path) -> str:
        return "\0".join(
            (finding.rule, relative(finding.where.path, base), *identities[id(finding)])
        )

    return sarif(
        (each.finding for each in placed),
        review.root,
        rules=RULES,
        identify=identify,
        fingerprint=FINGERPRINT,
    )


def as_workflow_commands(review: Review) -> str:
    """Workflow commands of GitHub, at most ten of each level, which is what it shows."""
    return as_annotations((each.finding for each in findings(review)), review.root, most=SHOWN)


def _of_suite(suite: SuiteReview, where: Where) -> Iterator[Placed]:
    if suite.error is not None:
        told = f"suite `{suite.name}`: {suite.error}"
        yield Placed(_finding("eval-error", told, where, suite.prompt), (suite.name,))
    if suite.report is None:
        return
    comparison = suite.report.comparison
    rules = {
        Change.REGRESSION: "eval-regression",
        Change.INCONCLUSIVE: "eval-inconclusive",
        Change.ERROR: "eval-error",
    }
    for metric in comparison.metrics if comparison else ():
        rule = rules.get(metric.verdict)
        if rule is not None and metric.gates and comparison is not None:
            told = f"suite `{suite.name}`: {_named(metric)} {headline(metric, comparison)}"
            if metric.newly_failing:
                told += f", {metric.newly_failing:,} newly failing"
            identity = (suite.name, metric.check, metric.aggregate, metric.slice or "")
            yield Placed(
                _finding(rule, told, where, suite.prompt, hint=f"run `{suite.command}`"), identity
            )
    for line in suite.report.summary.decision.lines:
        if line.outcome == "failed" and line.aggregate in ("mean", "pass_rate", "gap"):
            told = f"suite `{suite.name}`: `{line.check}`: {line.reason}"
            yield Placed(
                _finding("eval-gate", told, where, suite.prompt),
                (suite.name, line.check, line.aggregate, line.rule),
            )


def _named(metric: MetricComparison) -> str:
    of_slice = f" ({metric.slice})" if metric.slice else ""
    return f"`{metric.check}` {aggregate_of(metric)}{of_slice}"


def _place(suite: SuiteReview, diffs: tuple[PromptDiff, ...]) -> Where:
    """The line that changed in the suite's prompt; else the suite's own file."""
    for diff in diffs:
        if diff.name == suite.prompt and diff.after is not None:
            return _line(diff)
    return Where(suite.path, 1)


def _line(diff: PromptDiff) -> Where:
    """The first line that changed in the prompt's file as it is now."""
    places = [each.where for each in diff.reasons if each.where and each.where.path.is_file()]
    if not places:
        return Where(Path(f"{diff.name}.prompty"), 1)
    for message in diff.messages:
        at = next((each for each in places if each.line == message.line), None)
        if message.state in ("added", "changed") and at is not None:
            return Where(at.path, _first_change(message, at.path))
    return next((each for each in places if each.line), places[0])


def _first_change(message: MessageChange, path: Path) -> int:
    """The line of a message's first change; blank lines below its role are no part of it."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    at = message.line if message.role else message.line - 1
    while at < len(lines) and not lines[at].strip():
        at += 1
    same = takewhile(lambda span: span.change == "same", message.spans)
    return min(at + sum(span.text.count("\n") for span in same) + 1, len(lines))


def _finding(
    rule: str, message: str, where: Where, prompt: str | None, *, hint: str | None = None
) -> Finding:
    return Finding(
        rule=rule, level=RULES[rule].level, message=message, where=where, prompt=prompt, hint=hint
    )
