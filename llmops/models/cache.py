"""Answers kept by what was asked: one SQLite file that several processes share.

An answer is committed before it is handed out, so a killed process loses the
calls in flight and nothing else. In WAL mode a commit waits for no disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from llmops.core.errors import DocumentError, Where

FORMAT = 1
"""Version of the table and of what stands in it."""

_PATIENCE = 30.0
"""Seconds that a process waits for another one that writes."""


def cache_key(identity: str, body: bytes, repeat: int) -> bytes:
    """The address of an answer: which model, which call, which repeat of it."""
    digest = hashlib.sha256(f"{FORMAT}\n{identity}\n{repeat}\n".encode())
    digest.update(body)
    return digest.digest()


class ResponseCache:
    """Answers under 32-byte keys. Opened on first use; closed by `close` or a `with` block.

    Errors are `DocumentError`s that name the file: a broken cache is never
    taken for an empty one.
    """

    def __init__(self, path: Path):
        self.path = path
        self._database: sqlite3.Connection | None = None

    def get(self, key: bytes) -> dict[str, Any] | None:
        """The answer under `key`, or `None`."""
        with self._reported():
            row = (
                self._opened()
                .execute("SELECT answer FROM answers WHERE key = ?", (key,))
                .fetchone()
            )
            if row is None:
                return None
            answer = json.loads(row[0])
            if not isinstance(answer, dict):
                raise ValueError("an answer is no object")
            return answer

    def put(self, key: bytes, answer: dict[str, Any]) -> None:
        """Keep an answer; the first one under a key stays."""
        text = json.dumps(answer, separators=(",", ":"))
        with self._reported():
            self._opened().execute(
                "INSERT OR IGNORE INTO answers (key, answer) VALUES (?, ?)", (key, text)
            )

    def __len__(self) -> int:
        with self._reported():
            count: int = self._opened().execute("SELECT count(*) FROM answers").fetchone()[0]
            return count

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = self._open()
        return self._database

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Before SQLite makes it: answers may be private, and SQLite's own files
        # beside this one take over its mode.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(
            self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _switch_to_wal(database)
            database.execute("PRAGMA synchronous = NORMAL")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, FORMAT):
                raise DocumentError(
                    f"was written by another version of llmops (format {version})",
                    hint="delete it; answers will be asked for again",
                    where=Where(self.path),
                )
            if version == 0:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS answers"
                    " (key BLOB PRIMARY KEY, answer TEXT NOT NULL)"
                )
                database.execute(f"PRAGMA user_version = {FORMAT}")
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise DocumentError(
                f"the cache of answers cannot be used: {error}",
                hint="delete the file, or run with --no-cache",
                where=Where(self.path),
            ) from error
        except OSError as error:
            raise DocumentError(
                f"the cache of answers cannot be opened: {error.strerror}",
                hint="run with --no-cache, or set `cache = false` for the model",
                where=Where(self.path),
            ) from error


def _switch_to_wal(database: sqlite3.Connection) -> None:
    """Turn WAL mode on; SQLite does not wait by itself for others that do the same."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
