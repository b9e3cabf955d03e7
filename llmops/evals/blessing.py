"""Blessing a run: its report becomes a baseline that is committed and compared with.

A baseline never moves by itself. One that follows each good night drifts down
unseen; so a person names the run and says why, and both stand in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from llmops.core.errors import UsageError, Where
from llmops.evals.render.json import write_json
from llmops.evals.results import CaseResult, Report


def bless(
    report: Report, path: Path, *, why: str, who: str | None = None, force: bool = False
) -> None:
    """Write a finished run's report to `path`, as what later runs are compared with.

    It holds outputs, scores and verdicts; inputs, contexts and what was
    expected stay in the dataset. Raises `UsageError` for a run that did not
    pass or holds a part of the cases only, unless `force` is given, which the
    file says.
    """
    if not why.strip():
        raise UsageError("a baseline needs a reason", hint='say it: `--why "…"`')
    reason = _refusal(report)
    if reason is not None and not force:
        raise UsageError(
            reason,
            hint="`--force` blesses it all the same, and the file says so",
            where=Where(report.folder) if report.folder else None,
        )
    blessed = {
        "blessed_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "blessed_by": who,
        "blessed_why": why.strip(),
        "blessed_against": reason,
    }
    summary = replace(
        report.summary, environment={**report.summary.environment, **blessed}, slices=(), gaps=()
    )
    write_json(Report(summary=summary, results=lambda: _bare(report)), path)


def _bare(report: Report) -> Iterator[CaseResult]:
    for each in report.results():
        if each.repeat < report.summary.repeats:
            yield replace(each, inputs={}, contexts=(), expected=None)


def _refusal(report: Report) -> str | None:
    """Why a run should not be what others are measured by."""
    summary = report.summary
    rows = summary.dataset.get("rows", summary.cases)
    if summary.cases != rows:
        return f"the run holds {summary.cases:,} of {rows:,} cases"
    # What may be lost against a base cannot be judged in the first run that becomes one.
    alone = report.comparison is None
    asked = [line for line in summary.decision.lines if not (alone and line.aggregate == "drop")]
    missed = next((line for line in asked if line.outcome != "passed"), None)
    return f"the run did not pass: {missed.reason}" if missed else None
