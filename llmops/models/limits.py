"""How hard a model may be worked: calls at once, and requests a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Spreads requests evenly, so that no minute sees more than are allowed.

    A token bucket that holds one token: whoever comes early waits for the
    next, in the order of coming.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        self._interval = 60.0 / per_minute
        self._next = float("-inf")
        self._clock = clock
        self._sleep = sleep

    async def turn(self) -> None:
        """Return when the next request may be sent."""
        now = self._clock()
        slot = max(self._next, now)
        self._next = slot + self._interval
        if slot > now:
            await self._sleep(slot - now)


class Limits:
    """At most `concurrency` calls in flight, and a pace for their attempts."""

    def __init__(self, concurrency: int, pace: Pace | None = None):
        self.concurrency = concurrency
        self.slot = asyncio.Semaphore(concurrency)
        """Held for a whole call, its waits between attempts included."""
        self._pace = pace

    async def turn(self) -> None:
        """Return when the next attempt may be made."""
        if self._pace is not None:
            await self._pace.turn()
