"""The report as JSON: the whole run for programs, one case a line.

`REPORT_SCHEMA` describes it; `read_json` in `json_reading` reads it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import IO, Any

from llmops.evals.render import write_report
from llmops.evals.render.figures import Tally
from llmops.evals.render.json_schema import REPORT_SCHEMA, SCHEMA_NAME
from llmops.evals.render.rows import Row, to_text
from llmops.evals.results import Report

__all__ = ["REPORT_SCHEMA", "SCHEMA_NAME", "JsonWriter", "write_json"]


def write_json(report: Report, path: Path) -> None:
    """Write the whole report as JSON; memory does not grow with the cases."""
    write_report(report, "json", path)


class JsonWriter:
    """Writes the summary, then a case a line, then how many cases had which outcome."""

    def __init__(self, report: Report, file: IO[str]):
        summary = report.summary
        self._file = file
        self._tally = Tally()
        self._before = "\n"
        head = json.dumps(
            # Through `to_text`, which makes every value one that JSON can spell.
            {"schema": SCHEMA_NAME, "summary": json.loads(to_text(plain(summary)))},
            indent=1,
        )
        file.write(head.removesuffix("\n}") + ',\n "results": [')

    def add(self, row: Row) -> None:
        """Write one case on a line of its own."""
        self._tally.add(row.outcome)
        self._file.write(self._before)
        self._file.write(row.text)
        self._before = ",\n"

    def finish(self) -> None:
        """Close the list and add the counts."""
        self._file.write(f'\n ],\n "outcomes": {to_text(self._tally.counts)}\n}}\n')


def plain(value: Any) -> Any:
    """A dataclass as dictionaries, lists and scalars, in the order of its fields."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value
