"""A model as the rest of the house uses it: cache, limits and retries around an adapter."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from llmops.core.chat import ChatChunk, ChatModel, ChatReply, ChatRequest, Messages, TokenLogprob
from llmops.core.errors import LlmopsError, ProviderError, ProviderUnavailable
from llmops.models.cache import ResponseCache, cache_key
from llmops.models.config import Price
from llmops.models.cost import BusyClock, priced, spared
from llmops.models.limits import Limits
from llmops.models.retries import Retries
from llmops.models.wire import reply_from_json, reply_to_json

T = TypeVar("T")

_PROBE_RETRIES = 2
_log = logging.getLogger(__name__)


class Adapter(ChatModel, Protocol):
    """A chat model that makes each call once and shows how it spells it."""

    def encode(self, request: ChatRequest) -> bytes:
        """The call as canonical JSON, by which the cache knows it."""
        ...

    async def send(self, request: ChatRequest, body: bytes) -> ChatReply:
        """The answer to `request`, whose encoded form is `body`."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer in pieces, from a generator that can be closed."""
        ...

    async def check(self) -> None:
        """Raise the `ProviderError` that calls would raise now, as cheaply as can be."""
        ...


@dataclass(slots=True)
class Statistics:
    """What a model was made to do so far."""

    calls: int = 0
    """Calls that the provider answered."""
    cached: int = 0
    """Answers that cost no call: from the cache, or of the same call in flight."""
    retries: int = 0
    """Attempts after a failed one."""
    failures: int = 0
    """Calls that failed in the end."""


class ManagedModel:
    """A chat model with a cache, limits, retries and a price. Safe to call concurrently."""

    def __init__(
        self,
        adapter: Adapter,
        *,
        limits: Limits | None = None,
        retries: Retries | None = None,
        cache: ResponseCache | None = None,
        price: Price | None = None,
    ):
        self._adapter = adapter
        self._limits = limits or Limits(8)
        self._retries = retries or Retries()
        self._cache = cache
        self._price = price
        self._busy = BusyClock()
        self._flying: dict[bytes, asyncio.Future[ChatReply]] = {}
        self._identity: str | None = None
        self.statistics = Statistics()

    @property
    def name(self) -> str:
        """The model's name in LiteLLM's spelling."""
        return self._adapter.name

    @property
    def concurrency(self) -> int:
        """Calls that may be in flight at once."""
        return self._limits.concurrency

    async def identity(self) -> str:
        """What tells this model from every other."""
        if self._identity is None:
            self._identity = await self._retries.run(self._adapter.identity)
        return self._identity

    async def check(self, deadline: float = 30.0) -> None:
        """Return when the endpoint answers and serves this model.

        Raises the `ProviderError` that says why not, after at most `deadline`
        seconds.
        """
        try:
            async with asyncio.timeout(deadline):
                await replace(self._retries, limit=_PROBE_RETRIES).run(self._adapter.check)
        except TimeoutError:
            raise ProviderUnavailable(
                f"`{self.name}` did not answer within {deadline:g} s",
                hint="is the model still loading? `llmops serve --status` tells",
            ) from None

    async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:
        """The whole answer; `cached` says that no call was made for it.

        Only an answer that the model ended by itself is kept. The same call
        made twice at once is made once.
        """
        body = self._adapter.encode(request)
        if self._cache is None or not use_cache:
            return await self._call(request, body)
        key = cache_key(await self.identity(), body, request.repeat)
        if stored := self._cache.get(key):
            return self._spared(reply_from_json(stored))
        while (flying := self._flying.get(key)) is not None:
            try:
                return self._spared(replace(await asyncio.shield(flying), cached=True))
            except _Abandoned:
                continue
        return await self._lead(key, request, body, self._cache)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer in pieces. Never from the cache; tried again until its first piece came."""

        async def begin() -> tuple[ChatChunk | None, AsyncGenerator[ChatChunk, None]]:
            chunks = self._adapter.stream(request)
            return await anext(chunks, None), chunks

        async with self._limits.slot:
            mark = self._busy.begin()
            seconds: float | None = None
            try:
                chunk, rest = await self._tried(begin)
                async with aclosing(rest):
                    while chunk is not None:
                        if chunk.reply is not None:
                            seconds = self._busy.end(mark)
                            usage = priced(chunk.reply.usage, self._price, seconds)
                            chunk = replace(chunk, reply=replace(chunk.reply, usage=usage))
                        yield chunk
                        chunk = await anext(rest, None)
            finally:
                if seconds is None:
                    self._busy.end(mark)

    async def label_probabilities(
        self, request: ChatRequest, labels: Sequence[str]
    ) -> Mapping[str, float]:
        """Exact probabilities of labels, where the provider is vLLM."""
        async with self._limits.slot:
            return await self._tried(lambda: self._adapter.label_probabilities(request, labels))

    async def score_text(self, messages: Messages, text: str) -> tuple[TokenLogprob, ...]:
        """Log-probabilities of a given text, where the provider is vLLM."""
        async with self._limits.slot:
            return await self._tried(lambda: self._adapter.score_text(messages, text))

    async def aclose(self) -> None:
        """Close connections and the cache's file; the next call opens them again."""
        if self._cache is not None:
            self._cache.close()
        await self._adapter.aclose()

    async def _lead(
        self, key: bytes, request: ChatRequest, body: bytes, cache: ResponseCache
    ) -> ChatReply:
        """Make the call that others with the same key wait for."""
        future: asyncio.Future[ChatReply] = asyncio.get_running_loop().create_future()
        self._flying[key] = future
        try:
            reply = await self._call(request, body)
            if reply.finish_reason == "stop":
                self._keep(key, reply, cache)
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            future.set_exception(_Abandoned() if cancelled else error)
            future.exception()  # nobody may be waiting; that is no mistake
            raise
        else:
            future.set_result(reply)
            return reply
        finally:
            del self._flying[key]

    def _keep(self, key: bytes, reply: ChatReply, cache: ResponseCache) -> None:
        """Store an answer. One that is there is not lost to a disk that is full."""
        try:
            cache.put(key, reply_to_json(reply))
        except LlmopsError as error:
            self._cache = None
            _log.warning("%s; further answers are not cached", error)

    async def _call(self, request: ChatRequest, body: bytes) -> ChatReply:
        async with self._limits.slot:
            mark = self._busy.begin()
            try:
                attempts = 0

                def send() -> Awaitable[ChatReply]:
                    nonlocal attempts
                    attempts += 1
                    return self._adapter.send(request, body)

                reply = await self._tried(send)
            finally:
                seconds = self._busy.end(mark)
        if attempts > 1:
            reply = replace(reply, attempts=attempts)
        if self._price is None:
            return reply
        return replace(reply, usage=priced(reply.usage, self._price, seconds))

    async def _tried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        async def paced() -> T:
            await self._limits.turn()
            return await attempt()

        try:
            result = await self._retries.run(paced, self._count_retry)
        except ProviderError:
            self.statistics.failures += 1
            raise
        self.statistics.calls += 1
        return result

    def _spared(self, reply: ChatReply) -> ChatReply:
        self.statistics.cached += 1
        usage = priced(reply.usage, self._price, 0.0)
        return replace(reply, usage=spared(usage)) if self._price else reply

    def _count_retry(self) -> None:
        self.statistics.retries += 1


class _Abandoned(Exception):
    """The call that others waited for was cancelled; one of them has to make it."""
