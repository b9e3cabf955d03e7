"""What a comparison found: a verdict a metric, and which cases turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from llmops.evals.results.cases import CaseResult
from llmops.evals.results.summaries import Decision, Estimate


class Change(StrEnum):
    """What became of a metric between base and head."""

    BETTER = "better"
    SAME = "same"
    """At the stated confidence, not more is lost than the margin allows."""
    REGRESSION = "regression"
    """At the stated confidence, more is lost than the margin allows."""
    INCONCLUSIVE = "inconclusive"
    """Neither can be said with so few cases."""
    ERROR = "error"
    """Too much was not judged: a provider or a scorer failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One aggregate of one check, on both sides and paired case by case."""

    check: str
    aggregate: str
    """`mean` or `pass_rate`."""
    unit: str = ""
    higher_is_better: bool = True
    slice: str | None = None
    """`language=de` where it is of one slice only."""
    gates: bool = True
    """Whether the decision looks at it; what is only measured is shown and never fails."""
    base: Estimate | None = None
    head: Estimate | None = None
    difference: Estimate | None = None
    """Head minus base, in the score's own unit, with the interval at the gate's confidence."""
    margin: float = 0.0
    """What may be lost, in the score's own unit."""
    method: str = ""
    """How the interval and the p-value were got, in words."""
    p_value: float | None = None
    """Two-sided, of no difference at all."""
    p_adjusted: float | None = None
    """After Holm over the metrics that gate."""
    verdict: Change = Change.INCONCLUSIVE
    reason: str = ""
    """One sentence that a person can act on."""
    pairs: int = 0
    """Cases that were judged on both sides."""
    unjudged: int = 0
    """Cases that were run on both sides and not judged on one of them."""
    newly_failing: int = 0
    newly_passing: int = 0
    flaky: int = 0
    """Cases whose repeats disagree on one side."""
    needed: int | None = None
    """Cases that it would take, where the verdict is open."""


class Turn(StrEnum):
    """How a case turned."""

    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    FLAKY = "flaky"
    """Its repeats disagree on one side: it is not blamed on the change."""
    BROKEN = "broken"
    """In error on one side, judged on the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """A case that came out differently, with all its repeats on both sides."""

    case: str
    turn: Turn
    checks: tuple[str, ...]
    """The checks in which it turned."""
    base: tuple[CaseResult, ...]
    head: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a case costs on both sides: mean over cases, with the paired difference."""

    name: str
    """`input tokens`, `output tokens`, `latency` or `cost`."""
    unit: str
    base: Estimate
    head: Estimate
    difference: Estimate
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Which cases were laid side by side."""

    pairs: int
    only_base: int = 0
    only_head: int = 0
    untouched: int = 0
    """Cases that were not run, since nothing that they see changed; they count as unchanged."""
    total: int | None = None
    """Cases of the dataset, where known."""
    examples: tuple[str, ...] = ()
    """Some ids that are on one side only."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Base and head, compared."""

    base: str
    head: str
    """What a person calls the sides."""
    confidence: float
    coverage: Coverage
    metrics: tuple[MetricComparison, ...]
    effort: tuple[Effort, ...]
    turns: Mapping[Turn, int]
    """How many cases turned, by kind; a case counts once, by its worst."""
    decision: Decision
    same_subject: bool = False
    """Both sides asked the same: what differs is noise."""
    notes: tuple[str, ...] = ()
    """What a reader must know to trust the numbers."""
    changes: Callable[[], Iterator[CaseChange]] = field(default=lambda: iter(()))
    """The cases that turned, newly failing first, read from the results when asked for."""
