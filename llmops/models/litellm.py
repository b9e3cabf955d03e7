"""Models of every other provider, through LiteLLM.

The one module that imports it: that takes three seconds of CPU, so it happens
when such a model is opened. Of LiteLLM only the translation to the provider is
used; its cache confuses endpoints, its retries do not back off, and its
limits do not limit.
"""

from __future__ import annotations

import asyncio
import os
import time
import warnings
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
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
from llmops.core.errors import ProviderError, ProviderUnavailable, Unsupported, UsageError, needs
from llmops.core.fingerprint import canonical_json
from llmops.models.config import ModelConfig
from llmops.models.litellm_errors import translated
from llmops.models.names import HTTP_PROVIDERS, Endpoint, ModelName, api_key, endpoint_of
from llmops.models.streams import Collected
from llmops.models.structured import Dialect, checked, dialect_for, fields_for
from llmops.models.wire import reply_of, request_body

_IN_USE: set[int] = set()
"""Models that have called and were not closed."""

_REMARK = r"Item .* on TypedDict class .* is using the `ReadOnly` qualifier"


class LiteLlmModel:
    """A chat model behind `litellm.acompletion`; makes each call once."""

    def __init__(self, litellm: Any, endpoint: Endpoint, *, timeout: float):
        self._litellm = litellm
        self.endpoint = endpoint
        self._timeout = timeout
        self._takes_seed = _takes_seed(litellm, endpoint.name)
        self._probing = asyncio.Lock()

    @classmethod
    def build(cls, config: ModelConfig, environ: Mapping[str, str] | None = None) -> LiteLlmModel:
        """Import LiteLLM, silenced and off the network, and make the model.

        Raises `MissingExtra` without LiteLLM, `UsageError` for a provider that
        it does not know or an empty key variable.
        """
        endpoint = _endpoint(config, os.environ if environ is None else environ)
        # Before the import: it would fetch a price list, and read a .env file.
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
        with needs("litellm"):
            import litellm
        # Pydantic's remark on LiteLLM's own types, of no use to anybody else.
        warnings.filterwarnings("ignore", message=_REMARK, category=UserWarning)
        litellm.suppress_debug_info = True
        litellm.turn_off_message_logging = True
        try:
            litellm.get_llm_provider(config.model, api_base=config.api_base)
        except litellm.exceptions.BadRequestError:
            raise UsageError(
                f"LiteLLM knows no provider `{endpoint.name.provider}`",
                hint="names are `provider/model`: https://docs.litellm.ai/docs/providers",
            ) from None
        return cls(litellm, endpoint, timeout=config.timeout)

    @property
    def name(self) -> str:
        """The model's name in LiteLLM's spelling."""
        return str(self.endpoint.name)

    async def identity(self) -> str:
        """Name and address; a provider's own version of a model is not to be had."""
        return f"litellm {self.name} {self.endpoint.base}".rstrip()

    def encode(self, request: ChatRequest) -> bytes:
        """The call as canonical JSON, by which the cache knows it."""
        return canonical_json(request_body(self.name, request))

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The whole answer, from one attempt."""
        return await self.send(request, self.encode(request))

    async def send(self, request: ChatRequest, body: bytes) -> ChatReply:  # noqa: ARG002
        """The whole answer to `request`; LiteLLM writes the body itself."""
        arguments = await self._arguments(request)
        reply = await self._complete(arguments)
        return reply if request.constraint is None else checked(request.constraint, reply)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer in pieces; `ProviderUnavailable` when it ends without a finish reason."""
        arguments = await self._arguments(request)
        collected = Collected()
        options = {"stream": True, "stream_options": {"include_usage": True}}
        with translated(self.endpoint):
            chunks = await self._litellm.acompletion(**arguments, **options)
            try:
                async for chunk in chunks:
                    event = chunk.model_dump(exclude_none=True)
                    if text := collected.add(event):
                        yield ChatChunk(text=text)
                # LiteLLM ends a stream that was cut with a `stop` of its own.
                if not (chunks.received_finish_reason or chunks.intermittent_finish_reason):
                    collected.finish = ""
            finally:
                with suppress(Exception):
                    await chunks.aclose()
        reply = collected.reply(self.name)
        if request.constraint is not None:
            checked(request.constraint, reply)
        yield ChatChunk(text="", reply=reply)

    async def label_probabilities(
        self,
        request: ChatRequest,  # noqa: ARG002
        labels: Sequence[str],  # noqa: ARG002
    ) -> LabelProbabilities:
        """Raises `Unsupported`: LiteLLM offers no exact probabilities."""
        raise self._unsupported("exact label probabilities")

    async def score_text(
        self,
        messages: Messages,  # noqa: ARG002
        text: str,  # noqa: ARG002
    ) -> tuple[TokenLogprob, ...]:
        """Raises `Unsupported`: LiteLLM scores no given text."""
        raise self._unsupported("the probability of a given text")

    async def check(self) -> None:
        """Ask for a single token, as no cheaper question is common to all providers."""
        hello = ChatRequest(
            messages=(Message(role="user", content="Hello"),), sampling=Sampling(max_tokens=1)
        )
        await self._complete(await self._arguments(hello))

    async def aclose(self) -> None:
        """Close LiteLLM's connections, unless another model still uses them: they are shared."""
        _IN_USE.discard(id(self))
        if not _IN_USE:
            with suppress(Exception):
                await self._litellm.close_litellm_async_clients()
            # It would go on to hand out the closed ones.
            self._litellm.in_memory_llm_clients_cache.flush_cache()

    async def _complete(self, arguments: dict[str, Any]) -> ChatReply:
        started = time.perf_counter()
        with translated(self.endpoint):
            try:
                async with asyncio.timeout(self._timeout):
                    answer = await self._litellm.acompletion(**arguments)
            except TimeoutError:
                raise ProviderUnavailable(
                    f"{self.name} did not answer within {self._timeout:g} s"
                ) from None
        data = answer.model_dump(exclude_none=True)
        return reply_of(data, latency=time.perf_counter() - started)

    async def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        arguments = request_body(self.name, request)
        arguments.pop("structured_outputs", None)
        extra_body = {key: arguments.pop(key) for key in request.sampling.extra}
        if not self._takes_seed:
            del arguments["seed"]
        arguments |= self._transport()
        if request.constraint is not None:
            async with self._probing:  # the first calls come at once, and one probe is enough
                dialect = await dialect_for(
                    request.constraint, await self.identity(), self._ask, self._dialects()
                )
            _constrain(arguments, extra_body, fields_for(request.constraint, dialect))
        if extra_body:
            arguments["extra_body"] = extra_body
        return arguments

    def _transport(self) -> dict[str, Any]:
        """Where to, with which key, how long, and nothing behind our back."""
        _IN_USE.add(id(self))
        arguments: dict[str, Any] = {
            "timeout": self._timeout,
            "num_retries": 0,
            "max_retries": 0,
            "caching": False,
        }
        if self.endpoint.base:
            arguments["api_base"] = self.endpoint.base
        if self.endpoint.key:
            arguments["api_key"] = self.endpoint.key
        return arguments

    def _dialects(self) -> tuple[Dialect, ...]:
        if self.endpoint.name.provider in HTTP_PROVIDERS:
            return tuple(Dialect)
        return (Dialect.RESPONSE_FORMAT,)

    async def _ask(self, fields: dict[str, Any]) -> str:
        probe = ChatRequest(
            messages=(Message(role="user", content="Say hello."),),
            sampling=Sampling(max_tokens=48),
        )
        arguments = await self._arguments(probe)
        extra_body: dict[str, Any] = {}
        _constrain(arguments, extra_body, fields)
        if extra_body:
            arguments["extra_body"] = extra_body
        return (await self._complete(arguments)).text

    def _unsupported(self, ability: str) -> ProviderError:
        return Unsupported(
            f"`{self.name}` through LiteLLM does not tell {ability}; only vLLM over HTTP does",
            hint='serve the model with vLLM, name it `hosted_vllm/…`, leave `transport = "auto"`',
        )


def _endpoint(config: ModelConfig, environ: Mapping[str, str]) -> Endpoint:
    """The endpoint; without an address where LiteLLM knows the provider's own."""
    name = ModelName.parse(config.model)
    if name.provider in HTTP_PROVIDERS:
        return endpoint_of(
            config.model, api_base=config.api_base, key_env=config.api_key_env, environ=environ
        )
    key = api_key(config.api_key_env, environ)
    if config.api_key_env and key is None:
        raise UsageError(
            f"`{name}` needs a key, and {config.api_key_env} is not set",
            hint=f"export {config.api_key_env}=…",
        )
    return Endpoint(name=name, base=config.api_base or "", key=key, key_env=config.api_key_env)


def _takes_seed(litellm: Any, name: ModelName) -> bool:
    """Whether the provider has a seed at all; sent to one that has none, it is an error."""
    supported = litellm.get_supported_openai_params(
        model=name.served, custom_llm_provider=name.provider
    )
    return supported is None or "seed" in supported


def _constrain(
    arguments: dict[str, Any], extra_body: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Put a constraint's fields where LiteLLM passes them on."""
    for key, value in fields.items():
        if key == "response_format":
            arguments[key] = value
        else:
            extra_body[key] = value
