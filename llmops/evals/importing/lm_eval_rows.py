"""The rows of a task: local files that it names, or one that was exported from a hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, Where
from llmops.core.files import inside
from llmops.evals.rows import read_rows

_LOCAL = ("json", "csv")


def read_documents(parsed: Parsed, data: Path | None) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    """Every row, and where it stands.

    Raises `DocumentError` for a task whose data is on a hub when no file was given.
    """
    path = data or _local(parsed)
    for row in read_rows(path):
        yield Where(path, row.line), row.data


def _local(parsed: Parsed) -> Path:
    named = parsed.data.get("dataset_path")
    if named not in _LOCAL:
        raise DocumentError(
            f"its data is on a hub: `{named}`",
            hint="export the rows first (`datasets`: `load_dataset(…)[split].to_json(FILE)`) and "
            "name them with `--data FILE`",
            where=parsed.where("dataset_path"),
        )
    given = parsed.data.get("dataset_kwargs")
    files = given.get("data_files") if isinstance(given, Mapping) else None
    split = parsed.data.get("test_split") or parsed.data.get("validation_split")
    found = files.get(split) if isinstance(files, Mapping) else files
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    where = parsed.where("dataset_kwargs")
    if not isinstance(found, str):
        of_split = f" for the split `{split}`" if split else ""
        raise DocumentError(
            f"`dataset_kwargs.data_files` names no file{of_split}",
            hint="write `dataset_kwargs: {data_files: rows.jsonl}`, or pass `--data rows.jsonl`",
            where=where,
        )
    path = parsed.path.parent / found
    if path.suffix.lower() == ".json":
        raise DocumentError(
            f"`{found}` may be one JSON array", hint="write JSON Lines, `.jsonl`", where=where
        )
    inside(parsed.path.parent, path)
    return path
