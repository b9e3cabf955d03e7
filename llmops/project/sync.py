"""Calling the async API from code that is not async."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, from sync code, a notebook cell, or a thread.

    Where an event loop already runs (a notebook), the work is done in a thread
    of its own and this call waits for it.

    >>> async def answer() -> int:
    ...     return 42
    >>> run_sync(answer())
    42
    """
    import asyncio  # here: most commands never run a coroutine

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _run_in_thread(work)


def _run_in_thread(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:  # carried over to the caller's thread, whatever it is
            errors.append(error)

    thread = threading.Thread(target=target, name="llmops-run-sync")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
