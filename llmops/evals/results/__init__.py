"""What an evaluation found: one `CaseResult` a case and repeat, one `Summary` a run.

The summary is small and whole; the cases are many and are read one by one
from the run's journal, so a report costs no more memory than its longest case.
"""

from __future__ import annotations

from llmops.evals.results.cases import (
    CaseResult,
)
from llmops.evals.results.comparisons import (
    CaseChange,
    Change,
    Comparison,
    Coverage,
    Effort,
    MetricComparison,
    Turn,
)
from llmops.evals.results.report import (
    Report,
)
from llmops.evals.results.summaries import (
    CheckSummary,
    Contrast,
    Decision,
    Estimate,
    GateLine,
    SliceGap,
    SliceSummary,
    Summary,
)

__all__ = [
    "CaseChange",
    "CaseResult",
    "Change",
    "CheckSummary",
    "Comparison",
    "Contrast",
    "Coverage",
    "Decision",
    "Effort",
    "Estimate",
    "GateLine",
    "MetricComparison",
    "Report",
    "SliceGap",
    "SliceSummary",
    "Summary",
    "Turn",
]
