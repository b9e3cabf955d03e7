"""Any results as a side of a comparison: ours, or those of another tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.evals.comparison.rules import ComparisonRules
from llmops.evals.comparison.sides import Side
from llmops.evals.foreign.containers import (
    Container,
    CsvRows,
    JsonItems,
    JsonLines,
    open_binary,
)
from llmops.evals.foreign.detecting import Kind, detect, first_character, is_lines
from llmops.evals.foreign.reading import read_side

JOURNAL = "journal.jsonl"
REPORT = "report.json"


def open_side(
    path: Path,
    *,
    label: str | None = None,
    format: Kind | None = None,  # noqa: A002
    subject: str | None = None,
) -> Side:
    """The results in a file or folder; by what it holds, unless `format` says so.

    `subject` chooses among the models and prompts of a promptfoo file. Raises
    `DocumentError` with file and line for what cannot be read or paired.
    """
    path = _in_folder(path)
    kind = format or detect(path)
    if subject is not None and kind is not Kind.PROMPTFOO:
        raise UsageError(f"results of {kind} have one subject", hint="leave out `--subject`")
    side = _readers()[kind](path, subject)
    named = f"{path} ({subject})" if subject is not None else str(path)
    return replace(side, label=label or named)


def rules_of(path: Path) -> ComparisonRules | None:
    """What the suite of a run of ours asks of a comparison; `None` for all other results."""
    from llmops.evals.opening import open_run

    return open_run(path).rules if (path / JOURNAL).is_file() else None


def _in_folder(path: Path) -> Path:
    """The results in a folder, where a tool leaves them in one."""
    if not path.is_dir() or (path / JOURNAL).is_file():
        return path
    if (path / REPORT).is_file():
        return path / REPORT
    latest = path / ".deepeval" / ".latest_test_run.json"
    if latest.is_file():
        return latest
    found = sorted([*path.glob("samples_*.jsonl"), *path.glob("*/samples_*.jsonl")])
    found += sorted(path.glob("*.eval"))
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"`{each.relative_to(path)}`" for each in found[:6])
    raise DocumentError(
        "holds several results" if found else "holds no results that are known here",
        hint=f"name one: {shown}" if found else "name a file, or the folder of a run",
        where=Where(path),
    )


def _readers() -> dict[Kind, Callable[[Path, str | None], Side]]:
    return {
        Kind.LLMOPS: _ours,
        Kind.PROMPTFOO: _promptfoo,
        Kind.INSPECT: _inspect,
        Kind.DEEPEVAL: _deepeval,
        Kind.LM_EVAL: _lm_eval,
        Kind.MLFLOW: _mlflow,
        Kind.TABLE: _table,
    }


def _ours(path: Path, _: str | None) -> Side:
    from llmops.evals.opening import open_run

    return open_run(path).side


def _promptfoo(path: Path, subject: str | None) -> Side:
    from llmops.evals.foreign.promptfoo import Promptfoo

    return read_side(Promptfoo(_container(path, ("results", "results")), subject), str(path))


def _inspect(path: Path, _: str | None) -> Side:
    from llmops.evals.foreign.eval_archive import EvalArchive
    from llmops.evals.foreign.inspect_ai import InspectLog

    with open_binary(path) as file:
        packed = file.read(2) == b"PK"
    if packed:
        archive = EvalArchive(path)
        return read_side(InspectLog(archive, archive.header()), str(path))
    items = JsonItems(path, ("samples",))
    return read_side(InspectLog(items, items.head("status", "eval")), str(path))


def _deepeval(path: Path, _: str | None) -> Side:
    from llmops.evals.foreign.deepeval import DeepEval

    lists = [
        (*above, name)
        for above in ((), ("testRunData",))
        for name in ("testCases", "conversationalTestCases")
    ]
    return read_side(DeepEval(JsonItems(path, *lists)), str(path))


def _lm_eval(path: Path, _: str | None) -> Side:
    from llmops.evals.foreign.lm_eval import LmEval

    return read_side(LmEval(path), str(path))


def _mlflow(path: Path, _: str | None) -> Side:
    from llmops.evals.foreign.mlflow_tables import MlflowTable, SplitTable

    if first_character(path) == "{" and not is_lines(path):
        return read_side(MlflowTable(SplitTable(path)), str(path))
    return read_side(MlflowTable(_container(path, ())), str(path))


def _table(path: Path, _: str | None) -> Side:
    from llmops.evals.foreign.tables import Table

    return read_side(Table(_container(path, ())), str(path))


def _container(path: Path, at: tuple[str, ...]) -> Container:
    """The file as CSV, as JSON Lines, or as a document with its records `at` some keys."""
    if first_character(path) not in ("{", "["):
        return CsvRows(path)
    return JsonLines(path) if is_lines(path) else JsonItems(path, at)
