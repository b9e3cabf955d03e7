"""A model as the rest of the house uses it: cache, limits and retries around an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from llmops.core.chat import (
    ChatChunk,
    ChatModel,
    ChatReply,
    ChatRequest,
    LabelProbabilities,
    Messages,
    TokenLogprob,
)
from llmops.core.errors import ProviderError, ProviderUnavailable
from llmops.core.fingerprint import canonical_json
from llmops.models.cache import ResponseCache, cache_key
from llmops.models.config import Price
from llmops.models.cost import BusyClock, priced, spared
from llmops.models.limits import Limits
from llmops.models.retries import Retries
from llmops.models.reuse import PROBABILITIES, REPLIES, A, Reuse

T = TypeVar("T")

_PROBE_RETRIES = 2


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
        self._reuse = Reuse(cache)
        self._price = price
        self._busy = BusyClock()
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

        async def call() -> ChatReply:
            reply, attempts = await self._call(lambda: self._adapter.send(request, body))
            return replace(reply, attempts=attempts) if attempts > 1 else reply

        if not (use_cache and self._reuse.possible):
            return await call()
        key = cache_key(await self.identity(), body, request.repeat)
        return self._accounted(await self._reuse.answer(key, REPLIES, call))

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
        self, request: ChatRequest, labels: Sequence[str], use_cache: bool = True
    ) -> LabelProbabilities:
        """Exact probabilities of labels, where the provider is vLLM; kept as answers are."""

        async def call() -> LabelProbabilities:
            found, _ = await self._call(lambda: self._adapter.label_probabilities(request, labels))
            return found

        if not (use_cache and self._reuse.possible):
            return await call()
        # The same request asked for a text has another address.
        body = canonical_json(["label_probabilities", *labels]) + self._adapter.encode(request)
        key = cache_key(await self.identity(), body, request.repeat)
        return self._accounted(await self._reuse.answer(key, PROBABILITIES, call))

    async def score_text(self, messages: Messages, text: str) -> tuple[TokenLogprob, ...]:
        """Log-probabilities of a given text, where the provider is vLLM."""
        async with self._limits.slot:
            return await self._tried(lambda: self._adapter.score_text(messages, text))

    async def aclose(self) -> None:
        """Close connections and the cache's file; the next call opens them again."""
        self._reuse.close()
        await self._adapter.aclose()

    async def _call(self, attempt: Callable[[], Awaitable[A]]) -> tuple[A, int]:
        """What an attempt gave in the end, with its price, and how many attempts it took."""
        attempts = 0

        def counted() -> Awaitable[A]:
            nonlocal attempts
            attempts += 1
            return attempt()

        async with self._limits.slot:
            mark = self._busy.begin()
            try:
                answer = await self._tried(counted)
            finally:
                seconds = self._busy.end(mark)
        if self._price is not None:
            answer = replace(answer, usage=priced(answer.usage, self._price, seconds))
        return answer, attempts

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

    def _accounted(self, answer: A) -> A:
        """An answer that cost no call is counted as such, and nothing is spent on it."""
        if not answer.cached:
            return answer
        self.statistics.cached += 1
        usage = priced(answer.usage, self._price, 0.0)
        return replace(answer, usage=spared(usage)) if self._price else answer

    def _count_retry(self) -> None:
        self.statistics.retries += 1
