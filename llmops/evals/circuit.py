"""Notices within half a minute that a model has died in the middle of a run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from llmops.core.chat import ChatModel
from llmops.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from llmops.evals.subject import Checkable

FATAL = (ProviderUnavailable, AuthenticationFailed, ModelNotFound)
"""Failures that say something about the endpoint, not about one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a model may fail or be silent before it is asked whether it lives.

    With the defaults a dead one is known at the latest 23 seconds after its
    last answer.
    """

    failures: int = 8
    """Failures in a row, with no answer in between."""
    trips: int = 3
    """Times that it may say it lives while every call fails."""
    silence: float = 10.0
    """Seconds without the end of any call."""
    tick: float = 2.5
    """Seconds between two looks at the silence."""
    deadline: float = 10.0
    """Seconds that it has for saying that it lives."""


class Circuit:
    """Told of every call's end, it says when there is no point in going on."""

    def __init__(self, model: ChatModel, patience: Patience):
        self._model = model
        self._patience = patience
        self._row = 0
        self._trips = 0
        self._last_end = self._last_answer = time.monotonic()
        self._last_failure: ProviderError | None = None
        self._tripped = asyncio.Event()

    def answered(self) -> None:
        """A call was answered."""
        self._row = self._trips = 0
        self._last_end = self._last_answer = time.monotonic()

    def failed(self, error: Exception) -> None:
        """A call has failed for good."""
        self._last_end = time.monotonic()
        if isinstance(error, FATAL):
            self._row += 1
            self._last_failure = error
            if self._row >= self._patience.failures:
                self._tripped.set()

    async def broken(self) -> ProviderError:
        """Return why, once the model is dead; for ever waiting while it lives."""
        while True:
            try:
                async with asyncio.timeout(self._patience.tick):
                    await self._tripped.wait()
            except TimeoutError:
                if time.monotonic() - self._last_end < self._patience.silence:
                    continue
            begun = self._last_answer
            error = await self._diagnose()
            # Some can only be asked by a call, which waits its turn behind slow ones.
            if error is not None and self._last_answer == begun:
                return error
            self._tripped.clear()
            self._row = 0
            self._last_end = time.monotonic()

    async def _diagnose(self) -> ProviderError | None:
        if self._tripped.is_set():
            self._trips += 1
            if self._trips >= self._patience.trips or not isinstance(self._model, Checkable):
                return self._last_failure
        if isinstance(self._model, Checkable):
            try:
                await self._model.check(deadline=self._patience.deadline)
            except RateLimited:
                return None
            except ProviderError as error:
                return error
        return None
