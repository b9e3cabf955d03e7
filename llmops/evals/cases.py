"""A row of a dataset as a case: each column in its role."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.evals.rows import Row
from llmops.evals.slices.rules import Slice

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
    slices: Mapping[str, str] = field(default_factory=dict)
    """The case's value in each slice."""
    counterfactual: str | None = None
    """The group of cases that ask the same but for the values of their slices."""


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
    slices: tuple[Slice, ...] = ()
    counterfactual: str | None = None
    """Left out: the column `counterfactual`, where a row has one."""

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that no row may lack."""
        named = (
            self.id,
            *self.inputs.values(),
            self.expected,
            *self.contexts,
            self.tags,
            self.counterfactual,
        )
        return tuple(dict.fromkeys(name for name in named if name is not None))


class Reading:
    """Reads the rows of one file as cases; `DocumentError` says what is wrong on which line."""

    def __init__(self, path: Path, columns: Columns):
        self._path = path
        self._columns = columns
        self._required = columns.required

    def case(self, row: Row) -> Case:
        """The case in a row."""
        columns, data = self._columns, row.data
        for name in self._required:
            if name not in data:
                raise missing_columns(self._required, data, Where(self._path, row.line))
        inputs = {variable: data[column] for variable, column in columns.inputs.items()}
        for variable in columns.optional:
            if variable in data:
                inputs[variable] = data[variable]
        expected = data.get(columns.expected or "expected")
        tags = self._tags(row)
        return Case(
            id=self.id(row),
            line=row.line,
            inputs=inputs,
            # An empty CSV cell means "nothing"; `contains ""` would always hold.
            expected=None if expected == "" else expected,
            contexts=self._contexts(row) if columns.contexts else (),
            tags=tags,
            slices=self._slices(row, tags) if columns.slices else {},
            counterfactual=self._group(row),
        )

    def id(self, row: Row) -> str:
        """The id of a row."""
        value = row.data[self._columns.id]
        where = Where(self._path, row.line)
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise DocumentError(
                f"the id (column `{self._columns.id}`) is neither a text nor a whole number",
                where=where,
            )
        text = "" if value is None else str(value)
        if not text.strip():
            raise DocumentError(f"the id (column `{self._columns.id}`) is missing", where=where)
        if len(text) > ID_LENGTH or not text.isprintable():
            raise DocumentError(
                f"the id (column `{self._columns.id}`) is longer than {ID_LENGTH} characters "
                "or holds a line break or control character",
                where=where,
            )
        return text

    def _contexts(self, row: Row) -> tuple[str, ...]:
        found: list[str] = []
        for name in self._columns.contexts:
            value = row.data[name]
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str):
                    found.append(each)
                elif each is not None:
                    raise DocumentError(
                        f"the context (column `{name}`) is neither a text nor a list of texts",
                        where=Where(self._path, row.line),
                    )
        return tuple(found)

    def _tags(self, row: Row) -> tuple[str, ...]:
        name = self._columns.tags or "tags"
        value = row.data.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return tuple(tag for tag in re.split(r"[,;\s]+", value) if tag)
        if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
            return tuple(value)
        raise DocumentError(
            f"the tags (column `{name}`) are neither a text nor a list of texts",
            where=Where(self._path, row.line),
        )

    def _slices(self, row: Row, tags: tuple[str, ...]) -> dict[str, str]:
        try:
            return {each.name: each.value(row.data, tags) for each in self._columns.slices}
        except UsageError as error:
            error.where = Where(self._path, row.line)
            raise

    def _group(self, row: Row) -> str | None:
        name = self._columns.counterfactual or "counterfactual"
        value = row.data.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise DocumentError(
                f"the counterfactual group (column `{name}`) is neither a text nor a whole number",
                where=Where(self._path, row.line),
            )
        return str(value)


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
