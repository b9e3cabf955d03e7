"""A finished run as something to read: one writer a format, all fed in one pass.

Owns how a report looks; it judges nothing and counts nothing that the summary
already holds. Each format's module is imported when that format is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

from llmops.core.errors import NotFound
from llmops.core.files import replacing
from llmops.evals.render.rows import Row
from llmops.evals.results import Report

FILENAMES = {
    "json": "report.json",
    "junit": "junit.xml",
    "markdown": "report.md",
    "html": "report.html",
}
"""The formats, and what each one's file is called in a run's folder."""


COMPARISON = "comparison.json"
"""What stands beside them where the run has a base."""


class CaseWriter(Protocol):
    """Writes one report into an open file, a case at a time."""

    def add(self, row: Row) -> None:
        """Take the next case."""

    def finish(self) -> None:
        """Write what comes after the last case."""


OpenWriter = Callable[[Report, IO[str]], CaseWriter]


def open_writer(format: str) -> OpenWriter:  # noqa: A002
    """What starts a report of `format`; `NotFound` for a format that nothing writes.

    >>> open_writer("jnuit")
    Traceback (most recent call last):
    llmops.core.errors.NotFound: no report format is named `jnuit`
    """
    match format:
        case "json":
            from llmops.evals.render.json import JsonWriter

            return JsonWriter
        case "junit":
            from llmops.evals.render.junit import JunitWriter

            return JunitWriter
        case "markdown":
            from llmops.evals.render.markdown import MarkdownWriter

            return MarkdownWriter
        case "html":
            from llmops.evals.render.html import HtmlWriter

            return HtmlWriter
    raise NotFound.among("report format", format, FILENAMES)


def write_reports(report: Report, folder: Path) -> None:
    """Write every format into a run's folder, under the names of `FILENAMES`.

    A run with a base gets its `comparison.json` too.
    """
    write_each(report, {name: folder / file for name, file in FILENAMES.items()})
    if report.comparison is not None:
        from llmops.evals.render.comparison_json import write_comparison

        write_comparison(report.comparison, folder / COMPARISON)


def write_report(report: Report, format: str, path: Path) -> None:  # noqa: A002
    """Write one format to `path`; a file that was there is replaced as a whole."""
    write_each(report, {format: path})


def write_each(report: Report, paths: Mapping[str, Path]) -> None:
    """Write several formats (`{"json": path, …}`) while reading the cases once.

    A file appears when it is whole; when one of them fails, files that were
    there before stay as they were.
    """
    openers = [(open_writer(name), path) for name, path in paths.items()]
    with ExitStack() as stack:
        writers = [opener(report, stack.enter_context(replacing(path))) for opener, path in openers]
        for result in report.results():
            row = Row(result)
            for writer in writers:
                writer.add(row)
        for writer in writers:
            writer.finish()
