"""Files that are read with a clear error and written whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from llmops.core.errors import DocumentError, Where

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

DOCUMENT_LIMIT = 10 * 1024 * 1024
"""Bytes that a prompt, suite or policy may have; a larger one is a mistake."""


def read_document(path: Path, *, limit: int | None = DOCUMENT_LIMIT) -> str:
    """The text of a UTF-8 file; `limit` is in bytes, for one that a person writes.

    Raises `DocumentError` when it is missing, a folder, unreadable, too large,
    not UTF-8 (with the line of the first bad byte) or holds a NUL byte.
    """
    try:
        if limit is not None and path.stat().st_size > limit:
            raise DocumentError(
                f"larger than {limit // 1024 // 1024} MB, which no prompt or suite needs",
                hint="keep data in a dataset file and name it from here",
                where=Where(path),
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError("no such file", where=Where(path)) from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=Where(path)) from error
    return decode(raw, path)


def decode(raw: bytes, path: Path, *, line: int = 1) -> str:
    """`raw` as UTF-8 text; `line` is the number of its first line in `path`."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = line + raw.count(b"\n", 0, error.start)
        raise DocumentError(
            f"not UTF-8: byte 0x{raw[error.start]:02x}",
            hint="save the file as UTF-8",
            where=Where(path, at),
        ) from None
    if "\0" in text:
        at = line + text.count("\n", 0, text.index("\0"))
        raise DocumentError("holds a NUL byte; is it a text file?", where=Where(path, at))
    return text


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file that takes `path`'s place when the block ends, and not before.

    When the block raises, `path` is as it was and no temporary file stays. A
    symbolic link stays one; a device or a pipe is written to and not replaced.
    Raises `DocumentError` when it cannot be written, be it that the disk is full.
    """
    try:
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            device: _Watched | None = _Watched(target, path)
        else:
            device = None
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    if device is not None:
        with _text(device) as file:
            yield file
        return
    temporary = Path(name)
    try:
        with _text(_Watched(descriptor, path)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(target)
        except OSError as error:
            raise _unwritable(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Raise the `DocumentError` that writing `path` would raise, as far as can be known before."""
    if path.is_dir():
        raise DocumentError("is a folder", hint="name a file", where=Where(path))
    nearest = path if path.exists() else path.resolve().parent
    while not nearest.exists():
        nearest = nearest.parent
    if nearest != path and not nearest.is_dir():
        raise DocumentError(f"cannot be written: {nearest} is a file", where=Where(path))
    if not os.access(nearest, os.W_OK):
        raise DocumentError("cannot be written: permission denied", where=Where(path))


class _Watched(io.FileIO):
    """A file whose failed writes name the path that was asked for."""

    def __init__(self, file: Path | int, wanted: Path):
        super().__init__(file, "w")
        self._wanted = wanted

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _unwritable(self._wanted, error) from error


def _text(file: io.FileIO) -> IO[str]:
    return io.TextIOWrapper(io.BufferedWriter(file), encoding="utf-8", newline="\n")


def _unwritable(path: Path, error: OSError) -> DocumentError:
    return DocumentError(f"cannot be written: {error.strerror}", where=Where(path))


def write_text(path: Path, text: str) -> None:
    """Write a whole file, or leave the old one as it was."""
    with replacing(path) as file:
        file.write(text)


def inside(root: Path, path: Path) -> Path:
    """`path`, resolved, if it lies in `root`; `DocumentError` if it leaves it.

    Symbolic links count by where they lead.
    """
    try:
        resolved, base = path.resolve(), root.resolve()
    except (OSError, RuntimeError) as error:
        raise DocumentError(
            "is a link that leads to itself", hint="remove it", where=Where(path)
        ) from error
    if not resolved.is_relative_to(base):
        raise DocumentError(
            f"lies outside of the project ({base})",
            hint="keep the file in the project, so that a clone has it",
            where=Where(path),
        )
    return resolved


def relative(path: Path, base: Path) -> str:
    """`path` as seen from `base`, with slashes; absolute if it lies elsewhere.

    >>> relative(Path("/repo/prompts/a.prompty"), Path("/repo"))
    'prompts/a.prompty'
    """
    path, base = path.absolute(), base.absolute()
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
