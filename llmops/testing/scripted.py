"""A chat model that answers from a script."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from llmops.core.chat import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    LabelProbabilities,
    Messages,
    TokenLogprob,
    Usage,
)
from llmops.core.errors import ProviderError, Unsupported, UsageError
from llmops.core.fingerprint import canonical_json, fingerprint
from llmops.models.managed import Statistics
from llmops.models.structured import checked
from llmops.models.wire import request_body

Answer = str | ChatReply | ProviderError
Script = str | Mapping[str, Answer] | Callable[[ChatRequest], Answer]
Probabilities = Mapping[str, float] | Callable[[ChatRequest], Mapping[str, float]]


class ScriptedModel:
    """Implements all of `ChatModel`, and stands in for a `ManagedModel` too.

    `script` is one answer for everything; or answers by what the last message
    says or contains, in the mapping's order; or a function of the request. An
    answer that is a `ProviderError` is raised. Without `probabilities` (per
    label, or a function of the request) and `logprobs` (of a given text),
    asking for them is `Unsupported`, as it is of most providers.
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scripted/model",
        probabilities: Probabilities | None = None,
        logprobs: Callable[[str], Sequence[TokenLogprob]] | None = None,
        concurrency: int = 8,
    ):
        self._script = script
        self._name = name
        self._probabilities = probabilities
        self._logprobs = logprobs
        self.concurrency = concurrency
        self.requests: list[ChatRequest] = []
        """Every request so far, in order."""
        self.statistics = Statistics()

    @property
    def name(self) -> str:
        """The model's name in LiteLLM's spelling."""
        return self._name

    async def identity(self) -> str:
        """The name; and the script, where it is data."""
        script = repr(self._script) if not callable(self._script) else ""
        return f"{self._name} {fingerprint(script)[:23]}"

    def encode(self, request: ChatRequest) -> bytes:
        """The call as canonical JSON."""
        return canonical_json(request_body(self._name, request))

    async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:  # noqa: ARG002
        """The scripted answer."""
        return await self.send(request, b"")

    async def send(self, request: ChatRequest, body: bytes) -> ChatReply:  # noqa: ARG002
        """The scripted answer."""
        await asyncio.sleep(0)  # others get a turn, as they do while a real model works
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, ProviderError):
            self.statistics.failures += 1
            raise answer
        self.statistics.calls += 1
        reply = answer if isinstance(answer, ChatReply) else self._reply(request, answer)
        return reply if request.constraint is None else checked(request.constraint, reply)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The scripted answer, a piece a word."""
        reply = await self.send(request, b"")
        first, *rest = reply.text.split(" ")
        for piece in (first, *(f" {word}" for word in rest)):
            yield ChatChunk(text=piece)
        yield ChatChunk(text="", reply=reply)

    async def label_probabilities(
        self,
        request: ChatRequest,
        labels: Sequence[str],
        use_cache: bool = True,  # noqa: ARG002
    ) -> LabelProbabilities:
        """The scripted probability of each label; 0 for one that the script leaves out."""
        if self._probabilities is None:
            raise Unsupported(f"`{self._name}` does not tell exact label probabilities")
        await asyncio.sleep(0)
        self.requests.append(request)
        self.statistics.calls += 1
        found = (
            self._probabilities(request) if callable(self._probabilities) else self._probabilities
        )
        return LabelProbabilities(
            probabilities={label: found.get(label, 0.0) for label in labels},
            usage=self._usage(request, 1),
        )

    async def score_text(
        self,
        messages: Messages,  # noqa: ARG002
        text: str,
    ) -> tuple[TokenLogprob, ...]:
        """The scripted log-probabilities of a text."""
        if self._logprobs is None:
            raise Unsupported(f"`{self._name}` does not tell the probability of a given text")
        return tuple(self._logprobs(text))

    async def check(self, deadline: float = 30.0) -> None:
        """Nothing to check."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def _answer(self, request: ChatRequest) -> Answer:
        if isinstance(self._script, str):
            return self._script
        if callable(self._script):
            return self._script(request)
        asked = request.messages[-1].content
        if asked in self._script:
            return self._script[asked]
        for part, answer in self._script.items():
            if part in asked:
                return answer
        raise UsageError(f"the script has no answer to {asked[:80]!r}")

    @staticmethod
    def _usage(request: ChatRequest, said: int) -> Usage:
        asked = sum(len(each.content.split()) for each in request.messages)
        return Usage(input_tokens=asked, output_tokens=said)

    def _reply(self, request: ChatRequest, text: str) -> ChatReply:
        words = text.split(" ")
        most = request.sampling.max_tokens
        cut = most is not None and len(words) > most
        said = words[:most] if cut else words
        logprob = TokenLogprob(token="", logprob=math.log(0.5))
        return ChatReply(
            text=" ".join(said),
            finish_reason="length" if cut else "stop",
            model=self._name,
            usage=self._usage(request, len(said)),
            latency=0.001,
            logprobs=() if request.top_logprobs is None else (logprob,) * len(said),
        )
