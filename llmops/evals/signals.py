"""Ctrl-C and SIGTERM end a run in order instead of in the middle of a line."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signal() -> Iterator[asyncio.Future[signal.Signals]]:
    """A future that gets the first SIGINT or SIGTERM that comes during the block.

    Where the app has handlers of its own, or the loop does not run in the main
    thread, signals go their usual way and the future never ends.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Future[signal.Signals] = loop.create_future()

    def stop(which: signal.Signals) -> None:
        if not came.done():
            came.set_result(which)

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for each in _SIGNALS:
            handler = signal.getsignal(each)
            if _is_default(handler):
                loop.add_signal_handler(each, stop, each)
                before[each] = handler
    try:
        yield came
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler)
        came.cancel()


def _is_default(handler: Any) -> bool:
    """Whether nobody but Python itself, or `asyncio.run`, handles the signal."""
    if handler in (signal.SIG_DFL, signal.default_int_handler):
        return True
    return getattr(getattr(handler, "func", None), "__qualname__", "") == "Runner._on_sigint"
