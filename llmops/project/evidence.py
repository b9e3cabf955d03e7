"""The evaluation that speaks for moving an alias: found among the project's runs, or given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.fingerprint import file_sha256
from llmops.prompts.locked import Evidence, LockedVersion

if TYPE_CHECKING:
    from llmops.evals.results import Summary

REPORT = "report.json"


def given_evidence(report: Path, target: LockedVersion) -> Evidence:
    """The evidence of one report: a `report.json`, or the folder of a run.

    Raises `UsageError` unless it passed, with that very content as its subject.
    """
    path = report / REPORT if report.is_dir() else report
    summary = _summary(path)
    content = summary.subject.get("prompt_fingerprint")
    if content != target.content:
        raise UsageError(
            f"the report judged another content: {content}",
            hint=f"`{target.prompt}@{target.version}` is {target.content}; run the suite on it",
            where=Where(path),
        )
    if summary.decision.outcome != "passed":
        raise UsageError(
            f"the report did not pass: {summary.decision.reason}",
            hint="`--force --why …` moves the alias all the same, and is recorded",
            where=Where(path),
        )
    return _evidence(path, summary)


def find_evidence(runs: Path, target: LockedVersion) -> Evidence | None:
    """The newest run below `runs` that speaks for a version.

    The last run of a suite on that content is what the suite says of it: one
    that passed before does not count once it has failed.
    """
    judged = [
        (summary, path)
        for path, summary in _summaries(runs)
        if summary.subject.get("prompt_fingerprint") == target.content
    ]
    told: set[str] = set()
    for summary, path in sorted(judged, key=lambda each: _age(*each), reverse=True):
        if summary.suite not in told and summary.decision.outcome == "passed":
            return _evidence(path, summary)
        told.add(summary.suite)
    return None


def _age(summary: Summary, path: Path) -> tuple[str, int]:
    """When a run took place; of two in one second, when its report was written."""
    return summary.started, path.stat().st_mtime_ns


def _summaries(runs: Path) -> Iterator[tuple[Path, Summary]]:
    for path in runs.glob(f"*/{REPORT}"):
        try:
            yield path, _summary(path)
        except DocumentError:
            continue  # a report of another version of llmops, or of a run that is being written


def _summary(path: Path) -> Summary:
    from llmops.evals.render.json_reading import read_json

    if not path.is_file():
        raise DocumentError("no such report", where=Where(path))
    return read_json(path).summary


def _evidence(path: Path, summary: Summary) -> Evidence:
    rows = summary.dataset.get("rows", summary.cases)
    return Evidence(
        report=summary.run,
        sha256=file_sha256(path),
        suite=summary.suite,
        cases=f"{summary.cases} of {rows}",
        outcome=summary.decision.outcome,
    )


def newest_run(runs: Path, suite: str) -> Path:
    """The report of a suite's newest run, of one with repeats if there is any.

    Raises `NotFound` when the suite has not been run here.
    """
    found = [each for each in _summaries(runs) if each[1].suite == suite]
    if not found:
        raise NotFound(
            f"`{suite}` has not been run here",
            hint=f"run it first: llmops eval run {suite} --repeat 3",
        )
    path, _ = max(found, key=lambda each: (each[1].repeats > 1, *_age(each[1], each[0])))
    return path
