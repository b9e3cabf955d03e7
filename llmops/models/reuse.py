"""Answers that need no call: those that are kept, and those of the same call in flight."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from llmops.core.chat import ChatReply, LabelProbabilities
from llmops.core.errors import LlmopsError
from llmops.models.cache import ResponseCache
from llmops.models.wire import labels_from_json, labels_to_json, reply_from_json, reply_to_json

A = TypeVar("A", ChatReply, LabelProbabilities)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Form(Generic[A]):
    """How one kind of answer is kept."""

    to_json: Callable[[A], dict[str, Any]]
    from_json: Callable[[dict[str, Any]], A]
    is_whole: Callable[[A], bool]
    """Whether the answer may be kept: one that was cut off would be found cut for ever."""


REPLIES = Form(reply_to_json, reply_from_json, lambda reply: reply.finish_reason == "stop")
PROBABILITIES = Form(labels_to_json, labels_from_json, lambda _: True)


class Reuse:
    """A cache of answers, and the calls in flight that others may wait for."""

    def __init__(self, cache: ResponseCache | None):
        self._cache = cache
        self._flying: dict[bytes, asyncio.Future[Any]] = {}

    @property
    def possible(self) -> bool:
        """Whether there is a cache."""
        return self._cache is not None

    async def answer(self, key: bytes, form: Form[A], call: Callable[[], Awaitable[A]]) -> A:
        """The answer under `key`, marked as cached when it did not take a call of its own."""
        if self._cache is not None and (stored := self._cache.get(key)):
            return form.from_json(stored)
        while (flying := self._flying.get(key)) is not None:
            try:
                return cast("A", replace(await asyncio.shield(flying), cached=True))
            except _Abandoned:
                continue
        return await self._lead(key, form, call)

    def close(self) -> None:
        """Close the cache's file; the next answer opens it again."""
        if self._cache is not None:
            self._cache.close()

    async def _lead(self, key: bytes, form: Form[A], call: Callable[[], Awaitable[A]]) -> A:
        """Make the call that others with the same key wait for."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        try:
            answer = await call()
            if form.is_whole(answer):
                self._keep(key, form.to_json(answer))
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            future.set_exception(_Abandoned() if cancelled else error)
            future.exception()  # nobody may be waiting; that is no mistake
            raise
        else:
            future.set_result(answer)
            return answer
        finally:
            del self._flying[key]

    def _keep(self, key: bytes, stored: dict[str, Any]) -> None:
        """Store an answer. One that is there is not lost to a disk that is full."""
        if self._cache is None:
            return
        try:
            self._cache.put(key, stored)
        except LlmopsError as error:
            self._cache = None
            _log.warning("%s; further answers are not cached", error)


class _Abandoned(Exception):
    """The call that others waited for was cancelled; one of them has to make it."""
