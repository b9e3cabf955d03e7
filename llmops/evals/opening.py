"""A finished run of ours, opened by whatever names it: its folder or its `report.json`."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.evals.comparison.rules import ComparisonRules, MarginRule
from llmops.evals.comparison.sides import Side, side_of
from llmops.evals.journal import JOURNAL, scan_journal
from llmops.evals.render.json_reading import read_json
from llmops.evals.report import load_report
from llmops.evals.results import Report

REPORT = "report.json"
OTHER_TOOLS = "`llmops eval gate` reads results of other tools and tables"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A run, and what its suite asks of a comparison."""

    report: Report
    side: Side
    rules: ComparisonRules | None = None
    """`None` for a report alone, which does not say."""


def open_run(path: Path) -> Opened:
    """The run in a folder, or the report in a file.

    Raises `UsageError` for a folder without a run and for a run that is not
    finished, and `DocumentError` for a file that is no report of ours.
    """
    journal = path / JOURNAL
    if journal.is_file():
        report = _finished(path)
        return Opened(report=report, side=side_of(report, str(path)), rules=_rules(journal))
    if path.is_dir():
        path = path / REPORT
        if not path.is_file():
            raise UsageError(
                f"{path.parent} holds no run: neither {JOURNAL} nor {REPORT}", hint=OTHER_TOOLS
            )
    if not path.exists():
        raise DocumentError("no such report", where=Where(path))
    try:
        report = read_json(path)
    except DocumentError as error:
        hint = f"{error.hint}; {OTHER_TOOLS}" if error.hint else OTHER_TOOLS
        raise DocumentError(error.message, hint=hint, where=error.where) from error
    return Opened(report=report, side=side_of(report, str(path)))


def _finished(folder: Path) -> Report:
    """The report of a run: as it was written at its end, or else counted anew.

    One that is older than the journal was written before the run went on.
    """
    written, journal = folder / REPORT, folder / JOURNAL
    if written.is_file() and written.stat().st_mtime_ns >= journal.stat().st_mtime_ns:
        with suppress(DocumentError):  # of another version of this program
            return read_json(written)
    return load_report(folder)


def _rules(journal: Path) -> ComparisonRules:
    """What the gate of a run's suite says of a comparison; the journal is known to be whole.

    A run that repeated by itself stopped when it had seen enough, so it is judged
    at the confidence that was left to its last look.
    """
    with journal.open("rb") as file:
        header = json.loads(file.readline())
    record = header["gate"]
    settled = scan_journal(journal)[1].settled if header["auto"] else None
    return ComparisonRules(
        confidence=settled.confidence if settled else record["confidence"],
        unjudged=record["unjudged"],
        margins=tuple(MarginRule(**each) for each in record["margins"]),
    )
