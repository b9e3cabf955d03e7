"""Models of vLLM and of every OpenAI-compatible endpoint, over plain HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from llmops.core.chat import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    LabelProbabilities,
    Message,
    Messages,
    Sampling,
    TokenLogprob,
)
from llmops.core.errors import (
    BadResponse,
    ModelNotFound,
    ProviderUnavailable,
    RequestRejected,
    Unsupported,
)
from llmops.core.fingerprint import canonical_json, fingerprint
from llmops.models.connection import Connection
from llmops.models.names import Endpoint
from llmops.models.streams import Collected
from llmops.models.structured import Dialect, checked, dialect_for, fields_for
from llmops.models.vllm import VllmAbilities
from llmops.models.wire import reply_of, request_body


class HttpModel:
    """A chat model behind `POST /chat/completions`.

    Makes each call once: retries, limits and the cache are `ManagedModel`'s.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float = 120.0, connections: int = 8):
        self.endpoint = endpoint
        self._connection = Connection(endpoint, timeout=timeout, size=connections)
        self._chat_url = f"{endpoint.base}/chat/completions"
        self._abilities = VllmAbilities(self._connection, endpoint.name.served)
        self._identity: str | None = None
        self._is_vllm: bool | None = True if endpoint.name.provider == "hosted_vllm" else None
        self._asking = asyncio.Lock()
        self._probing = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's name in LiteLLM's spelling."""
        return str(self.endpoint.name)

    async def identity(self) -> str:
        """Address and served name, with a digest of the weights' root and vLLM's version.

        The same address with other weights or another vLLM is another model.
        """
        async with self._asking:
            if self._identity is None:
                served = self.endpoint.name.served
                card = next((m for m in await self._models() if m.get("id") == served), {})
                known = {key: card.get(key) for key in ("root", "parent", "max_model_len")}
                known["version"] = await self._version()
                digest = fingerprint(known)[:23]
                self._identity = f"{self.endpoint.base} {served} {digest}"
            return self._identity

    def encode(self, request: ChatRequest) -> bytes:
        """The call as canonical JSON: what is sent, and what the cache knows it by."""
        return canonical_json(request_body(self.endpoint.name.served, request))

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The whole answer, from one attempt."""
        return await self.send(request, self.encode(request))

    async def send(self, request: ChatRequest, body: bytes) -> ChatReply:
        """The whole answer to `request`, whose encoded form is `body`."""
        constraint = request.constraint
        if constraint is not None:
            body = await self._constrained(request, body)
        started = time.perf_counter()
        try:
            answer = await self._connection.post(self._chat_url, body)
        except ModelNotFound as error:
            await self._say_what_is_served(error)
            raise
        reply = reply_of(answer, latency=time.perf_counter() - started)
        return reply if constraint is None else checked(constraint, reply)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer in pieces; `ProviderUnavailable` when it ends without a finish reason."""
        body = self.encode(request)
        if request.constraint is not None:
            body = await self._constrained(request, body)
        asked = {**json.loads(body), "stream": True, "stream_options": {"include_usage": True}}
        collected = Collected()
        try:
            events = self._connection.events(self._chat_url, canonical_json(asked))
            async with aclosing(events):
                async for event in events:
                    if text := collected.add(event):
                        yield ChatChunk(text=text)
        except ModelNotFound as error:
            await self._say_what_is_served(error)
            raise
        reply = collected.reply(self.endpoint.base)
        if request.constraint is not None:
            checked(request.constraint, reply)
        yield ChatChunk(text="", reply=reply)

    async def label_probabilities(
        self, request: ChatRequest, labels: Sequence[str]
    ) -> LabelProbabilities:
        """Exact probabilities of labels, where the endpoint is vLLM."""
        await self._must_be_vllm("exact label probabilities")
        return await self._abilities.label_probabilities(request, labels)

    async def score_text(self, messages: Messages, text: str) -> tuple[TokenLogprob, ...]:
        """Log-probabilities of a given text, where the endpoint is vLLM."""
        await self._must_be_vllm("the probability of a given text")
        return await self._abilities.score_text(messages, text)

    async def check(self) -> None:
        """Ask for the list of models: raises when the endpoint is dead or lacks this one."""
        served = self.endpoint.name.served
        names = [str(model.get("id")) for model in await self._models()]
        if names and served not in names:
            raise ModelNotFound(
                f"{self.endpoint.base} serves no model `{served}`", hint=_serves(names)
            )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()

    async def _models(self) -> list[Mapping[str, Any]]:
        """The endpoint's list of models; empty where it keeps none."""
        try:
            answer = await self._connection.get(f"{self.endpoint.base}/models")
        except RequestRejected as error:
            if error.status in (404, 405, 501) and self.endpoint.base.endswith("/v1"):
                return []
            raise
        models = answer.get("data")
        if not isinstance(models, list):
            raise BadResponse(f"{self.endpoint.base}/models is not a list of models")
        return [model for model in models if isinstance(model, dict)]

    async def _version(self) -> str | None:
        """vLLM's version; `None` where the endpoint does not tell one."""
        try:
            answer = await self._connection.get(f"{self.endpoint.root}/version")
        except (RequestRejected, BadResponse):
            return None
        version = answer.get("version")
        return version if isinstance(version, str) else None

    async def _must_be_vllm(self, ability: str) -> None:
        if self._is_vllm is None:
            self._is_vllm = await self._version() is not None
        if not self._is_vllm:
            raise Unsupported(
                f"{self.endpoint.base} does not tell {ability}; only vLLM does",
                hint="serve the model with vLLM and name it `hosted_vllm/…`",
            )

    async def _constrained(self, request: ChatRequest, body: bytes) -> bytes:
        """`body` in the dialect that the endpoint was seen to obey."""
        assert request.constraint is not None  # noqa: S101 - told to the type checker
        async with self._probing:  # the first calls come at once, and one probe is enough
            dialect = await dialect_for(request.constraint, await self.identity(), self._ask)
        if dialect is Dialect.STRUCTURED_OUTPUTS:
            return body
        fields: dict[str, Any] = json.loads(body)
        del fields["structured_outputs"]
        return canonical_json(fields | fields_for(request.constraint, dialect))

    async def _ask(self, fields: dict[str, Any]) -> str:
        probe = ChatRequest(
            messages=(Message(role="user", content="Say hello."),),
            sampling=Sampling(max_tokens=48),
        )
        body = request_body(self.endpoint.name.served, probe) | fields
        answer = await self._connection.post(self._chat_url, canonical_json(body))
        return reply_of(answer, latency=0.0).text

    async def _say_what_is_served(self, error: ModelNotFound) -> None:
        try:
            names = [str(model.get("id")) for model in await self._models()]
        except (RequestRejected, BadResponse, ProviderUnavailable):
            return
        error.hint = _serves(names)


def _serves(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"it serves {shown}{more}" if names else "it serves no model"
