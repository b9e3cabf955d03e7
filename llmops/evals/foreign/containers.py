"""The records of a file, one by one: JSON Lines, the items of a list in JSON, CSV.

Each knows its place, so that a second reading can go straight to it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from llmops.core.errors import DocumentError, Where
from llmops.core.files import decode
from llmops.evals.json_stream import JsonStream
from llmops.evals.rows import LINE_LIMIT

CUT_OFF = "the file ends in the middle: it was cut off, or is still being written"


class Raw(NamedTuple):
    """One record."""

    place: Any
    """Where to find it again; means something to its container only."""
    where: Where
    data: Any


class Container(Protocol):
    """A file of records."""

    path: Path

    def read(self) -> Iterator[Raw]:
        """Every record, in the file's order; `DocumentError` where the file is broken."""
        ...

    def at(self, places: Iterable[Any]) -> Iterator[Raw]:
        """The records at these places."""
        ...


class JsonLines:
    """One JSON value a line. Unlike in a dataset, `NaN` is allowed: tools write it."""

    def __init__(self, path: Path):
        self.path = path

    def read(self) -> Iterator[Raw]:
        """Every line that is not blank."""
        with open_binary(self.path) as file:
            for place, number, line in _lines(file, self.path):
                if line.strip():
                    yield Raw(place, Where(self.path, number), self._value(line, number))

    def at(self, places: Iterable[Any]) -> Iterator[Raw]:
        """The lines that start at these bytes."""
        with open_binary(self.path) as file:
            for place in places:
                file.seek(place)
                yield Raw(place, Where(self.path), self._value(file.readline(), None))

    def _value(self, raw: bytes, number: int | None) -> Any:
        where = Where(self.path, number)
        text = decode(raw, self.path, line=number or 1)
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if not text.endswith("\n"):
                raise DocumentError(CUT_OFF, where=where) from None
            raise DocumentError(f"not valid JSON: {error.msg}", where=where) from None
        except (RecursionError, ValueError) as error:
            raise DocumentError(f"not valid JSON: {type(error).__name__}", where=where) from None


class JsonItems:
    """The items of the lists at some keys of one JSON document, or of the document itself.

    `lists` are paths of keys, such as `("results", "results")`; `()` is a
    document that is a list.
    """

    def __init__(self, path: Path, *lists: tuple[str, ...]):
        self.path = path
        self._lists = lists

    def read(self) -> Iterator[Raw]:
        """Every item of the lists, in the file's order."""
        with JsonStream(self.path) as stream:
            try:
                yield from self._walk(stream, ())
            except (ValueError, RecursionError) as error:
                raise _broken(self.path, stream, error) from None

    def at(self, places: Iterable[Any]) -> Iterator[Raw]:
        """The items that lie between these bytes."""
        with open_binary(self.path) as file:
            for start, end in places:
                file.seek(start)
                item = json.loads(file.read(end - start).rstrip(b", \t\r\n"))
                yield Raw((start, end), Where(self.path), item)

    def head(self, *names: str) -> dict[str, Any]:
        """Those of the document's own members that have these names."""
        found: dict[str, Any] = {}
        with JsonStream(self.path) as stream:
            try:
                for name in stream.members():
                    value = stream.value()
                    if name in names:
                        found[name] = value
                        if len(found) == len(names):
                            break
            except (ValueError, RecursionError) as error:
                raise _broken(self.path, stream, error) from None
        return found

    def _walk(self, stream: JsonStream, at: tuple[str, ...]) -> Iterator[Raw]:
        if at in self._lists:
            for start in stream.places():
                where = Where(self.path, stream.line)
                item = stream.value()
                yield Raw((start, stream.offset), where, item)
            return
        for name in stream.members():
            below = (*at, name)
            if any(each[: len(below)] == below for each in self._lists):
                yield from self._walk(stream, below)
            else:
                stream.value()


class CsvRows:
    """The rows of a CSV file, as mappings of the header's names to texts."""

    def __init__(self, path: Path):
        self.path = path
        self.header: list[str] = []

    def read(self) -> Iterator[Raw]:
        """Every row that is not empty."""
        csv.field_size_limit(LINE_LIMIT)
        with open_binary(self.path) as file:
            starts: list[tuple[int, int]] = []

            def texts() -> Iterator[str]:
                for place, number, line in _lines(file, self.path):
                    starts.append((place, number))
                    yield decode(line, self.path, line=number)

            rows = csv.reader(texts(), strict=True)
            self.header = []
            try:
                for fields in rows:
                    place, number = starts[0]
                    starts.clear()
                    where = Where(self.path, number)
                    if not self.header:
                        self.header = self._named(fields, where)
                    elif fields:
                        yield Raw(place, where, self._row(fields, where))
            except csv.Error as error:
                at = Where(self.path, starts[0][1] if starts else None)
                message = CUT_OFF if "end of data" in str(error) else f"not valid CSV: {error}"
                raise DocumentError(message, where=at) from None

    def at(self, places: Iterable[Any]) -> Iterator[Raw]:
        """The rows that start at these bytes."""
        with open_binary(self.path) as file:
            for place in places:
                file.seek(place)
                fields = next(csv.reader((decode(line, self.path) for line in file), strict=True))
                yield Raw(place, Where(self.path), dict(zip(self.header, fields, strict=True)))

    def _named(self, fields: list[str], where: Where) -> list[str]:
        header = [field.strip() for field in fields]
        for index, name in enumerate(header):
            if name and name in header[:index]:
                raise DocumentError(f"two columns are named `{name}`", where=where)
        return header

    def _row(self, fields: list[str], where: Where) -> dict[str, str]:
        if len(fields) != len(self.header):
            raise DocumentError(
                f"{len(fields)} columns, and the header has {len(self.header)}",
                hint="a field with a comma or a line break has to stand in quotes",
                where=where,
            )
        return dict(zip(self.header, fields, strict=True))


def open_binary(path: Path) -> IO[bytes]:
    """The file, opened; `DocumentError` when there is none that could be read."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise DocumentError("no such file", where=Where(path)) from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=Where(path)) from error


def _lines(file: IO[bytes], path: Path) -> Iterator[tuple[int, int, bytes]]:
    """The place, number and bytes of each line."""
    place = number = 0
    while raw := file.readline(LINE_LIMIT + 1):
        number += 1
        if len(raw) > LINE_LIMIT:
            raise DocumentError(
                f"a line of more than {LINE_LIMIT // 1024 // 1024} MB", where=Where(path, number)
            )
        yield place, number, raw
        place += len(raw)


def _broken(path: Path, stream: JsonStream, error: Exception) -> DocumentError:
    if isinstance(error, UnicodeDecodeError):
        return DocumentError("not UTF-8", where=Where(path))
    if isinstance(error, RecursionError):
        return DocumentError("not valid JSON: nested too deep", where=Where(path))
    line = stream.line
    if stream.ended and (not isinstance(error, json.JSONDecodeError) or _at_the_end(error)):
        return DocumentError(CUT_OFF, where=Where(path, line))
    reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return DocumentError(f"not valid JSON: {reason}", where=Where(path, line))


def _at_the_end(error: json.JSONDecodeError) -> bool:
    """Whether it is the end of the text that is wrong with it."""
    rest = error.doc[error.pos :].strip()
    words = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
    unfinished = len(rest) <= 1 or any(word.startswith(rest) for word in words)
    return unfinished or error.msg.startswith("Unterminated")
