"""Whose results a file holds, told by what is in it and not by its name."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.evals.foreign.containers import JsonItems, open_binary
from llmops.evals.json_stream import JsonStream

START = 1 << 20
"""Bytes of a first line that are looked at to tell what a file is."""


class Kind(StrEnum):
    """Whose results a file holds."""

    LLMOPS = "llmops"
    PROMPTFOO = "promptfoo"
    INSPECT = "inspect"
    DEEPEVAL = "deepeval"
    LM_EVAL = "lm-eval"
    MLFLOW = "mlflow"
    TABLE = "table"

    @classmethod
    def parse(cls, name: str) -> Kind:
        """The kind of that name; `UsageError` lists them all."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(f"`{each}`" for each in cls)
            raise UsageError(f"no format is named `{name}`", hint=f"known: {known}") from None


def detect(path: Path) -> Kind:
    """Whose results a file holds, by its first line or its first keys."""
    if path.is_dir():
        return Kind.LLMOPS
    with open_binary(path) as file:
        start = file.readline(START)
    if not start:
        raise DocumentError("the file is empty", where=Where(path))
    if start.startswith(b"PK"):
        return Kind.INSPECT
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise DocumentError(
            "is a Git LFS pointer; the data itself was not pulled",
            hint=f"git lfs pull --include '{path.name}'",
            where=Where(path),
        )
    text = start.decode("utf-8-sig", "replace").strip()
    if not text.startswith(("{", "[")):
        return _of_header(text, path)
    if _is_lines(text, path):
        return _of_record(json.loads(text))
    keys = _first_keys(path)
    if keys >= _AGGREGATES:
        raise DocumentError(
            "holds what the harness made of all documents together",
            hint="name the `samples_*.jsonl` of a run with `--log_samples`",
            where=Where(path),
        )
    for kind, marks in _DOCUMENTS.items():
        if any(mark <= keys for mark in marks):
            return kind
    raise DocumentError(
        "results of no tool that is known here",
        hint="`--format` says whose they are: " + ", ".join(Kind),
        where=Where(path),
    )


_DOCUMENTS: dict[Kind, tuple[set[str], ...]] = {
    Kind.LLMOPS: ({"schema", "summary"},),
    Kind.PROMPTFOO: ({"evalId", "results"}, {"results", "config"}),
    Kind.INSPECT: ({"status", "eval"},),
    Kind.DEEPEVAL: ({"testRunData"}, {"testCases"}, {"testFile"}),
    Kind.MLFLOW: ({"columns", "data"}, {"trace_id"}, {"[]", "/"}),
    Kind.TABLE: ({"[]"},),
}

_AGGREGATES = {"results", "group_subtasks"}
"""The keys of `results_*.json` of lm-evaluation-harness."""


def _is_lines(first: str, path: Path) -> bool:
    """Whether each line is a record: the first one is whole, and is not all there is."""
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return True
    with open_binary(path) as file:
        file.readline(START)
        return first.startswith("{") and file.readline(START).lstrip()[:1] == b"{"


def _first_keys(path: Path) -> set[str]:
    """The keys of a document; of a list, those of its first item, and `[]`."""
    try:
        if first_character(path) == "[":
            first = next(JsonItems(path, ()).read(), None)
            keys = set(first.data) if first and isinstance(first.data, dict) else set()
            return keys | {"[]"} | ({"/"} if any("/" in key for key in keys) else set())
        keys = set()
        with JsonStream(path) as stream:
            for key in stream.members():
                keys.add(key)
                marks = [mark for each in _DOCUMENTS.values() for mark in each]
                if any(mark <= keys for mark in [*marks, _AGGREGATES]):
                    break
                stream.value()
    except ValueError:
        pass  # of a file that is cut off, the keys until there tell whose it is
    return keys


def first_character(path: Path) -> str:
    """The first character that is no blank; empty where there is none."""
    with open_binary(path) as file:
        return file.read(64).decode("utf-8-sig", "replace").strip()[:1]


def _of_record(record: object) -> Kind:
    keys = set(record) if isinstance(record, dict) else set()
    if "testCase" in keys:
        return Kind.PROMPTFOO
    if {"doc_id", "doc"} <= keys:
        return Kind.LM_EVAL
    if any(key.endswith(("/value", "/score")) for key in keys):
        return Kind.MLFLOW
    return Kind.TABLE


def _of_header(text: str, path: Path) -> Kind:
    columns = [name.strip().strip('"') for name in text.split(",")]
    if any(name.endswith(("/value", "/score")) for name in columns):
        return Kind.MLFLOW
    if "id" in columns or path.suffix.lower() == ".csv":
        return Kind.TABLE
    raise DocumentError(
        "results of no tool that is known here",
        hint="a table is CSV with a header that has `id` and `score`, or JSON Lines",
        where=Where(path),
    )


def is_lines(path: Path) -> bool:
    """Whether a file of JSON has a record a line."""
    with open_binary(path) as file:
        return _is_lines(file.readline(START).decode("utf-8-sig", "replace").strip(), path)
