"""The cases of a dataset: read twice, never held in memory.

`Dataset.scan` reads the whole file once before any model is called, so that a
broken row is known at the start; `Dataset.cases` reads it again while the run
goes. In between the file may not change.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from llmops.core.errors import DocumentError, Where
from llmops.evals.cases import Case, Columns, Reading
from llmops.evals.rows import Row, read_rows
from llmops.evals.shards import Shard
from llmops.evals.slices.rules import MOST_VALUES, NONE

__all__ = ["Case", "Columns", "Dataset", "RowSchema", "Scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one pass over the whole file found."""

    rows: int
    selected: int
    sha256: str
    first: Case | None
    """The first selected case."""
    with_expected: int
    """Selected cases that have something expected."""
    before_shard: int
    """Selected cases of all shards together."""
    positions: tuple[int, ...] | None
    """Where the cases of this shard stand among those of all; `None` without shards."""


class RowSchema(Protocol):
    """What a row must be like."""

    def first_error(self, value: Any) -> str | None:
        """Where and why a row departs from the schema; `None` when it does not."""
        ...


class Dataset:
    """A dataset file with its columns in their roles."""

    def __init__(self, path: Path, columns: Columns, schema: RowSchema | None = None):
        self.path = path
        self.columns = columns
        self._schema = schema
        self._reading = Reading(path, columns)
        self._state: tuple[int, ...] | None = None

    def scan(
        self,
        selects: Callable[[Case], bool],
        limit: int | None = None,
        shard: Shard | None = None,
    ) -> Scan:
        """Read every row and check it; `selects`, `limit` and `shard` say which cases count.

        Raises `DocumentError` with the line of a row that cannot be a case or
        that the schema refuses, for an id that stands twice, for a file without
        any row, and for a slice that divides nothing or into far too many.
        """
        digest = hashlib.sha256()
        self._state = _state(self.path)
        hashes = array("q")
        selected = with_expected = before_shard = 0
        positions = array("q")
        first: Case | None = None
        values: dict[str, set[str]] = {each.name: set() for each in self.columns.slices}
        for row in read_rows(self.path, digest.update):
            case = self._reading.case(row)
            if self._schema is not None:
                self._refuse_departure(self._schema, row, case.id)
            self._note_values(values, case)
            hashes.append(hash(case.id))
            if (limit is None or before_shard < limit) and selects(case):
                before_shard += 1
                if shard is not None:
                    if not shard.holds(case.id):
                        continue
                    positions.append(before_shard - 1)
                selected += 1
                with_expected += case.expected is not None
                first = first or case
        if not hashes:
            raise DocumentError("the dataset is empty", where=Where(self.path))
        self._refuse_duplicates(hashes)
        self._refuse_empty_slices(values)
        return Scan(
            rows=len(hashes),
            selected=selected,
            sha256=digest.hexdigest(),
            first=first,
            with_expected=with_expected,
            before_shard=before_shard,
            positions=None if shard is None else tuple(positions),
        )

    def cases(
        self,
        selects: Callable[[Case], bool],
        limit: int | None = None,
        shard: Shard | None = None,
    ) -> Iterator[Case]:
        """The selected cases in the file's order.

        Raises `DocumentError` when the file is no longer the one that was
        scanned: a case that is gone would be missing in every count.
        """
        count = 0
        self._refuse_change()
        for row in read_rows(self.path):
            if limit is not None and count >= limit:
                return
            self._refuse_change()
            case = self._reading.case(row)
            if selects(case):
                count += 1
                if shard is None or shard.holds(case.id):
                    yield case
        self._refuse_change()

    def every(self) -> Iterator[Case]:
        """All cases in the file's order, of a file that need not have been scanned."""
        return (self._reading.case(row) for row in read_rows(self.path))

    def _refuse_change(self) -> None:
        if _state(self.path) != self._state:
            raise DocumentError(
                "the dataset changed while it was read",
                hint="start a new run, on a file that stays as it is",
                where=Where(self.path),
            )

    def _refuse_departure(self, schema: RowSchema, row: Row, id_: str) -> None:
        try:
            reason = schema.first_error(row.data)
        except TimeoutError:
            reason = "a pattern of the schema takes too long on it"
        except RecursionError:
            reason = "it is nested too deep to be checked"
        if reason is not None:
            raise DocumentError(
                f"the row `{id_}` departs from the dataset's schema: {reason}",
                hint="change the row, or the schema that `dataset.schema` names",
                where=Where(self.path, row.line),
            )

    def _note_values(self, values: Mapping[str, set[str]], case: Case) -> None:
        """Take note of the case's slices; raise where a slice has too many values."""
        for name, found in values.items():
            found.add(case.slices[name])
            if len(found) > MOST_VALUES:
                raise DocumentError(
                    f"the slice `{name}` has more than {MOST_VALUES} values",
                    hint="a slice is a category such as a language; "
                    "give the dataset a column for it",
                    where=Where(self.path, case.line),
                )

    def _refuse_empty_slices(self, values: Mapping[str, set[str]]) -> None:
        for each in self.columns.slices:
            if values[each.name] == {NONE}:
                source = f"tag `{each.tags}`" if each.tags else f"column `{each.column}`"
                raise DocumentError(
                    f"no case has a value for the slice `{each.name}` ({source})",
                    hint=f"name the column: `slices: {{{each.name}: {{column: COLUMN}}}}`",
                    where=Where(self.path),
                )

    def _refuse_duplicates(self, hashes: array[int]) -> None:
        """Raise for an id that stands twice.

        Eight bytes a row tell whether there may be one; only then the file is
        read once more to name it with both of its lines.
        """
        ordered = array("q", sorted(hashes))
        suspects = {ordered[i] for i in range(1, len(ordered)) if ordered[i] == ordered[i - 1]}
        if not suspects:
            return
        lines: dict[str, int] = {}
        for row in read_rows(self.path):
            id_ = self._reading.id(row)
            if hash(id_) not in suspects:
                continue
            if id_ in lines:
                raise DocumentError(
                    f"the id `{id_}` stands twice, first on line {lines[id_]}",
                    hint="a case is found again by its id, in the next run and in a comparison",
                    where=Where(self.path, row.line),
                )
            lines[id_] = row.line


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)
