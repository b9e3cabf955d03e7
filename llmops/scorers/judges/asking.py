"""Asking a model for one of a few labels, in the strongest way that its endpoint offers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from llmops.core.chat import (
    ChatModel,
    ChatReply,
    ChatRequest,
    Constraint,
    Message,
    Sampling,
    Usage,
)
from llmops.core.errors import BadResponse, Unsupported
from llmops.scorers.judges.labels import label_in

ROOM = 32
"""Tokens that a label, or a small JSON object around it, may take at least."""

_PROBE = ChatRequest(
    messages=(Message(role="user", content="Answer with one word: is snow white?"),),
    sampling=Sampling(max_tokens=ROOM),
)


class Way(StrEnum):
    """How the label comes out of the model, the strongest first."""

    PROBABILITIES = "probabilities"
    """The exact probability of each label, from one token. vLLM only."""
    CHOICE = "choice"
    """Decoding that can end in nothing but a label."""
    JSON = "json"
    """Decoding held to a JSON Schema that allows the labels only."""
    TEXT = "text"
    """Free text, of which nothing but a label is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the model said."""

    weights: Mapping[str, float]
    """The share of each label, adding up to 1; empty when no label came out."""
    mass: float | None
    """The probability of all labels together; `None` where the endpoint does not tell."""
    said: str = ""
    """The text that is no label."""
    usage: Usage = field(default_factory=Usage)


class Asker:
    """Asks one model for one of `labels`. The way is found once and then kept."""

    def __init__(self, model: ChatModel, labels: Sequence[str]):
        self._model = model
        self._labels = tuple(labels)
        self._settling = asyncio.Lock()
        self.way: Way | None = None
        """How the label comes out; `None` until the endpoint was asked."""

    async def settle(self) -> Way:
        """The strongest way that the endpoint supports, found with a question of its own.

        Raises `ProviderError` when the endpoint does not answer.
        """
        async with self._settling:
            if self.way is None:
                self.way = await self._strongest()
            return self.way

    async def ask(self, request: ChatRequest) -> Heard:
        """What the model says to `request`; `ProviderError` when it says nothing."""
        return await self._by(await self.settle(), request)

    async def _strongest(self) -> Way:
        for way in Way:
            try:
                await self._by(way, _PROBE)
            except Unsupported:
                continue
            return way
        raise AssertionError("free text is always supported")  # pragma: no cover

    async def _by(self, way: Way, request: ChatRequest) -> Heard:
        if way is Way.PROBABILITIES:
            return await self._probabilities(request)
        most = request.sampling.max_tokens
        roomy = None if most is None else max(most, ROOM)
        request = replace(request, sampling=replace(request.sampling, max_tokens=roomy))
        if way is Way.CHOICE:
            return await self._held(request, Constraint(kind="choice", value=list(self._labels)))
        if way is Way.JSON:
            return await self._held(request, Constraint(kind="json", value=_schema(self._labels)))
        return self._read(await self._model.chat(request))

    async def _probabilities(self, request: ChatRequest) -> Heard:
        found = await self._model.label_probabilities(request, self._labels)
        total = sum(found.probabilities.values())
        weights = {label: each / total for label, each in found.probabilities.items()}
        return Heard(weights=weights if total else {}, mass=found.mass, usage=_spent(found))

    async def _held(self, request: ChatRequest, constraint: Constraint) -> Heard:
        """The label out of constrained decoding; none when the endpoint did not hold to it."""
        try:
            reply = await self._model.chat(replace(request, constraint=constraint))
        except BadResponse as error:
            if error.retryable:  # no answer at all, rather than one that is no label
                raise
            return Heard(weights={}, mass=None, said=error.message)
        if constraint.kind == "choice":
            return self._read(reply)
        try:
            label = json.loads(reply.text)["label"]
        except (ValueError, KeyError, TypeError):
            label = None
        return self._read(replace(reply, text=label if isinstance(label, str) else reply.text))

    def _read(self, reply: ChatReply) -> Heard:
        label = label_in(reply.text, dict.fromkeys(self._labels, 0.0))
        return Heard(
            weights={label: 1.0} if label else {},
            mass=None,
            said="" if label else reply.text,
            usage=_spent(reply),
        )


def _spent(answer: Any) -> Usage:
    """The usage of an answer that took a call; a kept one spends nothing."""
    usage: Usage = answer.usage
    return Usage() if answer.cached else usage


def _schema(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(labels)}},
        "required": ["label"],
        "additionalProperties": False,
    }
