"""Progress of a run on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmops.cli.output import say

if TYPE_CHECKING:
    from llmops.evals.runner import Progress

LINE_EVERY = 10.0
"""Seconds between two lines where there is no terminal, so that a CI log stays short."""


@contextmanager
def showing_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """A callback that shows how far a run is."""
    if sys.stderr.isatty():
        with _bar(title) as update:
            yield update
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failures]}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=None, rate="", failures="")

        def update(progress: Progress) -> None:
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                rate=f"{progress.rate:.1f}/s",
                failures=_failures(progress),
            )

        yield update


def _lines(title: str) -> Callable[[Progress], None]:
    last = time.monotonic()

    def update(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last < LINE_EVERY:
            return
        last = time.monotonic()
        failures = _failures(progress)
        say(
            f"{title}: {progress.done}/{progress.total}, {progress.rate:.1f}/s, "
            f"{progress.seconds_left or 0:.0f} s left{', ' if failures else ''}{failures}"
        )

    return update


def _failures(progress: Progress) -> str:
    parts = [
        f"{count} {word}"
        for count, word in ((progress.failed, "with a failed check"), (progress.errors, "errors"))
        if count
    ]
    return ", ".join(parts)
