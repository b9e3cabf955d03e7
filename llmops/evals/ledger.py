"""Which results of a run there are, and where in its journal they stand."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from llmops.core.scoring import Outcome

_OPEN, _DONE, _ERROR = 0, 1, 2
_ERRORS_OPEN = bytes.maketrans(bytes([_ERROR]), bytes([_OPEN]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a run that repeats by itself came to its end."""

    rounds: int
    """How often every case was asked; further repeats only confirm."""
    confidence: float
    """Of the intervals on which the decision rests, after what earlier looks have used up."""
    why: str


class Ledger:
    """Which results a journal holds and where, in nine bytes each.

    A slot is a case's position in the selection times the number of repeats,
    plus the repeat. Of several lines for one slot the last one counts.
    """

    def __init__(self, cases: int, repeats: int = 1):
        self.slots = cases * repeats
        self.rounds = repeats
        """Repeats of every case that the run asks for; one that repeats by itself raises it."""
        self.settled: Settled | None = None
        self.offsets = array("q", bytes(8 * self.slots))
        self.failed = 0
        self._cases = cases
        self._repeats = repeats
        self._states = bytearray(self.slots)
        self._finished = [0] * repeats
        self._errors = [0] * repeats
        self._past = 0.0
        self._part = 0.0

    def enter(self, slot: int, offset: int, outcome: Outcome, elapsed: float) -> None:
        """Take note of a result's line."""
        state = _ERROR if outcome is Outcome.ERROR else _DONE
        before = self._states[slot]
        repeat = slot % self._repeats
        self._errors[repeat] += (state == _ERROR) - (before == _ERROR)
        self._finished[repeat] += (state == _DONE) - (before == _DONE)
        self.failed += outcome is Outcome.FAILED and before != _DONE
        self._states[slot] = state
        self.offsets[slot] = offset
        self._part = max(self._part, elapsed)

    def begin_part(self) -> None:
        """Take note that the run was resumed: what ended in an error is open again."""
        self._states = self._states.translate(_ERRORS_OPEN)
        self._errors = [0] * self._repeats
        self._past, self._part = self._past + self._part, 0.0

    def settle(self, settled: Settled) -> None:
        """Take note that a run that repeats by itself has decided."""
        self.settled = settled
        self.rounds = settled.rounds

    def is_finished(self, slot: int) -> bool:
        """Whether the slot has a result that is not an error."""
        return self._states[slot] == _DONE

    @property
    def finished(self) -> int:
        """Results that a resumed run does not repeat."""
        return sum(self._finished)

    @property
    def errors(self) -> int:
        """Results that are errors; a resumed run tries them again."""
        return sum(self._errors)

    @property
    def wanted(self) -> int:
        """Results that the run asks for, as far as it knows yet."""
        return self._cases * self.rounds

    @property
    def missing(self) -> int:
        """Wanted results that there are not."""
        return self.wanted - sum(self._finished[: self.rounds]) - sum(self._errors[: self.rounds])

    @property
    def written(self) -> Iterator[int]:
        """The offsets of the results that there are, in the dataset's order."""
        return (offset for offset, state in zip(self.offsets, self._states, strict=True) if state)

    @property
    def seconds(self) -> float:
        """Wall time of all parts, each until its last result."""
        return self._past + self._part
