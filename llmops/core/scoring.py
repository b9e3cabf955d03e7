"""Measure and judge: `Scorer` looks at a `Sample` and gives a `Score`; a `Check`
adds a pass rule and gives a `Verdict`.

The same two steps serve an evaluation (a suite's checks) and, later, a
guardrail (a policy's rails). A scorer looks and says what it saw: it raises
nothing to mean "bad" and rewrites nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from llmops.core.chat import Usage
from llmops.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a scorer may look at: one case and what came out of it."""

    output: str
    """The text that the subject produced."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """The case's variables, as the dataset holds them."""
    expected: Any = None
    """The reference: a text, several acceptable texts, or any value a scorer knows."""
    contexts: tuple[str, ...] = ()
    """Passages that the answer should rest on."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    latency: float | None = None
    """Seconds that the model took."""
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a scorer saw: a number, or `None` with the reason why there is none."""

    value: float | None
    rationale: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    """Character ranges of the output that the score rests on."""
    usage: Usage = field(default_factory=Usage)
    """What the scorer's own model calls cost; nothing for one that calls no model."""
    details: Mapping[str, float] = field(default_factory=dict)
    """Further numbers that the scorer saw; a report gives the mean of each."""

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "rationale", self.rationale or f"the scorer gave {self.value}")
            object.__setattr__(self, "value", None)

    @classmethod
    def unscored(
        cls,
        reason: str,
        *,
        usage: Usage | None = None,
        details: Mapping[str, float] | None = None,
    ) -> Score:
        """A score that could not be given; it never counts as zero."""
        return cls(value=None, rationale=reason, usage=usage or Usage(), details=details or {})


@runtime_checkable
class Scorer(Protocol):
    """Looks at a sample and says what it saw, at once or awaited.

    `version` changes whenever the same sample could get another score: stored
    scores are compared only within one version.
    """

    @property
    def name(self) -> str:
        """The scorer's name, as suites write it."""
        ...

    @property
    def version(self) -> str:
        """Changes with every change of what the scorer says."""
        ...

    def score(self, sample: Sample) -> Score | Awaitable[Score]:
        """What the scorer sees in `sample`."""
        ...


_RULE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """A comparison with a number, such as `>= 0.7`.

    >>> Rule.parse(">= 0.7").holds(0.7)
    True
    """

    operator: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read `OP NUMBER`, where OP is one of `>= <= == != > <`."""
        match = _RULE.fullmatch(text)
        if not match:
            raise UsageError(
                f"`{text}` is not a rule", hint="write a comparison and a number: `>= 0.7`"
            )
        return cls(match[1], float(match[2]))

    def holds(self, value: float) -> bool:
        """Whether `value` satisfies the rule, exactly as written."""
        match self.operator:
            case ">=":
                return value >= self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
            case "<":
                return value < self.bound
            case "==":
                return value == self.bound
            case _:
                return value != self.bound

    def __str__(self) -> str:
        return f"{self.operator} {self.bound:g}"


class Outcome(StrEnum):
    """What became of one check on one case."""

    PASSED = "passed"
    FAILED = "failed"
    UNSCORED = "unscored"
    """The scorer could not tell, and said why."""
    ERROR = "error"
    """The provider or the scorer failed; the case was never judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One check's judgement of one sample."""

    check: str
    outcome: Outcome
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A scorer with the rule that its score must satisfy.

    Without a rule the check only measures, and every score passes.
    """

    name: str
    scorer: Scorer
    rule: Rule | None = None

    def judge(self, score: Score) -> Verdict:
        """The verdict that follows from a score."""
        if score.value is None:
            outcome = Outcome.UNSCORED
        elif self.rule is None or self.rule.holds(score.value):
            outcome = Outcome.PASSED
        else:
            outcome = Outcome.FAILED
        return Verdict(check=self.name, outcome=outcome, score=score)
