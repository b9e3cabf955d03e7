"""Which cases that turned are shown, and by which of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmops.core.scoring import Outcome
from llmops.evals.render.figures import NOTHING, SYMBOLS, as_text
from llmops.evals.results import CaseChange, CaseResult, Comparison, Turn


def expected_text(result: CaseResult) -> str:
    """What was asked for; several acceptable texts one a line."""
    wanted = result.expected
    if isinstance(wanted, (list, tuple)) and all(isinstance(each, str) for each in wanted):
        return "\n".join(wanted)
    return as_text(wanted)


@dataclass(frozen=True, slots=True)
class Shown:
    """A case that turned, with the one answer a side that shows it."""

    change: CaseChange
    base: CaseResult | None
    head: CaseResult | None

    @property
    def either(self) -> CaseResult | None:
        """Where the inputs stand."""
        return self.head or self.base


def shown(change: CaseChange) -> Shown:
    """The answers that show how a case turned.

    A case that fails now is shown by an answer that passed and one that
    failed, not by any two of its repeats.
    """
    better, worse = ("passed", "failed")
    if change.turn is Turn.NEWLY_PASSING:
        better, worse = worse, better
    if change.turn is Turn.FLAKY:
        worse = better
    return Shown(change, _pick(change, change.base, better), _pick(change, change.head, worse))


def _pick(change: CaseChange, results: tuple[CaseResult, ...], wanted: str) -> CaseResult | None:
    fits = (each for each in results if outcome_in(each, change.checks) == wanted)
    return next(fits, results[0] if results else None)


def outcome_in(result: CaseResult, checks: tuple[str, ...]) -> str:
    """The worst outcome of a result in the named checks."""
    found = {each.outcome for each in result.verdicts if each.check in checks}
    if result.error is not None:
        return Outcome.ERROR
    for outcome in (Outcome.ERROR, Outcome.FAILED, Outcome.UNSCORED):
        if outcome in found:
            return outcome
    return Outcome.PASSED


def marks(results: tuple[CaseResult, ...], checks: tuple[str, ...], most: int = 12) -> str:
    """A sign for every repeat: `✓✓✗`."""
    told = "".join(SYMBOLS[outcome_in(each, checks)] for each in results[:most])
    return told + ("…" if len(results) > most else "") or NOTHING


def first_of_each(comparison: Comparison, most: int) -> Iterator[Shown]:
    """At most `most` cases of every turn, in the comparison's order, read one by one."""
    left = {turn: min(most, comparison.turns.get(turn, 0)) for turn in Turn}
    if not any(left.values()):
        return
    for change in comparison.changes():
        if left[change.turn] <= 0:
            continue
        left[change.turn] -= 1
        yield shown(change)
        if not any(left.values()):
            return
