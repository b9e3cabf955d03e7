"""Trying again: exponential backoff with full jitter, and what the provider asks for.

Full jitter (a uniform draw from zero to the bound) spreads many clients best:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from llmops.core.errors import ProviderError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often and after which wait a failed attempt is made again.

    Only errors that say `retryable` are. Seconds throughout.
    """

    limit: int = 4
    """Further attempts after the first."""
    base: float = 0.5
    """Bound of the first wait; it doubles with every attempt."""
    longest: float = 30.0
    longest_asked: float = 60.0
    """A provider's `Retry-After` beyond this is cut to it."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[], float] = random.random

    def wait(self, failed: int, error: ProviderError) -> float:
        """Seconds to wait after the `failed`-th failed attempt, counted from 0."""
        bound = min(self.longest, self.base * 2.0**failed)
        jitter = self.draw() * bound
        if error.retry_after is None:
            return jitter
        # Never earlier than asked, and not all clients at the same instant.
        return min(error.retry_after, self.longest_asked) + min(jitter, self.base)

    async def run(
        self, attempt: Callable[[], Awaitable[T]], on_retry: Callable[[], None] = lambda: None
    ) -> T:
        """What `attempt` gives, in the end; its last error when all attempts fail."""
        failed = 0
        while True:
            try:
                return await attempt()
            except ProviderError as error:
                if not error.retryable or failed >= self.limit:
                    if failed:
                        error.message += f" (tried {failed + 1} times)"
                    raise
                pause = self.wait(failed, error)
            failed += 1
            on_retry()
            await self.sleep(pause)


def retry_after(header: str | None, *, now: Callable[[], datetime] | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number or an HTTP date.

    >>> retry_after("7")
    7.0
    >>> retry_after("soon") is None
    True
    """
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, TypeError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        current = now() if now else datetime.now(UTC)
        seconds = (moment - current).total_seconds()
    # NaN and infinities are numbers to float() and no waits.
    return min(max(0.0, seconds), 86_400.0) if seconds == seconds else None
