"""A JSON file read value by value, in the order of the file and in bounded memory.

with JsonStream(path) as stream:
    for key in stream.members():
        if key == "results":
            for item in stream.items():
                ...
        else:
            stream.value()
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, Where

BLOCK = 1 << 16


class JsonStream:
    """Reads a file from its start; what it has read is not held.

    Raises `DocumentError` for a file that cannot be opened, and `ValueError`
    for text that is no JSON.
    """

    def __init__(self, path: Path):
        self._path = path
        self._decode = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False
        self._offset = 0
        self._line = 1
        self._counted = 0
        """Up to where in the text the line is counted."""

    def __enter__(self) -> JsonStream:
        try:
            raw = self._path.open("rb")
        except OSError as error:
            raise DocumentError(
                f"cannot be read: {error.strerror}", where=Where(self._path)
            ) from error
        if raw.read(3) == b"\xef\xbb\xbf":
            self._offset = 3
        raw.seek(self._offset)
        self._file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def offset(self) -> int:
        """Where the next value starts, in bytes."""
        self._peek()
        return self._offset + len(self._text[: self._at].encode("utf-8", "surrogatepass"))

    @property
    def line(self) -> int:
        """The line on which the next value starts."""
        self._peek()
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    @property
    def ended(self) -> bool:
        """Whether the file has been read to its end."""
        return self._ended

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next; each value is to be read before the next key."""
        self._expect("{")
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._expect(",}") == "}":
                return

    def items(self) -> Iterator[Any]:
        """The items of the list that comes next."""
        for _ in self.places():
            yield self.value()

    def places(self) -> Iterator[int]:
        """The offset of each item of the list that comes next; the item is to be read then."""
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self.offset
            if self._expect(",]") == "]":
                return

    def value(self) -> Any:
        """The next value, or the next key."""
        self._peek()
        size = BLOCK
        while True:
            try:
                found, end = self._decode(self._text, self._at)
                # A number may go on in the next block.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return found
            except json.JSONDecodeError:
                if self._ended:
                    raise
            self._more(size)
            size *= 2

    def _expect(self, any_of: str) -> str:
        found = self._peek()
        if not found or found not in any_of:
            raise ValueError(f"expected one of {any_of!r}, found {found or 'the end'!r}")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is no white space and no colon; empty at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if not character.isspace() and character != ":":
                    return character
                self._at += 1
            if self._ended:
                return ""
            self._more(BLOCK)

    def _more(self, size: int) -> None:
        block = self._file.read(size)
        self._ended = not block
        gone = self._text[: self._at]
        self._offset += len(gone.encode("utf-8", "surrogatepass"))
        self._line += gone.count("\n", self._counted)
        self._counted = 0
        self._text = self._text[self._at :] + block
        self._at = 0
