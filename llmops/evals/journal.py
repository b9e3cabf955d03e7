"""The journal of a run: what is finished, safe against `kill -9` at any moment.

`journal.jsonl` begins with a line that says what the run is made from; then
comes one line for each finished case and repeat, appended by a single write. A
line that was cut off by a crash is dropped on resume. What was killed with the
process is lost; what was answered before is not. Against power loss the file
is synchronised at the end of the run only.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from llmops.core.errors import DocumentError, LlmopsError, UsageError, Where
from llmops.evals.ledger import Ledger, Settled
from llmops.evals.records import decode_result, encode_line, encode_result
from llmops.evals.results import CaseResult

JOURNAL = "journal.jsonl"
FORMAT = 2


class Journal:
    """A journal that is open for appending; one process at a time may hold it."""

    def __init__(self, path: Path, descriptor: int, header: Mapping[str, Any], ledger: Ledger):
        self.path = path
        self.header = header
        self.ledger = ledger
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    @classmethod
    def create(cls, folder: Path, header: Mapping[str, Any]) -> Journal:
        """Begin the journal of a new run; `UsageError` if the folder holds one already."""
        path = folder / JOURNAL
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        except FileExistsError:
            if not folder.is_dir():
                raise _no_folder(folder) from None
            raise UsageError(
                f"{folder} holds a run already",
                hint=f"go on with it by `--resume {folder}`, or name another folder",
            ) from None
        except NotADirectoryError:
            raise _no_folder(folder) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error
        try:
            return cls._begin(path, descriptor, header)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def resume(cls, folder: Path, header: Mapping[str, Any]) -> Journal:
        """Open the journal of an interrupted run, with a half-written last line cut off.

        Raises `UsageError` when there is none, when another process writes it,
        and, saying what differs, when the run was made from something else.
        """
        path = folder / JOURNAL
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            raise UsageError(
                f"{folder} holds no run that could be resumed",
                hint="`--resume` takes the folder of a run, the one with `journal.jsonl`",
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be opened: {error.strerror}") from error
        try:
            _lock(descriptor, folder)
            _cut_torn_line(descriptor)
            if os.fstat(descriptor).st_size == 0:  # killed before the first line was whole
                return cls._begin(path, descriptor, header)
            begun, ledger = scan_journal(path)
            _refuse_difference(begun, header, folder)
            journal = cls(path, descriptor, begun, ledger)
            journal._append(encode_line({"type": "part", "started": _now()}))
            ledger.begin_part()
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    @classmethod
    def _begin(cls, path: Path, descriptor: int, header: Mapping[str, Any]) -> Journal:
        _lock(descriptor, path.parent)
        begun = {"type": "run", "format": FORMAT, "started": _now(), **header}
        journal = cls(path, descriptor, begun, _ledger(begun))
        journal._append(encode_line(begun))
        return journal

    def record(
        self, slot: int, result: CaseResult, *, elapsed: float, system_fingerprint: str | None
    ) -> None:
        """Append a finished result; it is safe when this returns."""
        elapsed = round(elapsed, 3)  # as the line spells it, so that a second reading agrees
        line = encode_result(slot, result, elapsed, system_fingerprint)
        offset = self._append(line)
        self.ledger.enter(slot, offset, result.outcome, elapsed)

    def settle(self, settled: Settled) -> None:
        """Append how a run that repeats by itself has come to its end."""
        if self.ledger.settled != settled:
            self._append(encode_line({"type": "settled", **asdict(settled)}))
        self.ledger.settle(settled)

    def _append(self, line: bytes) -> int:
        """Write one line at the end; gives the offset at which it begins."""
        offset = self._size
        try:
            written = os.write(self._descriptor, line)
            reason = "the disk is full" if written < len(line) else None
        except OSError as error:
            reason = error.strerror
        if reason is not None:
            with suppress(OSError):
                os.ftruncate(self._descriptor, offset)
            raise LlmopsError(
                f"cannot be written: {reason}",
                hint="what was written before is safe; make room, then resume the run",
                where=Where(self.path),
            )
        self._size += len(line)
        return offset

    def close(self) -> None:
        """Bring the journal to the disk and let go of it."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _no_folder(folder: Path) -> UsageError:
    return UsageError(
        f"{folder} cannot be a folder: there is a file in its place",
        hint="name the folder of a new run",
    )


def scan_journal(path: Path) -> tuple[dict[str, Any], Ledger]:
    """The first line of a journal, and which results it holds.

    A last line without its end is left out. Raises `DocumentError` with the
    line for anything else that is no journal.
    """
    header: dict[str, Any] | None = None
    ledger = Ledger(0)
    for number, offset, line in _whole_lines(path):
        try:
            data = json.loads(line)
            if header is None:
                header = _header(data, path)
                ledger = _ledger(header)
            elif data["type"] == "part":
                ledger.begin_part()
            elif data["type"] == "settled":
                ledger.settle(
                    Settled(rounds=data["rounds"], confidence=data["confidence"], why=data["why"])
                )
            else:
                result = decode_result(data)
                ledger.enter(data["slot"], offset, result.outcome, data["elapsed"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise DocumentError(
                "this line of the journal is damaged",
                hint="the lines before and after it are whole; remove this one to go on without it",
                where=Where(path, number),
            ) from error
    if header is None:
        raise DocumentError("the journal is empty", where=Where(path))
    return header, ledger


def read_results(path: Path, ledger: Ledger) -> Iterator[tuple[CaseResult, dict[str, Any]]]:
    """Each result with its line's data, in the dataset's order, read one by one."""
    with path.open("rb") as file:
        for offset in ledger.written:
            file.seek(offset)
            data = json.loads(file.readline())
            yield decode_result(data), data


def _whole_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise UsageError(f"{path.parent} holds no run", hint=f"there is no {JOURNAL}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    offset = 0
    with file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            yield number, offset, line
            offset += len(line)


def _ledger(header: Mapping[str, Any]) -> Ledger:
    return Ledger(header["cases"], header["repeats"])


def _header(data: dict[str, Any], path: Path) -> dict[str, Any]:
    if data["type"] != "run":
        raise ValueError("not a run")
    if data["format"] != FORMAT:
        raise UsageError(
            f"{path} has the format {data['format']}; this version reads {FORMAT}",
            hint="read it with the version that wrote it",
        )
    return data


def _cut_torn_line(descriptor: int) -> None:
    """Truncate the file after its last line end."""
    end = os.fstat(descriptor).st_size
    block = 64 * 1024
    while end > 0:
        start = max(0, end - block)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    os.ftruncate(descriptor, end)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"another process is writing the run in {folder}",
            hint="wait until it has ended, or stop it",
        ) from None
    except OSError:
        pass  # a file system without locks; the run itself does not need them


def _refuse_difference(begun: Mapping[str, Any], header: Mapping[str, Any], folder: Path) -> None:
    then, now = begun["made_from"], header["made_from"]
    differences = [
        f"{name}: {_shown(then.get(name))} then, {_shown(now.get(name))} now"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]
    if differences:
        raise UsageError(
            f"the run in {folder} was made from something else:\n  " + "\n  ".join(differences),
            hint="resume it with what it was made from, or start a new run",
        )


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value[: len("sha256:") + 12] + "…" if value.startswith("sha256:") else value


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
