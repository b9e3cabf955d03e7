"""Tables: one row a case, as CSV, JSON Lines or a list in JSON.

Columns with a role: `id`, `repeat`, `score`, `passed`, `output`, `input`,
`expected`, `error`, `latency` (seconds), `input_tokens`, `output_tokens`,
`cost`. Of the others, those whose values are all numbers are checks that only
measure; texts are kept as inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Verdict
from llmops.evals.comparison.sides import SideCheck
from llmops.evals.foreign.containers import Container, Raw
from llmops.evals.foreign.reading import Entry
from llmops.evals.foreign.values import as_text, number, verdict, whole
from llmops.evals.results import CaseResult

SCORE = "score"
_ROLES = frozenset(
    {
        *("id", "repeat", SCORE, "passed", "output", "input", "expected", "error"),
        *("latency", "input_tokens", "output_tokens", "cost"),
    }
)
_EMPTY = (None, "")


class Table:
    """What the rows of a plain table mean."""

    kind = "table"
    complete = True

    def __init__(self, container: Container):
        self.container = container
        self._measures, self._judged = _columns(container)

    def entry(self, raw: Raw) -> Entry:
        """One row."""
        row = raw.data
        error = row.get("error")
        failed = error not in _EMPTY
        repeat = row.get("repeat")
        return Entry(
            numbered=repeat not in _EMPTY,
            result=CaseResult(
                case=_id(row, raw.where),
                repeat=_repeat(repeat, raw.where),
                inputs={
                    name: value
                    for name, value in row.items()
                    if (name not in _ROLES and name not in self._measures) or name == "input"
                },
                expected=None if row.get("expected") == "" else row.get("expected"),
                output=None if failed else as_text(row.get("output")) or "",
                error=str(error) if failed else None,
                verdicts=() if failed else tuple(self._verdicts(row, raw.where)),
                latency=number(row.get("latency")),
                usage=Usage(
                    input_tokens=whole(row.get("input_tokens")),
                    output_tokens=whole(row.get("output_tokens")),
                    cost=number(row.get("cost")),
                ),
            ),
        )

    def checks(self) -> Mapping[str, SideCheck]:
        """The score, and each other column of numbers."""
        rule = "as the column `passed` says" if self._judged else None
        score = {SCORE: SideCheck(name=SCORE, scorer=SCORE, rule=rule)}
        return score | {name: SideCheck(name=name, scorer=name) for name in self._measures}

    def identity(self) -> Mapping[str, str]:
        """Nothing: a table has no name."""
        return {}

    def notes(self) -> Iterator[str]:
        """Which columns became checks."""
        if self._measures:
            listed = ", ".join(f"`{name}`" for name in self._measures)
            yield (
                "columns of numbers are checks, of which more is better unless `--lower` names "
                f"them: {listed}"
            )

    def _verdicts(self, row: Mapping[str, Any], where: Where) -> Iterator[Verdict]:
        passed = _passed(row.get("passed"), where)
        if SCORE in row or "passed" in row:
            score = _score(row.get(SCORE), where)
            if score is None and SCORE not in row and passed is not None:
                score = float(passed)
            judged = score is not None and (passed is not None or not self._judged)
            yield verdict(SCORE, score if judged else None, passed=passed)
        for name in self._measures:
            yield verdict(name, number(row.get(name)), passed=None)


def _columns(container: Container) -> tuple[list[str], bool]:
    """The columns that are measures, and whether rows are judged."""
    numeric: dict[str, bool] = {}
    judged = scored = filled = False
    for raw in container.read():
        if not isinstance(raw.data, dict):
            raise DocumentError("expected an object with `id` and `score`", where=raw.where)
        _id(raw.data, raw.where)
        filled = True
        judged |= "passed" in raw.data
        scored |= SCORE in raw.data or "passed" in raw.data
        for name, value in raw.data.items():
            if name not in _ROLES and value not in _EMPTY:
                spells = isinstance(value, bool | int | float) or number(value) is not None
                numeric[name] = numeric.get(name, True) and (spells or _is_nan(value))
    if not filled:
        raise DocumentError("holds no result", where=Where(container.path))
    measures = [name for name, always in numeric.items() if always and name]
    if not scored and not measures:
        raise DocumentError(
            "has neither a column `score` nor another one of numbers",
            hint="a row has an `id` and a `score`, and may have `passed`, `repeat` and `output`",
            where=Where(container.path),
        )
    return measures, judged


def _id(row: Mapping[str, Any], where: Where) -> str:
    value = row.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        there = "" if "id" in row else f"; columns here: {', '.join(map(str, row)) or 'none'}"
        raise DocumentError(
            f"the `id` is missing{there}",
            hint="cases are paired by their ids",
            where=where,
        )
    return str(value)


def _repeat(value: Any, where: Where) -> int:
    if value in _EMPTY:
        return 0
    found = number(value)
    if found is None or found < 0 or found != int(found):
        raise DocumentError(f"`repeat` is no whole number: {value!r}", where=where)
    return int(found)


def _score(value: Any, where: Where) -> float | None:
    found = number(value)
    if found is None and value not in _EMPTY and not _is_nan(value):
        raise DocumentError(f"`score` is no number: {value!r}", where=where)
    return found


def _passed(value: Any, where: Where) -> bool | None:
    if value in _EMPTY:
        return None
    found = number(value)
    if found not in (0.0, 1.0):
        raise DocumentError(f"`passed` is neither true nor false: {value!r}", where=where)
    return found == 1.0


def _is_nan(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("nan", "null", "none", "n/a", "na")
    return isinstance(value, float)
