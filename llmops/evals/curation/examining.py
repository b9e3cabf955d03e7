"""A dataset examined: its columns, and rows that stand in it twice or in another file too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.core.files import relative
from llmops.evals.cases import missing_columns
from llmops.evals.curation.columns import Column, Columns
from llmops.evals.curation.duplicates import Sketches, duplicates, near_duplicates, overlap
from llmops.evals.rows import Row, read_rows

SIMILAR = 0.8
"""From which similarity on rows are alike: a word or two of a sentence differ."""

NOT_COMPARED = ("id", "tags", "expected", "counterfactual", "template")
"""Columns of a file alone that say something about a case, and are not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Cases that are the same, or nearly."""

    ids: tuple[str, ...]
    similarity: float
    expected_differs: bool = False
    """Whether something else is expected of them, so that one of them must fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A case that stands in another file too."""

    id: str
    other: str
    """The id there, or `line 12` in a file without ids."""
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What stands in another file too."""

    file: str
    rows: int
    """Of that file."""
    cases: tuple[Elsewhere, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What there is to know of a dataset without showing a text of it."""

    file: str
    sha256: str
    rows: int
    columns: tuple[Column, ...]
    compared: tuple[str, ...]
    """The columns that rows are compared by; all of them have to be alike."""
    similarity: float
    duplicates: tuple[Together, ...]
    near_duplicates: tuple[Together, ...]
    overlap: tuple[Overlap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which columns are what; left out, as files mostly have them."""

    id: str = "id"
    compared: tuple[str, ...] | None = None
    """Left out: all columns that `NOT_COMPARED` does not name."""
    expected: str = "expected"
    alike: str = "counterfactual"
    """Rows that agree here are alike on purpose."""


def examine(
    path: Path,
    roles: Roles,
    *,
    against: Sequence[Path] = (),
    similarity: float = SIMILAR,
    root: Path | None = None,
) -> Examined:
    """Examine the dataset at `path`, and look for its cases in the files `against`.

    Reads every file once. Holds no text: 20,000 rows take some 50 MB. Raises
    `DocumentError` for a file that cannot be read and `UsageError` where
    nothing can be compared.
    """
    here = _File(path, roles, roles.compared)
    others = [_File(each, roles, here.compared) for each in against]
    shown = root or Path.cwd()
    return Examined(
        file=relative(path, shown),
        sha256=here.sha256,
        rows=here.columns.rows,
        columns=here.columns.found(),
        compared=here.compared,
        similarity=similarity,
        duplicates=tuple(
            Together(
                ids=tuple(here.ids[row] for row in each.rows),
                similarity=1.0,
                expected_differs=len({here.expected[row] for row in each.rows}) > 1,
            )
            for each in duplicates(here.sketches)
        ),
        near_duplicates=tuple(
            Together(
                ids=tuple(here.ids[row] for row in each.rows),
                similarity=round(each.similarity, 3),
            )
            for each in near_duplicates(here.sketches, similarity)
        ),
        overlap=tuple(
            Overlap(
                file=relative(other.path, shown),
                rows=other.columns.rows,
                cases=tuple(
                    Elsewhere(
                        id=here.ids[each.row],
                        other=other.ids[each.other],
                        similarity=round(each.similarity, 3),
                    )
                    for each in overlap(here.sketches, other.sketches, similarity)
                ),
            )
            for other in others
        ),
    )


class _File:
    """One file, read."""

    def __init__(self, path: Path, roles: Roles, compared: tuple[str, ...] | None):
        self.path = path
        self.ids: list[str] = []
        self.expected: list[int] = []
        self.columns = Columns()
        digest = hashlib.sha256()
        groups: dict[str, int] = {}
        sketches: Sketches | None = None
        names: tuple[str, ...] = ()
        for row in read_rows(path, digest.update):
            if sketches is None:
                names = compared or _comparable(row, roles, path)
                sketches = Sketches(len(names))
            self._refuse_absent(row, names)
            self.columns.add(row.data)
            self.ids.append(_id(row, roles.id))
            self.expected.append(hash(_text(row.data.get(roles.expected))))
            group = row.data.get(roles.alike)
            sketches.add(
                [_text(row.data.get(name)) for name in names],
                -1 if group in (None, "") else groups.setdefault(str(group), len(groups)),
            )
        if sketches is None:
            raise DocumentError("the dataset is empty", where=Where(path))
        self.sketches = sketches
        self.compared = names
        self.sha256 = digest.hexdigest()

    def _refuse_absent(self, row: Row, names: Sequence[str]) -> None:
        """Raise for a row that has none of the columns: all such rows would be the same."""
        if not any(name in row.data for name in names):
            error = missing_columns(names, row.data, Where(self.path, row.line))
            error.hint = (error.hint or "").partition(";")[0] + "; `--column` says which to compare"
            raise error


def _comparable(row: Row, roles: Roles, path: Path) -> tuple[str, ...]:
    names = tuple(
        name for name in row.data if name not in (*NOT_COMPARED, roles.id, roles.expected)
    )
    if not names:
        raise UsageError(
            "there is no column to compare cases by",
            hint="name one: `--column question`",
            where=Where(path, row.line),
        )
    return names


def _id(row: Row, column: str) -> str:
    value = row.data.get(column)
    return f"line {row.line}" if value in (None, "") else str(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=isinstance(value, Mapping), ensure_ascii=False)
