"""The members of an Inspect `.eval` file: a ZIP with one JSON a sample.

Inspect compresses them with Zstandard, which Python reads from 3.14 on and the
package `zstandard` before.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, UsageError, Where, needs
from llmops.evals.foreign.containers import CUT_OFF, Raw, open_binary

ZSTANDARD = 93
"""The number of the method in a ZIP file (APPNOTE 6.3.8, 4.4.5)."""

MEMBER_LIMIT = 1024 * 1024 * 1024
"""Bytes of one sample once it is unpacked; a larger one is a trap."""

_LOCAL_HEADER = struct.Struct("<26xHH")


class EvalArchive:
    """The samples of an `.eval` file, one after the other."""

    def __init__(self, path: Path):
        self.path = path

    def header(self) -> Any:
        """What the log says of the whole run; `DocumentError` for one that was cut off."""
        with self._open() as archive:
            if "header.json" not in archive.namelist():
                raise DocumentError(
                    "the log of a run that did not finish: it has no `header.json`",
                    hint="finish it with `inspect eval-retry`",
                    where=Where(self.path),
                )
            return self._json(archive, archive.getinfo("header.json"))

    def read(self) -> Iterator[Raw]:
        """Every sample, in the file's order."""
        with self._open() as archive:
            for place, member in enumerate(archive.infolist()):
                if member.filename.startswith("samples/"):
                    yield self._raw(archive, place, member)

    def at(self, places: Iterable[Any]) -> Iterator[Raw]:
        """The samples that are these members of the archive."""
        with self._open() as archive:
            members = archive.infolist()
            for place in places:
                yield self._raw(archive, place, members[place])

    def _raw(self, archive: zipfile.ZipFile, place: int, member: zipfile.ZipInfo) -> Raw:
        return Raw(place, Where(self.path / member.filename), self._json(archive, member))

    def _open(self) -> zipfile.ZipFile:
        open_binary(self.path).close()
        try:
            return zipfile.ZipFile(self.path)
        except zipfile.BadZipFile:
            raise DocumentError(CUT_OFF, where=Where(self.path)) from None

    def _json(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
        where = Where(self.path / member.filename)
        if member.file_size > MEMBER_LIMIT:
            raise DocumentError("larger than 1 GB", where=where)
        try:
            return json.loads(self._unpacked(archive, member))
        except (UsageError, MemoryError):
            raise
        except (ValueError, RecursionError, zipfile.BadZipFile, struct.error, EOFError) as error:
            raise DocumentError(f"cannot be read: {error}", where=where) from None

    def _unpacked(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
        try:
            return archive.read(member)
        except NotImplementedError:
            if member.compress_type != ZSTANDARD:
                raise ValueError(f"compressed by method {member.compress_type}") from None
        with needs("inspect"):
            import zstandard
        with self.path.open("rb") as file:
            file.seek(member.header_offset)
            name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            file.seek(name + extra, io.SEEK_CUR)
            packed = file.read(member.compress_size)
        try:
            with zstandard.ZstdDecompressor().stream_reader(packed) as unpacking:
                return bytes(unpacking.read(member.file_size))
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None
