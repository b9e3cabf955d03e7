"""Which cases turned between base and head, and how.

A case turns in a check with a pass rule when all its repeats on base passed and
all on head failed, or the other way round; repeats that only confirm a finding
count too. When repeats on one side disagree the case is flaky, and the change
is not blamed for it. A check without a rule has no failing: a case turns in it
when its score between 0 and 1 changes by half of the range or more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from llmops.evals.comparison.pairing import Bools, CheckPair
from llmops.evals.comparison.sides import Side
from llmops.evals.results import CaseChange, CaseResult, Turn

HALF = 0.5

WORST_FIRST = (Turn.NEWLY_FAILING, Turn.BROKEN, Turn.FLAKY, Turn.NEWLY_PASSING)

HELD = 256
"""Cases whose results are held at once while the two sides are read again."""

Codes = npt.NDArray[np.int8]
"""A row a pair: the position in `WORST_FIRST`, or `len(WORST_FIRST)` for a case that did not
turn."""
STAYED = len(WORST_FIRST)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedCase:
    """A case that turned, without its results."""

    case: str
    turn: Turn
    checks: tuple[str, ...]


def turns_of(check: CheckPair, *, ruled: bool, bounded: bool, higher_is_better: bool) -> Codes:
    """How each case turned in one check."""
    base, head = check.base, check.head
    codes = np.full(len(base.judged), STAYED, np.int8)
    on_base = base.seen_passed + base.seen_failed > 0
    on_head = head.seen_passed + head.seen_failed > 0
    if ruled:
        flaky = _mixed(base.seen_passed, base.seen_failed) | _mixed(
            head.seen_passed, head.seen_failed
        )
        both = on_base & on_head
        passed, passes = base.seen_passed > 0, head.seen_passed > 0
        codes[both & ~passed & passes] = WORST_FIRST.index(Turn.NEWLY_PASSING)
        codes[both & passed & ~passes] = WORST_FIRST.index(Turn.NEWLY_FAILING)
        codes[flaky] = WORST_FIRST.index(Turn.FLAKY)
    elif bounded:
        gain = (head.means() - base.means()) * (1 if higher_is_better else -1)
        codes[gain >= HALF] = WORST_FIRST.index(Turn.NEWLY_PASSING)
        codes[gain <= -HALF] = WORST_FIRST.index(Turn.NEWLY_FAILING)
    codes[on_base != on_head] = WORST_FIRST.index(Turn.BROKEN)
    return codes


def count(codes: Codes, turn: Turn, of: Bools | None = None) -> int:
    """How many cases turned so."""
    chosen = codes if of is None else codes[of]
    return int(np.count_nonzero(chosen == WORST_FIRST.index(turn)))


def _mixed(passed: npt.NDArray[np.int32], failed: npt.NDArray[np.int32]) -> Bools:
    return (passed > 0) & (failed > 0)


def turned_cases(ids: Sequence[str], by_check: Mapping[str, Codes]) -> tuple[TurnedCase, ...]:
    """The cases that turned, each by its worst turn, the worst first."""
    if not by_check:
        return ()
    names = tuple(by_check)
    codes = np.stack([by_check[name] for name in names])
    worst = codes.min(axis=0)
    found = []
    for position, turn in enumerate(WORST_FIRST):
        for row in np.flatnonzero(worst == position).tolist():
            checks = tuple(
                name
                for name, code in zip(names, codes[:, row].tolist(), strict=True)
                if code == position
            )
            found.append(TurnedCase(case=ids[row], turn=turn, checks=checks))
    return tuple(found)


def changes(base: Side, head: Side, turned: Sequence[TurnedCase]) -> Iterator[CaseChange]:
    """The turned cases with all their results, in the given order.

    Both sides are read again, as often as it takes to hold no more than `HELD`
    cases at once; whoever stops early has read less.
    """
    for begin in range(0, len(turned), HELD):
        batch = turned[begin : begin + HELD]
        wanted = {each.case for each in batch}
        on_base, on_head = _results(base, wanted), _results(head, wanted)
        for each in batch:
            yield CaseChange(
                case=each.case,
                turn=each.turn,
                checks=each.checks,
                base=on_base.get(each.case, ()),
                head=on_head.get(each.case, ()),
            )


def _results(side: Side, wanted: set[str]) -> dict[str, tuple[CaseResult, ...]]:
    found: dict[str, tuple[CaseResult, ...]] = {}
    for case, results in groupby(side.results(), key=lambda each: each.case):
        if case in wanted:
            found[case] = tuple(results)
            if len(found) == len(wanted):
                break
    return found
