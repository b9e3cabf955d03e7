"""A finished run: its summary, its cases to iterate, and its comparison with a base."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmops.evals.results.cases import CaseResult
from llmops.evals.results.comparisons import Comparison
from llmops.evals.results.summaries import Summary


@dataclass(frozen=True, kw_only=True)
class Report:
    """A finished run: its summary, and its cases to iterate as often as wanted."""

    summary: Summary
    results: Callable[[], Iterator[CaseResult]]
    """Yields the results in the dataset's order."""
    folder: Path | None = None
    """Where the run's journal lies; `None` for a report that was read from a file."""
    comparison: Comparison | None = None
    """With its base, where the run has one."""
