"""The rows of a dataset file, one after the other: JSONL, CSV, or probes that make them.

A file may be larger than memory; a line may not be larger than `LINE_LIMIT`.
Whatever is wrong is a `DocumentError` with file and line.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

from llmops.core.documents import parse_yaml
from llmops.core.errors import DocumentError, Where
from llmops.core.files import DOCUMENT_LIMIT, decode
from llmops.evals.tracking import LFS_VERSION, not_pulled

LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of one line; a longer one is not read to its end."""


class Row(NamedTuple):
    """One row, and the line on which it starts."""

    line: int
    data: dict[str, Any]


Watch = Callable[[bytes], object]
"""Sees every byte of the file that is read, such as a hash's `update`."""


def read_rows(path: Path, watch: Watch | None = None) -> Iterator[Row]:
    """The rows of `path`, read as they are asked for."""
    with _open(path) as file:
        read = _FORMATS.get(path.suffix.lower())
        if read is None:
            raise DocumentError(
                f"a dataset cannot be a `{path.suffix}` file" if path.suffix else "has no suffix",
                hint="known are `.jsonl` (one JSON object a line), `.csv` (with a header), and "
                "`.yaml` for probes",
                where=Where(path),
            )
        yield from read(path, _lines(file, path, watch))


def _open(path: Path) -> IO[bytes]:
    try:
        if path.is_dir():
            raise DocumentError("is a folder, not a dataset", where=Where(path))
        return path.open("rb")
    except FileNotFoundError:
        reason = not_pulled(path)
        if reason is not None:
            raise DocumentError(
                f"no such file, but {reason[0]}", hint=reason[1], where=Where(path)
            ) from None
        raise DocumentError(
            "no such file", hint="`dataset.path` is relative to the suite", where=Where(path)
        ) from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=Where(path)) from error


def _lines(file: IO[bytes], path: Path, watch: Watch | None) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(LINE_LIMIT + 1):
        number += 1
        if watch is not None:
            watch(raw)
        if len(raw) > LINE_LIMIT:
            raise DocumentError(
                f"a line of more than {LINE_LIMIT // 1024 // 1024} MB",
                hint="a dataset has one case a line; is this one of another format?",
                where=Where(path, number),
            )
        if number == 1 and raw.startswith(LFS_VERSION):
            raise DocumentError(
                "is a Git LFS pointer; the data itself was not pulled",
                hint=f"git lfs pull --include '{path.name}'",
                where=Where(path),
            )
        yield number, decode(raw, path, line=number)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_decode_json = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _read_jsonl(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    for number, text in lines:
        if text.isspace():
            continue
        try:
            data = _decode_json(text)
            if "\\ud" in text or "\\uD" in text:
                _refuse_lone_surrogate(data)
        except json.JSONDecodeError as error:
            hint = "one JSON object a line, with no comma after it"
            if number == 1 and text.lstrip().startswith("["):
                hint = "this looks like one JSON array; write one object a line"
            raise DocumentError(
                f"not valid JSON: {error.msg} (column {error.colno})",
                hint=hint,
                where=Where(path, number),
            ) from None
        except (ValueError, RecursionError) as error:
            reason = "nested too deep" if isinstance(error, RecursionError) else error
            raise DocumentError(f"not valid JSON: {reason}", where=Where(path, number)) from None
        if not isinstance(data, dict):
            raise DocumentError(
                f"expected an object, found {_kind(data)}",
                hint='one case a line: {"id": "1", …}',
                where=Where(path, number),
            )
        yield Row(number, data)


def _refuse_lone_surrogate(data: Any) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair, which is no character") from None


def _kind(value: Any) -> str:
    names = {list: "an array", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _read_csv(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    csv.field_size_limit(LINE_LIMIT)
    reader = csv.reader((text for _, text in lines), strict=True)
    header: list[str] | None = None
    start = 1
    try:
        for fields in reader:
            if not fields:  # an empty line
                pass
            elif header is None:
                header = _header(fields, Where(path, start))
            elif len(fields) != len(header):
                raise DocumentError(
                    f"{len(fields)} columns, and the header has {len(header)}",
                    hint="a field with a comma or a line break has to stand in quotes",
                    where=Where(path, start),
                )
            else:
                yield Row(start, dict(zip(header, fields, strict=True)))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DocumentError(f"not valid CSV: {error}", where=Where(path, start)) from None


def _header(fields: list[str], where: Where) -> list[str]:
    header = [field.strip() for field in fields]
    for index, name in enumerate(header):
        if not name:
            raise DocumentError(f"column {index + 1} of the header has no name", where=where)
        if name in header[:index]:
            raise DocumentError(f"two columns are named `{name}`", where=where)
    return header


def _read_probes(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    from llmops.evals.probes.expansion import expanded

    text: list[str] = []
    size = 0
    for _, line in lines:
        size += len(line)
        if size > DOCUMENT_LIMIT:
            raise DocumentError(
                f"larger than {DOCUMENT_LIMIT // 1024 // 1024} MB, which no file of probes needs",
                where=Where(path),
            )
        text.append(line)
    for line_number, data in expanded(parse_yaml("".join(text), path)):
        yield Row(line_number, data)


_FORMATS: dict[str, Callable[[Path, Iterator[tuple[int, str]]], Iterator[Row]]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".csv": _read_csv,
    ".yaml": _read_probes,
    ".yml": _read_probes,
}
