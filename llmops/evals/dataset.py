"""The cases of a dataset: read twice, never held in memory.

`Dataset.scan` reads the whole file once before any model is called, so that a
broken row is known at the start; `Dataset.cases` reads it again while the run
goes. In between the file may not change.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, Where
from llmops.evals.rows import Row, read_rows

ID_LENGTH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the dataset, with each column in its role."""

    id: str
    line: int
    inputs: Mapping[str, Any]
    expected: Any = None
    contexts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column plays which role."""

    id: str = "id"
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Variable: column. Every row must have each of these columns."""
    optional: frozenset[str] = frozenset()
    """Further variables, taken from the column of the same name where a row has it."""
    expected: str | None = None
    """Left out: the column `expected`, where a row has one."""
    contexts: tuple[str, ...] = ()
    tags: str | None = None
    """Left out: the column `tags`, where a row has one."""

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that no row may lack."""
        named = (self.id, *self.inputs.values(), self.expected, *self.contexts, self.tags)
        return tuple(dict.fromkeys(name for name in named if name is not None))


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


class Dataset:
    """A dataset file with its columns in their roles."""

    def __init__(self, path: Path, columns: Columns):
        self.path = path
        self.columns = columns
        self._required = columns.required
        self._state: tuple[int, ...] | None = None

    def scan(self, selects: Callable[[Case], bool], limit: int | None = None) -> Scan:
        """Read every row and check it; `selects` and `limit` say which cases count.

        Raises `DocumentError` with the line of a row that cannot be a case, for
        an id that stands twice, and for a file without any row.
        """
        digest = hashlib.sha256()
        self._state = _state(self.path)
        hashes = array("q")
        selected = with_expected = 0
        first: Case | None = None
        for row in read_rows(self.path, digest.update):
            case = self._case(row)
            hashes.append(hash(case.id))
            if (limit is None or selected < limit) and selects(case):
                selected += 1
                with_expected += case.expected is not None
                first = first or case
        if not hashes:
            raise DocumentError("the dataset is empty", where=Where(self.path))
        self._refuse_duplicates(hashes)
        return Scan(
            rows=len(hashes),
            selected=selected,
            sha256=digest.hexdigest(),
            first=first,
            with_expected=with_expected,
        )

    def cases(self, selects: Callable[[Case], bool], limit: int | None = None) -> Iterator[Case]:
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
            case = self._case(row)
            if selects(case):
                count += 1
                yield case
        self._refuse_change()

    def _refuse_change(self) -> None:
        if _state(self.path) != self._state:
            raise DocumentError(
                "the dataset changed while it was read",
                hint="start a new run, on a file that stays as it is",
                where=Where(self.path),
            )

    def _case(self, row: Row) -> Case:
        columns, data = self.columns, row.data
        for name in self._required:
            if name not in data:
                raise missing_columns(self._required, data, Where(self.path, row.line))
        inputs = {variable: data[column] for variable, column in columns.inputs.items()}
        for variable in columns.optional:
            if variable in data:
                inputs[variable] = data[variable]
        expected = data.get(columns.expected or "expected")
        return Case(
            id=self._id(row),
            line=row.line,
            inputs=inputs,
            # An empty CSV cell means "nothing"; `contains ""` would always hold.
            expected=None if expected == "" else expected,
            contexts=self._contexts(row) if columns.contexts else (),
            tags=self._tags(row),
        )

    def _id(self, row: Row) -> str:
        value = row.data[self.columns.id]
        where = Where(self.path, row.line)
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise DocumentError(
                f"the id (column `{self.columns.id}`) is neither a text nor a whole number",
                where=where,
            )
        text = "" if value is None else str(value)
        if not text.strip():
            raise DocumentError(f"the id (column `{self.columns.id}`) is missing", where=where)
        if len(text) > ID_LENGTH or not text.isprintable():
            raise DocumentError(
                f"the id (column `{self.columns.id}`) is longer than {ID_LENGTH} characters "
                "or holds a line break or control character",
                where=where,
            )
        return text

    def _contexts(self, row: Row) -> tuple[str, ...]:
        found: list[str] = []
        for name in self.columns.contexts:
            value = row.data[name]
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str):
                    found.append(each)
                elif each is not None:
                    raise DocumentError(
                        f"the context (column `{name}`) is neither a text nor a list of texts",
                        where=Where(self.path, row.line),
                    )
        return tuple(found)

    def _tags(self, row: Row) -> tuple[str, ...]:
        name = self.columns.tags or "tags"
        value = row.data.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return tuple(tag for tag in re.split(r"[,;\s]+", value) if tag)
        if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
            return tuple(value)
        raise DocumentError(
            f"the tags (column `{name}`) are neither a text nor a list of texts",
            where=Where(self.path, row.line),
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
            id_ = self._id(row)
            if hash(id_) not in suspects:
                continue
            if id_ in lines:
                raise DocumentError(
                    f"the id `{id_}` stands twice, first on line {lines[id_]}",
                    hint="a case is found again by its id, in the next run and in a comparison",
                    where=Where(self.path, row.line),
                )
            lines[id_] = row.line


def missing_columns(
    wanted: Sequence[str], found: Sequence[str] | Mapping[str, Any], where: Where
) -> DocumentError:
    """The error that says which of the `wanted` columns are missing, and which there are."""
    missing = ", ".join(f"`{name}`" for name in wanted if name not in found)
    there = ", ".join(f"`{name}`" for name in found) or "none"
    return DocumentError(
        f"missing columns: {missing}",
        hint=f"columns here: {there}; `dataset.id`, `.inputs` and `.expected` say which is which",
        where=where,
    )


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)
