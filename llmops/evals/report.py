"""A run's report, made from its journal alone, so that a folder can be read again any time."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import UsageError
from llmops.core.scoring import Rule
from llmops.evals.gate import Gate, Threshold
from llmops.evals.journal import JOURNAL, read_results, scan_journal
from llmops.evals.ledger import Ledger
from llmops.evals.results import CaseResult, Report, Summary
from llmops.evals.tally import CheckTally

FINGERPRINTS = 5
"""Different system fingerprints of the server that a summary names."""


def load_report(folder: Path) -> Report:
    """The report of the finished run in `folder`.

    Raises `UsageError` when there is no run, or one that was interrupted: what
    is missing there could turn its verdict.
    """
    header, ledger = scan_journal(folder / JOURNAL)
    if ledger.missing:
        raise UsageError(
            f"the run in {folder} is not finished: "
            f"{ledger.missing:,} of {ledger.slots:,} results are missing",
            hint=resume_command(header["command"], folder),
        )
    return build_report(folder, header, ledger)


def build_report(folder: Path, header: Mapping[str, Any], ledger: Ledger) -> Report:
    """The report of a run whose journal is known already."""
    path = folder / JOURNAL

    def results() -> Iterator[CaseResult]:
        return (result for result, _ in read_results(path, ledger))

    return Report(summary=_summary(folder, header, ledger), results=results, folder=folder)


def resume_command(command: str, folder: Path) -> str:
    """The command that goes on with the run in `folder`."""
    return f"{command} --resume {shlex.quote(str(folder))}".strip()


def gate_record(gate: Gate) -> dict[str, Any]:
    """The gate as the journal's first line spells it."""
    return {
        "unjudged": gate.unjudged,
        "thresholds": [[each.check, each.aggregate, str(each.rule)] for each in gate.thresholds],
    }


def _gate(record: Mapping[str, Any]) -> Gate:
    return Gate(
        unjudged=record["unjudged"],
        thresholds=tuple(
            Threshold(check=check, aggregate=aggregate, rule=Rule.parse(rule))
            for check, aggregate, rule in record["thresholds"]
        ),
    )


def _summary(folder: Path, header: Mapping[str, Any], ledger: Ledger) -> Summary:
    counts = _Counts(header)
    counts.read(folder / JOURNAL, ledger)
    measured = {tally.name: tally.measured() for tally in counts.checks}
    return Summary(
        suite=header["suite"],
        description=header["description"],
        run=folder.resolve().name,
        started=header["started"],
        seconds=ledger.seconds,
        command=header["command"],
        subject={**header["subject"], "system_fingerprint": counts.system_fingerprint},
        dataset=header["dataset"],
        environment=header["environment"],
        cases=header["cases"],
        repeats=header["repeats"],
        calls=counts.calls,
        cached=counts.cached,
        usage=counts.usage,
        checks=tuple(each.summary for each in measured.values()),
        decision=_gate(header["gate"]).decide(measured),
        made_from=header["made_from"],
    )


class _Counts:
    """Everything that is counted over a run's results, in one pass."""

    def __init__(self, header: Mapping[str, Any]):
        self.checks = [CheckTally(about, header["repeats"]) for about in header["checks"]]
        self.calls = 0
        self.cached = 0
        self.usage = Usage()
        """Of the calls that were made; an answer from the cache costs nothing."""
        self._fingerprints: list[str] = []

    @property
    def system_fingerprint(self) -> str | None:
        """What the server called its configuration; several when it changed meanwhile."""
        return ", ".join(self._fingerprints) or None

    def read(self, path: Path, ledger: Ledger) -> None:
        """Count all results of a journal, case by case."""
        results = read_results(path, ledger)
        for _, repeats in groupby(results, key=lambda entry: entry[0].case):
            verdicts = []
            for result, data in repeats:
                self._count_call(result, data.get("system_fingerprint"))
                verdicts.append(result.verdicts)
            for tally, of_check in zip(self.checks, zip(*verdicts, strict=True), strict=True):
                tally.add_case(of_check)

    def _count_call(self, result: CaseResult, system_fingerprint: str | None) -> None:
        if result.output is None:
            return
        if result.cached:
            self.cached += 1
        else:
            self.calls += 1
            self.usage += result.usage
        if (
            system_fingerprint is not None
            and system_fingerprint not in self._fingerprints
            and len(self._fingerprints) < FINGERPRINTS
        ):
            self._fingerprints.append(system_fingerprint)
