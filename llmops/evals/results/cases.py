"""One case, run once: what went in, what came out, how each check judged it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.core.chat import Usage
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
    slices: Mapping[str, str] = field(default_factory=dict)
    """The value that the case has in each slice of the suite: `{"language": "de"}`."""
    counterfactual: str | None = None
    """The group of cases that ask the same but for the values of their slices."""
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
