"""A review as JSON, for programs."""

from __future__ import annotations

from typing import Any

from llmops.evals.render.judge_health import is_judge, judge_health
from llmops.evals.results import Comparison, MetricComparison, Report
from llmops.review.results import Review, SuiteReview

SCHEMA_NAME = "llmops.review/1"


def as_json(review: Review) -> dict[str, Any]:
    """The review without the cases, which lie in the folders of its runs."""
    return {
        "schema": SCHEMA_NAME,
        "base": review.base,
        "head": review.head,
        "outcome": review.outcome,
        "exit_code": int(review.exit_code),
        "reason": review.reason,
        "ran": review.ran,
        "command": review.command,
        "prompts": review.prompts.to_json() if review.prompts else None,
        "files": [
            {"path": each.path, "kind": each.kind.value, "state": each.state.value}
            for each in review.files
        ],
        "suites": [_suite(each) for each in review.suites],
        "suites_total": review.suites_total,
        "cases_run": review.cases_run,
        "cases_total": review.cases_total,
        "notes": list(review.notes),
    }


def _suite(suite: SuiteReview) -> dict[str, Any]:
    report = suite.report
    return {
        "suite": suite.name,
        "path": suite.path.as_posix(),
        "state": suite.state.value if suite.state else None,
        "reasons": list(suite.reasons),
        "prompt": suite.prompt,
        "outcome": suite.outcome,
        "exit_code": int(suite.exit_code),
        "error": suite.error,
        "cases_run": suite.run,
        "cases_total": suite.total,
        "repeats": suite.repeats,
        "command": suite.command,
        **(_report(report) if report else {}),
    }


def _report(report: Report) -> dict[str, Any]:
    decision = report.summary.decision
    return {
        "run": report.folder.as_posix() if report.folder else None,
        "reason": decision.reason,
        "gate": [_plain(each) for each in decision.lines],
        "judges": [
            {"check": each.name, "health": judge_health(each), "details": dict(each.details)}
            for each in report.summary.checks
            if is_judge(each)
        ],
        "comparison": _comparison(report.comparison) if report.comparison else None,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "base": comparison.base,
        "head": comparison.head,
        "confidence": comparison.confidence,
        "outcome": comparison.decision.outcome,
        "reason": comparison.decision.reason,
        "coverage": _plain(comparison.coverage),
        "metrics": [_metric(each) for each in comparison.metrics],
        "effort": [_plain(each) for each in comparison.effort],
        "turns": {turn.value: count for turn, count in comparison.turns.items()},
        "notes": list(comparison.notes),
    }


def _metric(metric: MetricComparison) -> dict[str, Any]:
    return {**_plain(metric), "verdict": metric.verdict.value}


def _plain(value: Any) -> Any:
    from llmops.evals.render.json import plain

    return plain(value)
