"""What an evaluation found: one `CaseResult` a case and repeat, one `Summary` a run.

The summary is small and whole; the cases are many and are read one by one
from the run's journal, so a report costs no more memory than its longest case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import ExitCode
from llmops.core.scoring import Outcome, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case, run once: what went in, what came out, how each check judged it."""

    case: str
    """The case's stable id."""
    repeat: int = 0
    inputs: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    contexts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    output: str | None = None
    """`None` when the subject gave nothing, and `error` says why."""
    error: str | None = None
    verdicts: tuple[Verdict, ...] = ()
    latency: float | None = None
    """Seconds of the model call."""
    usage: Usage = field(default_factory=Usage)
    finish_reason: str | None = None
    cached: bool = False
    attempts: int = 1

    @property
    def outcome(self) -> Outcome:
        """The worst of the case's verdicts: error, failed, unscored, passed."""
        if self.error is not None:
            return Outcome.ERROR
        found = {verdict.outcome for verdict in self.verdicts}
        for outcome in (Outcome.ERROR, Outcome.FAILED, Outcome.UNSCORED):
            if outcome in found:
                return outcome
        return Outcome.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its 95 % confidence interval; the interval is `None` where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """One check over all cases. The four counts add up to the number of results."""

    name: str
    scorer: str
    version: str
    rule: str | None
    """The pass rule as text; `None` for a check that only measures."""
    unit: str = ""
    """What the score counts (`s`, `tokens`, `characters`); empty for a ratio in [0, 1]."""
    higher_is_better: bool = True
    passed: int = 0
    failed: int = 0
    unscored: int = 0
    errors: int = 0
    mean: Estimate | None = None
    """Of the scored results; `None` when nothing was scored."""
    pass_rate: Estimate | None = None
    """Passed over passed and failed; `None` without a rule or when nothing was scored."""
    quantiles: Mapping[str, float] = field(default_factory=dict)
    """`min`, `p25`, `p50`, `p75`, `p95`, `max` of the scores."""
    histogram: tuple[tuple[float, float, int], ...] = ()
    """Bins of the scores: from, to, count."""

    @property
    def results(self) -> int:
        """All results, judged or not."""
        return self.passed + self.failed + self.unscored + self.errors

    @property
    def unjudged_share(self) -> float:
        """The share of results that were not judged."""
        return (self.unscored + self.errors) / self.results if self.results else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One threshold of the gate and how it came out."""

    check: str
    aggregate: str
    """`mean` or `pass_rate`."""
    rule: str
    value: float | None
    outcome: str
    """`passed`, `failed` or `inconclusive`."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's judgement of a run."""

    outcome: str
    """`passed`, `failed` or `inconclusive`."""
    exit_code: ExitCode
    reason: str
    """One sentence that a person can act on."""
    lines: tuple[GateLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All of a run but its cases."""

    suite: str
    description: str
    run: str
    """The run's id: the name of its folder."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    """Wall time of the run; of all its parts, when it was resumed."""
    command: str
    """The command that runs this again."""
    subject: Mapping[str, Any]
    """`prompt`, `prompt_version`, `prompt_fingerprint`, `model`, `model_identity`,
    `system_fingerprint`, `sampling`."""
    dataset: Mapping[str, Any]
    """`path`, `sha256`, `rows`, `selected`."""
    environment: Mapping[str, Any]
    """`llmops`, `python`, `platform`, `git_commit`."""
    cases: int
    repeats: int
    calls: int
    """Model calls that were answered, without those from the cache."""
    cached: int
    usage: Usage
    checks: tuple[CheckSummary, ...]
    decision: Decision
    made_from: Mapping[str, str] = field(default_factory=dict)
    """What decides on the results, each with its fingerprint or value: two runs that
    agree here asked the same."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A finished run: its summary, and its cases to iterate as often as wanted."""

    summary: Summary
    results: Callable[[], Iterator[CaseResult]]
    """Yields the results in the dataset's order."""
    folder: Path | None = None
    """Where the run's journal lies; `None` for a report that was read from a file."""
