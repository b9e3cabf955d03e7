"""What calls cost: per token, or per hour of the machine that answers them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from llmops.core.chat import Usage
from llmops.models.config import Price


class BusyClock:
    """Splits the time in which a model works among the calls in flight.

    Eight calls at once for a second cost a second of the machine, not eight:
    while `n` calls are in flight each is charged 1/n of the time, so the
    shares of all calls add up to the time in which there was any.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self._clock = clock
        self._flying = 0
        self._at = 0.0
        self._share = 0.0

    def begin(self) -> float:
        """Note that a call starts; hand the returned mark to `end`."""
        self._advance(+1)
        return self._share

    def end(self, mark: float) -> float:
        """Note that the call ended; the seconds of the machine that it has to pay for."""
        self._advance(-1)
        return self._share - mark

    def _advance(self, change: int) -> None:
        now = self._clock()
        if self._flying:
            self._share += (now - self._at) / self._flying
        self._at = now
        self._flying += change


def priced(usage: Usage, price: Price | None, seconds: float) -> Usage:
    """`usage` with its cost; unchanged when no price is configured.

    >>> price = Price(input_per_million=1.0, output_per_million=2.0)
    >>> priced(Usage(input_tokens=500_000, output_tokens=1_000), price, 0.0).cost
    0.502
    """
    if price is None:
        return usage
    if price.per_gpu_hour is not None:
        return replace(usage, cost=price.per_gpu_hour * seconds / 3600)
    by_tokens = (
        usage.input_tokens * (price.input_per_million or 0.0)
        + usage.output_tokens * (price.output_per_million or 0.0)
    ) / 1_000_000
    return replace(usage, cost=by_tokens)


def spared(usage: Usage) -> Usage:
    """The usage of an answer from the cache: its tokens, and nothing spent."""
    return usage if usage.cost is None else replace(usage, cost=0.0)
