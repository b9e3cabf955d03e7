"""MLflow: evaluation tables (seen with 3.17.2).

`eval_results_table.json` of `mlflow.models.evaluate` has a column `NAME/score`
a metric; the `result_df` of `mlflow.genai.evaluate`, saved by pandas as JSON or
CSV, has `NAME/value`, and `NAME/error_message` where a scorer failed. MLflow's
own mean leaves such rows out; here they are errors.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Verdict
from llmops.evals.comparison.sides import SideCheck
from llmops.evals.foreign.containers import Container, JsonItems, Raw
from llmops.evals.foreign.reading import Entry
from llmops.evals.foreign.shapes import Shape, check_shapes
from llmops.evals.foreign.values import as_text, failure, made_id, number, verdict
from llmops.evals.results import CaseResult

_IDS = ("id", "case_id", "client_request_id")
_ASKED = ("request", "inputs", "question", "query", "prompt", "input")
_ANSWERED = ("response", "outputs", "output", "answer", "predictions", "prediction")
_VALUES = ("/value", "/score")


class SplitTable:
    """A table as pandas spells it with `orient="split"`: names of columns, then lists of values."""

    def __init__(self, path: Path):
        self.path = path
        head = JsonItems(path).head("columns")
        check_shapes(head, {"columns": Shape.TEXTS}, Where(path))
        self._columns = head.get("columns") or []
        self._rows = JsonItems(path, ("data",))

    def read(self) -> Iterator[Raw]:
        """Every row, as a mapping."""
        return map(self._named, self._rows.read())

    def at(self, places: Iterable[Any]) -> Iterator[Raw]:
        """The rows at these places."""
        return map(self._named, self._rows.at(places))

    def _named(self, raw: Raw) -> Raw:
        if not isinstance(raw.data, list) or len(raw.data) != len(self._columns):
            raise DocumentError("a row that has not the table's columns", where=raw.where)
        return raw._replace(data=dict(zip(self._columns, raw.data, strict=True)))


class MlflowTable:
    """What the rows of an evaluation table mean."""

    kind = "mlflow"
    complete = True

    def __init__(self, container: Container):
        self.container = container
        self._columns = _columns(container)
        self._id = next((name for name in _IDS if self._columns.get(name)), None)
        self._asked = next((name for name in _ASKED if name in self._columns), None)
        if self._id is None and self._asked is None:
            raise DocumentError(
                "has no column by which a case could be found again in another table",
                hint="add a column `id` to the data that is evaluated",
                where=Where(container.path),
            )

    def entry(self, raw: Raw) -> Entry:
        """One row."""
        row = raw.data
        failed = row.get("state") == "ERROR"
        error = "the traced call ended in an error" if failed else None
        asked = _structured(row.get(self._asked)) if self._asked else None
        answered = next((row[name] for name in _ANSWERED if name in row), None)
        return Entry(
            result=CaseResult(
                case=self._case(row, asked, raw.where),
                inputs=asked if isinstance(asked, dict) else {"input": asked},
                expected=_expected(row),
                output=None if failed else as_text(answered) or "",
                error=error,
                verdicts=() if failed else tuple(self._verdicts(row)),
                latency=_seconds(row.get("execution_duration")),
            )
        )

    def checks(self) -> Mapping[str, SideCheck]:
        """Each metric or scorer that gave a number, yes or no."""
        return {name: SideCheck(name=name, scorer=name) for name in self._metrics()}

    def identity(self) -> Mapping[str, str]:
        """Nothing: a table does not say of what it is."""
        return {}

    def notes(self) -> Iterator[str]:
        """How cases are told apart where they have no id."""
        if self._id is None:
            yield (
                f"the table has no id that lasts: cases are paired by `{self._asked}`, "
                "and the same once more is a repeat"
            )

    def _case(self, row: Mapping[str, Any], asked: Any, where: Where) -> str:
        if self._id is None:
            first = next(iter(asked.values()), "") if isinstance(asked, dict) else asked
            return made_id(str(first), asked)
        value = row.get(self._id)
        if value in (None, "") or (number(value) is None and not isinstance(value, str)):
            raise DocumentError(f"the id (column `{self._id}`) is missing", where=where)
        return str(value)

    def _metrics(self) -> Iterator[str]:
        for column, numeric in self._columns.items():
            if column.endswith(_VALUES) and numeric:
                yield column.rpartition("/")[0]
            elif column.endswith("/error_message"):
                yield column.removesuffix("/error_message")

    def _verdicts(self, row: Mapping[str, Any]) -> Iterator[Verdict]:
        for name in dict.fromkeys(self._metrics()):
            value = next((row[name + end] for end in _VALUES if name + end in row), None)
            why = row.get(f"{name}/rationale") or row.get(f"{name}/justification") or ""
            error = row.get(f"{name}/error_message")
            if isinstance(error, str) and error:
                yield failure(name, error)
            else:
                yield verdict(name, number(value), passed=None, why=str(why))


def _columns(container: Container) -> dict[str, bool]:
    """Every column, and whether it has values and, as a score, all of them are numbers."""
    found: dict[str, bool] = {}
    told: set[str] = set()
    for raw in container.read():
        if not isinstance(raw.data, dict):
            raise DocumentError("is no row of a table", where=raw.where)
        for name, value in raw.data.items():
            found.setdefault(name, True)
            if value in (None, "") or value != value:
                continue
            told.add(name)
            if name.endswith(_VALUES):
                found[name] &= number(value) is not None
    return {name: fits and name in told for name, fits in found.items()}


def _expected(row: Mapping[str, Any]) -> Any:
    named = next((row[name] for name in ("targets", "expectations", "expected") if name in row), "")
    if named:
        return named
    expected = {
        name.removesuffix("/value"): value
        for name, value in row.items()
        if name.endswith("/value") and isinstance(value, str) and value and number(value) is None
    }
    return expected or None


def _structured(asked: Any) -> Any:
    """What was asked; pandas writes a mapping into CSV as Python spells it."""
    if not isinstance(asked, str) or not asked.startswith("{"):
        return asked
    try:
        return ast.literal_eval(asked)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return asked


def _seconds(milliseconds: Any) -> float | None:
    value = number(milliseconds)
    return None if value is None else value / 1000
