"""The report as JUnit XML, for a CI's list of tests.

The cases are one test suite, the gate's thresholds another: a case that
fails a check is a failed test there even when the gate tolerates it, and the
gate says what the run came to. A case that was never judged is an *error*
when something broke and *skipped* when it could not be scored.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import IO

from llmops.core.scoring import Outcome
from llmops.evals.render import write_report
from llmops.evals.render.figures import (
    AGGREGATES,
    Tally,
    as_text,
    case_name,
    gate_value,
    one_line,
    score,
    shorten,
)
from llmops.evals.render.rows import Row
from llmops.evals.results import CaseResult, Report, Summary

LONGEST_TEXT = 4_000
"""Characters of one output in a test's message; `report.json` holds all of it."""

COUNTS_WIDTH = 100
"""Room for the counts, which are known only after the last case."""


def write_junit(report: Report, path: Path) -> None:
    """Write the cases and the gate as JUnit XML; memory does not grow with the cases."""
    write_report(report, "junit", path)


class JunitWriter:
    """Writes a test a case, then goes back to fill in the counts."""

    def __init__(self, report: Report, file: IO[str]):
        summary = report.summary
        self._summary = summary
        self._file = file
        self._tally = Tally()
        self._seconds = 0.0
        self._suite = _attribute(summary.suite)
        self._units = {check.name: check.unit for check in summary.checks}
        self._rules = {check.name: check.rule for check in summary.checks}
        file.write(f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites name={self._suite}')
        self._all_counts = self._room()
        file.write(f">\n<testsuite name={self._suite} timestamp={_attribute(summary.started)}")
        self._case_counts = self._room()
        file.write(">\n" + _properties(summary))

    def _room(self) -> int:
        """Leave blanks, which XML allows between attributes, and say where they are."""
        at = self._file.tell()
        self._file.write(" " * COUNTS_WIDTH)
        return at

    def add(self, row: Row) -> None:
        """Write one case as a test."""
        result = row.result
        self._tally.add(row.outcome)
        self._seconds += result.latency or 0.0
        name = case_name(result.case, result.repeat, self._summary.repeats)
        opening = (
            f"<testcase classname={self._suite} name={_attribute(name)}"
            f' time="{result.latency or 0.0:.3f}"'
        )
        if row.outcome is Outcome.PASSED:
            self._file.write(opening + "/>\n")
        else:
            self._file.write(f"{opening}>\n{self._finding(result, row.outcome)}</testcase>\n")

    def _finding(self, result: CaseResult, outcome: Outcome) -> str:
        tag = {Outcome.FAILED: "failure", Outcome.ERROR: "error"}.get(outcome, "skipped")
        blamed = [each for each in result.verdicts if each.outcome is outcome]
        kind = ", ".join(each.check for each in blamed) or "provider"
        reasons = [result.error] if result.error else []
        for verdict in blamed:
            value, rule = verdict.score.value, self._rules.get(verdict.check)
            parts = [] if value is None else [score(value, self._units.get(verdict.check, ""))]
            if value is not None and rule:
                parts.append(f"is not {rule}")
            told = " ".join(parts)
            why = verdict.score.rationale
            reasons.append(f"{verdict.check}: " + "; ".join(each for each in (told, why) if each))
        message = _attribute(one_line("; ".join(reasons), 300))
        if tag == "skipped":
            return f"<skipped message={message}/>\n"
        lines = [*reasons, "", "output:", shorten(result.output or "", LONGEST_TEXT)]
        if result.expected is not None:
            lines += ["", "expected:", shorten(as_text(result.expected), LONGEST_TEXT)]
        text = _content("\n".join(lines))
        return f"<{tag} type={_attribute(kind)} message={message}>{text}</{tag}>\n"

    def finish(self) -> None:
        """Close the cases, write the gate, and fill in the counts."""
        self._file.write("</testsuite>\n")
        gate = self._gate()
        self._file.write("</testsuites>\n")
        cases = self._tally.counts
        tests, failures, errors = self._tally.total, cases["failed"], cases["error"]
        skipped = cases["unscored"]
        self._fill(self._case_counts, tests, failures, errors, skipped, self._seconds)
        self._fill(
            self._all_counts,
            tests + sum(gate.values()),
            failures + gate["failed"],
            errors + gate["inconclusive"],
            skipped,
            self._summary.seconds,
        )

    def _gate(self) -> dict[str, int]:
        """Write a test a threshold; count their outcomes."""
        counts = dict.fromkeys(("passed", "failed", "inconclusive"), 0)
        lines = self._summary.decision.lines
        for line in lines:
            counts[line.outcome] += 1
        if not lines:
            return counts
        name = _attribute(f"{self._summary.suite} gate")
        self._file.write(
            f'<testsuite name={name} tests="{len(lines)}" failures="{counts["failed"]}"'
            f' errors="{counts["inconclusive"]}" skipped="0" time="0.000">\n'
        )
        asked = Counter((line.check, line.aggregate) for line in lines)
        for line in lines:
            told = f"{line.check} {AGGREGATES.get(line.aggregate, line.aggregate)}"
            # A reader of JUnit takes tests of one name for one test.
            test = _attribute(
                f"{told} {line.rule}" if asked[line.check, line.aggregate] > 1 else told
            )
            self._file.write(f'<testcase classname={name} name={test} time="0.000"')
            if line.outcome == "passed":
                self._file.write("/>\n")
                continue
            tag = "failure" if line.outcome == "failed" else "error"
            value = gate_value(line, self._summary)
            self._file.write(
                f"><{tag} type={_attribute(line.aggregate)} message={_attribute(line.reason)}>"
                f"{_content(f'{value}, asked for {line.rule}')}</{tag}></testcase>\n"
            )
        self._file.write("</testsuite>\n")
        return counts

    def _fill(
        self, at: int, tests: int, failures: int, errors: int, skipped: int, seconds: float
    ) -> None:
        counts = (
            f' tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
            f' time="{seconds:.3f}"'
        )
        self._file.seek(at)
        self._file.write(counts)
        self._file.seek(0, 2)


def _properties(summary: Summary) -> str:
    """What ran: enough to tell two runs apart."""
    pairs = {
        "run": summary.run,
        "verdict": summary.decision.outcome,
        "reason": summary.decision.reason,
        "command": summary.command,
        **{f"subject.{key}": value for key, value in summary.subject.items()},
        **{f"dataset.{key}": value for key, value in summary.dataset.items()},
        **{f"environment.{key}": value for key, value in summary.environment.items()},
        **{f"made_from.{key}": value for key, value in summary.made_from.items()},
        **{f"scorer.{check.name}": f"{check.scorer}@{check.version}" for check in summary.checks},
    }
    lines = [
        f"<property name={_attribute(name)} value={_attribute(as_text(value))}/>\n"
        for name, value in pairs.items()
        if value is not None
    ]
    return "<properties>\n" + "".join(lines) + "</properties>\n"


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    """`text` with what XML 1.0 cannot hold, even escaped, replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


# Not `xml.sax.saxutils`, which imports all of `urllib.request`.
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def _content(text: str) -> str:
    """`text` as an element's content."""
    return _xml(text).translate(_TEXT)


def _attribute(text: str) -> str:
    """`text` as a quoted attribute value."""
    return '"' + _xml(text).translate(_ATTRIBUTE) + '"'
