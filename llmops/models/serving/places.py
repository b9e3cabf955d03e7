"""Where serving keeps what outlives a command: environments, weights, logs, servers' states."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llmops.core.errors import UsageError

Say = Callable[[str], None]
"""Tells the person one line about what is going on."""


def cache_root() -> Path:
    """The folder under which all of it lies: `LLMOPS_CACHE_DIR`, or the user's cache folder."""
    given = os.environ.get("LLMOPS_CACHE_DIR")
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("llmops"))


def folder(name: str) -> Path:
    """A folder of the cache, made if it is missing; `UsageError` where that is impossible."""
    path = cache_root() / name
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the cache folder {path} cannot be made: {error.strerror}",
            hint="set LLMOPS_CACHE_DIR to a folder that you may write to",
        ) from error
    return path


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock on `path` during the block.

    The operating system frees the lock of a process that dies. `waiting` is
    called once when another process holds it.
    """
    import fcntl

    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Stopwatch:
    """Prefixes what is said with the seconds since the start."""

    def __init__(self, say: Say):
        self._say = say
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say `text` with the seconds before it."""
        self._say(f"{time.monotonic() - self._start:6.1f} s  {text}")
