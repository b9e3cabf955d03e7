"""Talking to a chat model: the request, the reply, and the protocol of a model.

Every model, real or scripted, takes a `ChatRequest` and gives a `ChatReply`.
A failure is a `ProviderError`; there is no reply that means "failed".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant", "developer", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str

    def to_json(self) -> dict[str, str]:
        """The message as every chat API spells it."""
        return {"role": self.role, "content": self.content}


Messages = tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the model picks tokens. Temperature and seed are always sent.

    A server that is not told falls back on the model's own
    `generation_config.json`, and an evaluation would not be what it seems.
    """

    temperature: float = 0.0
    seed: int = 0
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request body, sent as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What the answer's text must look like, enforced while decoding.

    `kind` and `value` are those of vLLM's `structured_outputs`: a JSON Schema,
    a regular expression, a list of choices, or a grammar (EBNF).
    """

    kind: Literal["json", "regex", "choice", "grammar"]
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One call: what is said, how to sample, what the answer must look like."""

    messages: Messages
    sampling: Sampling = field(default_factory=Sampling)
    constraint: Constraint | None = None
    top_logprobs: int | None = None
    """Log-probabilities of the `n` likeliest tokens at each position."""
    repeat: int = 0
    """Index among repeats of the same request; only the cache looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or several calls, and what they cost."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Input tokens that the server's prefix cache spared."""
    cost: float | None = None
    """In the currency of the configured price; `None` when no price is known."""

    def __add__(self, other: Usage) -> Usage:
        costs = [each for each in (self.cost, other.cost) if each is not None]
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost=sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """One token with its natural-log probability and its likeliest rivals."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """What the model said, and what is known about how it came about."""

    text: str
    finish_reason: str
    """`stop` when the model ended by itself; `length` when it was cut."""
    model: str = ""
    """The model's name as the provider reports it."""
    system_fingerprint: str | None = None
    usage: Usage = field(default_factory=Usage)
    latency: float = 0.0
    """Seconds from sending to the whole answer; for a cached reply, of the call that was made."""
    cached: bool = False
    attempts: int = 1
    """Requests that it took; more than one when the provider failed first."""
    logprobs: tuple[TokenLogprob, ...] = ()
    request_id: str | None = None

    @property
    def truncated(self) -> bool:
        """Whether the answer was cut at the token limit."""
        return self.finish_reason == "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChunk:
    """A piece of a streamed answer; the last one carries `reply` with the whole."""

    text: str
    reply: ChatReply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelProbabilities:
    """How likely the model was to answer with each of some labels, told by one token."""

    probabilities: Mapping[str, float]
    """The exact probability, in [0, 1], that the answer's first token starts the label."""
    usage: Usage = field(default_factory=Usage)
    cached: bool = False

    @property
    def mass(self) -> float:
        """The probability of all labels together; what is missing wanted to say something else."""
        return min(1.0, sum(self.probabilities.values()))


@runtime_checkable
class ChatModel(Protocol):
    """A model that answers messages.

    Implementations are safe to call concurrently from one event loop, raise
    `ProviderError` and nothing else when the provider fails, and may be closed
    more than once.
    """

    @property
    def name(self) -> str:
        """The model's name in LiteLLM's spelling, such as `hosted_vllm/smollm2-135m`."""
        ...

    async def identity(self) -> str:
        """What tells this model from every other: endpoint, model, weights or version.

        Two models with one identity may share cached answers.
        """
        ...

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The whole answer."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        """The answer in pieces; the last chunk carries the reply.

        A stream that ends without a finish reason raises `ProviderUnavailable`.
        """
        ...

    async def label_probabilities(
        self, request: ChatRequest, labels: Sequence[str]
    ) -> LabelProbabilities:
        """The exact probability, in [0, 1], that the answer's first token starts each label.

        Temperature does not change it. Raises `Unsupported` where the provider
        cannot tell (all but vLLM), and where two labels start with the same token.
        """
        ...

    async def score_text(self, messages: Messages, text: str) -> tuple[TokenLogprob, ...]:
        """The log-probability of every token of `text`, had the model said it.

        Raises `Unsupported` where the provider cannot tell (all but vLLM).
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...
