"""From the records of a file to a `Side`: cases put in order, repeats counted, rules found.

A file is read once to learn what is in it (ids, repeats, checks), and again
whenever the results are asked for; between the two, only the places of the
records are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Outcome, Verdict
from llmops.evals.comparison.sides import Side, SideCheck
from llmops.evals.foreign.containers import Container, Raw
from llmops.evals.foreign.values import failure, verdict
from llmops.evals.results import CaseResult

BINARY_RULE = "== 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one record says of one case."""

    result: CaseResult
    numbered: bool = False
    """Whether the file itself says which repeat it is; else repeats are counted."""
    part: str = ""
    """Of a result that a file spreads over several records: which part this one is."""


class Format(Protocol):
    """What the records of a tool's file mean."""

    kind: str
    container: Container
    complete: bool
    """Whether every check looks at every case: one that is missing then was not scored."""

    def entry(self, raw: Raw) -> Entry | None:
        """What a record says; `None` for one that is none of this side's."""
        ...

    def checks(self) -> Mapping[str, SideCheck]:
        """What is known of the checks, once every record was seen."""
        ...

    def identity(self) -> Mapping[str, str]:
        """What both sides must have in common."""
        ...

    def notes(self) -> Iterable[str]:
        """What a reader must know, once every record was seen."""
        ...


def read_side(format_: Format, label: str) -> Side:
    """The results of a file.

    Raises `DocumentError` with file and line for a record that has no id, for
    two records of one case and repeat, and for a file without any result.
    """
    index = _Index()
    for raw in format_.container.read():
        entry = format_.entry(raw)
        if entry is not None:
            index.add(entry, raw)
    if not index.slots:
        raise DocumentError("holds no result", where=Where(format_.container.path))
    known = format_.checks()
    binary = frozenset(
        name for name, only in index.binary.items() if only and known[name].rule is None
    )
    checks = {
        name: replace(known[name], rule=BINARY_RULE) if name in binary else known[name]
        for name in index.binary
    }
    reader = _Results(format_, index, checks if format_.complete else {}, binary)
    return Side(
        label=label,
        kind=format_.kind,
        checks=tuple(checks.values()),
        results=reader.results,
        repeats=max(slot.repeat for slot in index.slots) + 1,
        identity=format_.identity(),
        notes=tuple(format_.notes()),
    )


class _Slot(NamedTuple):
    case: int
    repeat: int
    place: Any
    line: int | None


@dataclass
class _Index:
    """Which record belongs to which case and repeat."""

    slots: list[_Slot] = field(default_factory=list)
    binary: dict[str, bool] = field(default_factory=dict)
    """Each check, and whether all its scores are 0 or 1."""
    _cases: dict[str, int] = field(default_factory=dict)
    _seen: dict[tuple[int, str], int] = field(default_factory=dict)
    _taken: dict[tuple[int, int, str], int | None] = field(default_factory=dict)

    def add(self, entry: Entry, raw: Raw) -> None:
        """Note a record; `DocumentError` if its case and repeat are taken."""
        result = entry.result
        case = self._cases.setdefault(result.case, len(self._cases))
        repeat = result.repeat
        if not entry.numbered:
            repeat = self._seen.get((case, entry.part), 0)
            self._seen[case, entry.part] = repeat + 1
        key = (case, repeat, entry.part)
        if key in self._taken:
            raise self._twice(result.case, repeat, self._taken[key], raw.where)
        self._taken[key] = raw.where.line
        self.slots.append(_Slot(case, repeat, raw.place, raw.where.line))
        for each in result.verdicts:
            only = self.binary.get(each.check, True) and each.score.value in (None, 0.0, 1.0)
            self.binary[each.check] = only

    @property
    def is_ordered(self) -> bool:
        """Whether the file has all records of a case next to each other, in order."""
        return all(
            one[:2] <= other[:2] for one, other in zip(self.slots, self.slots[1:], strict=False)
        )

    def ordered(self) -> list[_Slot]:
        """The records case by case, in the order in which the cases come first."""
        return sorted(self.slots, key=lambda slot: slot[:2])

    def _twice(self, case: str, repeat: int, first: int | None, where: Where) -> DocumentError:
        earlier = f", first on line {first}" if first else ""
        return DocumentError(
            f"the case `{case}` (repeat {repeat}) stands twice{earlier}",
            hint="cases are paired by their ids: give each one of its own, or number its repeats",
            where=where,
        )


@dataclass(frozen=True)
class _Results:
    """Reads the results again, all repeats of a case next to each other."""

    format: Format
    index: _Index
    every: Mapping[str, SideCheck]
    """The checks that each result has to have."""
    binary: frozenset[str]

    def results(self) -> Iterator[CaseResult]:
        container = self.format.container
        if self.index.is_ordered:
            slots = self.index.slots
            entries = (self.format.entry(raw) for raw in container.read())
        else:
            slots = self.index.ordered()
            entries = (self.format.entry(raw) for raw in container.at(s.place for s in slots))
        found = (entry.result for entry in entries if entry is not None)
        together = zip(slots, found, strict=True)
        for slot, parts in groupby(together, key=lambda pair: pair[0][:2]):
            yield self._whole([result for _, result in parts], slot[1])

    def _whole(self, parts: list[CaseResult], repeat: int) -> CaseResult:
        verdicts = [self._judged(each) for part in parts for each in part.verdicts]
        there = {each.check for each in verdicts}
        error = parts[0].error
        verdicts += [
            verdict(name, None, passed=None) if error is None else failure(name, error)
            for name in self.every
            if name not in there
        ]
        if len(parts) == 1 and repeat == parts[0].repeat and parts[0].verdicts == tuple(verdicts):
            return parts[0]
        return replace(parts[0], repeat=repeat, verdicts=tuple(verdicts))

    def _judged(self, found: Verdict) -> Verdict:
        """A score that is 0 or 1 for all cases is a pass or a failure."""
        if found.check in self.binary and found.score.value == 0.0:
            return replace(found, outcome=Outcome.FAILED)
        return found
