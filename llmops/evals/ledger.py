"""Which results of a run there are, and where in its journal they stand."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from llmops.core.scoring import Outcome

_OPEN, _DONE, _ERROR = 0, 1, 2
_ERRORS_OPEN = bytes.maketrans(bytes([_ERROR]), bytes([_OPEN]))


class Ledger:
    """Which results a journal holds and where, in nine bytes each.

    A slot is a case's position in the selection times the number of repeats,
    plus the repeat. Of several lines for one slot the last one counts.
    """

    def __init__(self, slots: int):
        self.slots = slots
        self.offsets = array("q", bytes(8 * slots))
        self._states = bytearray(slots)
        self.finished = 0
        """Results that a resumed run does not repeat."""
        self.errors = 0
        self.failed = 0
        self._past = 0.0
        self._part = 0.0

    def enter(self, slot: int, offset: int, outcome: Outcome, elapsed: float) -> None:
        """Take note of a result's line."""
        state = _ERROR if outcome is Outcome.ERROR else _DONE
        before = self._states[slot]
        self.errors += (state == _ERROR) - (before == _ERROR)
        self.finished += (state == _DONE) - (before == _DONE)
        self.failed += outcome is Outcome.FAILED and before != _DONE
        self._states[slot] = state
        self.offsets[slot] = offset
        self._part = max(self._part, elapsed)

    def begin_part(self) -> None:
        """Take note that the run was resumed: what ended in an error is open again."""
        self._states = self._states.translate(_ERRORS_OPEN)
        self.errors = 0
        self._past, self._part = self._past + self._part, 0.0

    def is_finished(self, slot: int) -> bool:
        """Whether the slot has a result that is not an error."""
        return self._states[slot] == _DONE

    @property
    def missing(self) -> int:
        """Slots without any result."""
        return self.slots - self.finished - self.errors

    @property
    def written(self) -> Iterator[int]:
        """The offsets of the results that there are, in the dataset's order."""
        return (offset for offset, state in zip(self.offsets, self._states, strict=True) if state)

    @property
    def seconds(self) -> float:
        """Wall time of all parts, each until its last result."""
        return self._past + self._part
