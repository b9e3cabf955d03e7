"""All of a run but its cases: estimates, what the gate decided, and what the run was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import ExitCode


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
    usage: Usage = field(default_factory=Usage)
    """What the scorer's own model calls cost."""
    details: Mapping[str, float] = field(default_factory=dict)
    """The mean of each further number that the scorer saw: of a judge `mass` (the probability
    that it put on its labels) and `unparsed` (the share of answers that were none of them)."""
    calibration: Mapping[str, Any] | None = None
    """What a judge's measurement against human labels found; `None` if the suite names none."""

    @property
    def results(self) -> int:
        """All results, judged or not."""
        return self.passed + self.failed + self.unscored + self.errors

    @property
    def unjudged_share(self) -> float:
        """The share of results that were not judged."""
        return (self.unscored + self.errors) / self.results if self.results else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSummary:
    """One check over the cases that have one value of a slice."""

    slice: str
    value: str
    check: str
    cases: int
    results: int
    """All results, judged or not."""
    unjudged: int
    mean: Estimate | None = None
    pass_rate: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two values of a slice against each other, `high` being the one with more."""

    high: str
    low: str
    difference: Estimate
    """High minus low, in the score's own unit; the intervals of all contrasts of a gap hold
    together at 95 %."""
    p_value: float | None = None
    p_adjusted: float | None = None
    """After Holm over the contrasts of the gap."""
    pairs: int = 0
    """Counterfactual groups that have both values; 0 where the cases are not paired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceGap:
    """How far the values of a slice are apart in one check."""

    slice: str
    check: str
    aggregate: str
    """`mean` or `pass_rate`."""
    paired: bool
    """Whether cases are laid side by side that ask the same but for this slice."""
    highest: str
    lowest: str
    """The values that are farthest apart."""
    difference: Estimate
    """Between those two; the interval is of the gap between any two values."""
    method: str
    contrasts: tuple[Contrast, ...] = ()
    """Every two values, the farthest apart first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLine:
    """One threshold of the gate and how it came out."""

    check: str
    aggregate: str
    """`mean`, `pass_rate`, `gap` or `drop`."""
    rule: str
    """With the slice, where it asks something of its values: ">= 0.8 in each `language`"."""
    value: float | None
    outcome: str
    """`passed`, `failed` or `inconclusive`."""
    reason: str

    @property
    def of_slices(self) -> bool:
        """Whether it asks something of the values of a slice, and not of the whole."""
        return any(f" {word} `" in self.rule for word in ("in each", "between"))


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
    """`path`, `sha256`, `rows`, `selected`; where they are known `schema` (a fingerprint),
    `dvc_md5` and `dvc_file`, or `lfs_oid`."""
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
    slices: tuple[SliceSummary, ...] = ()
    """Each check in each value of each slice; empty for a suite without slices."""
    gaps: tuple[SliceGap, ...] = ()
    """How far apart the values of each slice are."""
    made_from: Mapping[str, str] = field(default_factory=dict)
    """What decides on the results, each with its fingerprint or value: two runs that
    agree here asked the same."""
