"""A run's report, made from its journal alone, so that a folder can be read again any time."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import UsageError
from llmops.core.scoring import Rule
from llmops.evals.comparison.compare import compare
from llmops.evals.comparison.rules import ComparisonRules, MarginRule
from llmops.evals.comparison.sides import side_of
from llmops.evals.gate import Gate, Threshold
from llmops.evals.journal import JOURNAL, read_results, scan_journal
from llmops.evals.ledger import Ledger
from llmops.evals.render.json_reading import read_json
from llmops.evals.results import CaseResult, Decision, Report, Summary
from llmops.evals.slice_counts import SliceCounts
from llmops.evals.slices.rules import SliceRule
from llmops.evals.tally import CheckTally

FINGERPRINTS = 5
"""Different system fingerprints of the server that a summary names."""


BASE = "base"
"""The folder in that of a run that holds the results of its base."""

BLESSED = "report.json"
"""The base's file there, where the base is a blessed report and was not run."""


def load_report(folder: Path) -> Report:
    """The report of the finished run in `folder`, compared with its base if it has one.

    Raises `UsageError` when there is no run, or one that was interrupted: what
    is missing there could turn its verdict.
    """
    header, ledger = scan_journal(folder / JOURNAL)
    _refuse_unfinished(folder, header, ledger)
    return build_report(folder, header, ledger, base=_base(folder, header))


def build_report(
    folder: Path,
    header: Mapping[str, Any],
    ledger: Ledger,
    *,
    base: Report | None = None,
    confidence: float | None = None,
) -> Report:
    """The report of a run whose journal is known already.

    `confidence` is that of a look on the way, for a run that repeats by itself.
    """
    path = folder / JOURNAL

    def results() -> Iterator[CaseResult]:
        return (result for result, _ in read_results(path, ledger))

    gate = _gate(header["gate"])
    if confidence is None and ledger.settled is not None:
        confidence = ledger.settled.confidence
    if confidence is not None:
        gate = replace(gate, comparison=replace(gate.comparison, confidence=confidence))
    counted = _counted(folder, header, ledger)
    alone = Report(summary=counted.summary(gate, None), results=results, folder=folder)
    if base is None:
        return alone
    comparison = compare(
        side_of(base, header["base"]["label"]),
        side_of(alone, "head"),
        replace(gate.comparison, untouched=header["untouched"]),
    )
    summary = counted.summary(gate, comparison.decision)
    return replace(alone, summary=summary, comparison=comparison)


def _base(folder: Path, header: Mapping[str, Any]) -> Report | None:
    """The base of the run in `folder`; `None` if it was run without one."""
    if header["base"] is None or header["base"]["kind"] != "revision":
        return blessed_base(folder, header)
    inner = folder / BASE
    base_header, ledger = scan_journal(inner / JOURNAL)
    _refuse_unfinished(inner, header, ledger)
    return build_report(inner, base_header, ledger)


def blessed_base(folder: Path, header: Mapping[str, Any]) -> Report | None:
    """The blessed report that the run in `folder` is compared with, if that is its base."""
    if header["base"] is None or header["base"]["kind"] != "file":
        return None
    return read_json(folder / BASE / BLESSED)


def _refuse_unfinished(folder: Path, header: Mapping[str, Any], ledger: Ledger) -> None:
    if ledger.missing or (header["auto"] and ledger.settled is None):
        raise UsageError(
            f"the run in {folder} is not finished: "
            f"{ledger.missing:,} of {ledger.wanted:,} results are missing",
            hint=resume_command(header["command"], folder),
        )


def resume_command(command: str, folder: Path) -> str:
    """The command that goes on with the run in `folder`."""
    return f"{command} --resume {shlex.quote(str(folder))}".strip()


def gate_record(gate: Gate) -> dict[str, Any]:
    """The gate as the journal's first line spells it."""
    return {
        "unjudged": gate.unjudged,
        "thresholds": [[each.check, each.aggregate, str(each.rule)] for each in gate.thresholds],
        "confidence": gate.comparison.confidence,
        "margins": [asdict(each) for each in gate.comparison.margins],
        "written": gate.written,
        "slices": [{**asdict(each), "rule": str(each.rule)} for each in gate.slices],
    }


def _gate(record: Mapping[str, Any]) -> Gate:
    return Gate(
        unjudged=record["unjudged"],
        thresholds=tuple(
            Threshold(check=check, aggregate=aggregate, rule=Rule.parse(rule))
            for check, aggregate, rule in record["thresholds"]
        ),
        comparison=ComparisonRules(
            confidence=record["confidence"],
            unjudged=record["unjudged"],
            margins=tuple(MarginRule(**each) for each in record["margins"]),
        ),
        written=record["written"],
        slices=tuple(
            SliceRule(**{**each, "rule": Rule.parse(each["rule"])}) for each in record["slices"]
        ),
    )


def _counted(folder: Path, header: Mapping[str, Any], ledger: Ledger) -> _Counts:
    counts = _Counts(folder, header, ledger)
    counts.read(folder / JOURNAL)
    return counts


class _Counts:
    """Everything that is counted over a run's results, in one pass."""

    def __init__(self, folder: Path, header: Mapping[str, Any], ledger: Ledger):
        self._folder = folder
        self._header = header
        self._ledger = ledger
        self._checks = [CheckTally(about, ledger.rounds) for about in header["checks"]]
        self._slices = SliceCounts(header["slices"], header["checks"], ledger.rounds)
        self._calls = 0
        self._cached = 0
        self._usage = Usage()
        self._fingerprints: list[str] = []

    def read(self, path: Path) -> None:
        """Count all results of a journal, case by case."""
        results = read_results(path, self._ledger)
        for _, repeats in groupby(results, key=lambda entry: entry[0].case):
            verdicts = []
            for result, data in repeats:
                self._count_call(result, data.get("system_fingerprint"))
                if result.repeat < self._ledger.rounds:  # what is beyond only confirms
                    verdicts.append(result.verdicts)
            for tally, of_check in zip(self._checks, zip(*verdicts, strict=True), strict=True):
                tally.add_case(of_check)
            self._slices.add_case(result, list(zip(*verdicts, strict=True)))

    def summary(self, gate: Gate, compared: Decision | None) -> Summary:
        """All that a report says of the run; `compared` is the judgement on base and head."""
        header = self._header
        measured = {tally.name: tally.measured() for tally in self._checks}
        sliced = self._slices.summed(gate.slices, gate.unjudged)
        fingerprints = ", ".join(self._fingerprints) or None
        return Summary(
            suite=header["suite"],
            description=header["description"],
            run=self._folder.resolve().name,
            started=header["started"],
            seconds=self._ledger.seconds,
            command=header["command"],
            subject={**header["subject"], "system_fingerprint": fingerprints},
            dataset=header["dataset"],
            environment=header["environment"],
            cases=header["cases"],
            repeats=self._ledger.rounds,
            calls=self._calls,
            cached=self._cached,
            usage=self._usage,
            checks=tuple(each.summary for each in measured.values()),
            decision=gate.decide(
                measured, compared, sliced.lines, touched_only=header["untouched"] > 0
            ),
            slices=sliced.summaries,
            gaps=sliced.gaps,
            made_from=header["made_from"],
        )

    def _count_call(self, result: CaseResult, system_fingerprint: str | None) -> None:
        if result.output is None:
            return
        if result.cached:
            self._cached += 1
        else:
            self._calls += 1
            self._usage += result.usage
        if (
            system_fingerprint is not None
            and system_fingerprint not in self._fingerprints
            and len(self._fingerprints) < FINGERPRINTS
        ):
            self._fingerprints.append(system_fingerprint)
