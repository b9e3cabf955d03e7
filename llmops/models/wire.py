"""OpenAI's chat completions as JSON: a request's body, and a reply out of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.core.chat import (
    ChatReply,
    ChatRequest,
    LabelProbabilities,
    Sampling,
    TokenLogprob,
    Usage,
)
from llmops.core.errors import BadResponse, ServerFault, UsageError

_OWN_FIELDS = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "n",
        "temperature",
        "seed",
        "max_tokens",
        "top_p",
        "top_k",
        "stop",
        "frequency_penalty",
        "presence_penalty",
        "logprobs",
        "top_logprobs",
        "structured_outputs",
    }
)
_OPTIONAL = ("max_tokens", "top_p", "top_k", "frequency_penalty", "presence_penalty")

_BROKEN_OFF = {"abort", "error"}
"""Finish reasons by which a server says that it gave up on the answer."""


def sampling_fields(sampling: Sampling) -> dict[str, Any]:
    """The fields that say how to sample; temperature and seed are always among them.

    Raises `UsageError` when `extra` names a field that has its own place, or
    vLLM's former `guided_*`, which it ignores without a word.
    """
    fields: dict[str, Any] = {"temperature": sampling.temperature, "seed": sampling.seed}
    for name in _OPTIONAL:
        value = getattr(sampling, name)
        if value is not None:
            fields[name] = value
    if sampling.stop:
        fields["stop"] = list(sampling.stop)
    for name, value in sampling.extra.items():
        if name in _OWN_FIELDS:
            raise UsageError(
                f"sampling.extra may not set `{name}`", hint="it has a place of its own"
            )
        if name.startswith("guided_"):
            raise UsageError(
                f"sampling.extra may not set `{name}`: servers ignore it without a word",
                hint="set the request's constraint instead",
            )
        fields[name] = value
    return fields


def request_body(served: str, request: ChatRequest) -> dict[str, Any]:
    """The JSON of a call, a constraint spelled as vLLM spells it."""
    body = sampling_fields(request.sampling)
    body["model"] = served
    body["messages"] = [message.to_json() for message in request.messages]
    if request.top_logprobs is not None:
        body["logprobs"] = True
        body["top_logprobs"] = request.top_logprobs
    if request.constraint is not None:
        body["structured_outputs"] = {request.constraint.kind: request.constraint.value}
    return body


def reply_of(data: Mapping[str, Any], *, latency: float) -> ChatReply:
    """The reply in an answer's JSON; `BadResponse` says what is missing in it."""
    try:
        choice = _only_choice(data)
        message = choice["message"]
        text = message.get("content")
        if text is None:
            text = ""
        if not isinstance(text, str):
            raise BadResponse("the answer's content is not a text")
        return ChatReply(
            text=text,
            finish_reason=finished(choice.get("finish_reason")),
            model=str(data.get("model") or ""),
            system_fingerprint=data.get("system_fingerprint"),
            usage=usage_of(data.get("usage")),
            latency=latency,
            logprobs=logprobs_of(choice.get("logprobs")),
            request_id=data.get("id"),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadResponse(
            f"the answer does not look like a chat completion ({type(error).__name__}: {error})"
        ) from error


def _only_choice(data: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = data.get("choices")
    if not choices:
        raise BadResponse("the answer has no choices")
    choice: Mapping[str, Any] = choices[0]
    return choice


def finished(reason: Any) -> str:
    """A finish reason; `ServerFault` for one that means the server gave up."""
    if reason in _BROKEN_OFF:
        raise ServerFault(f"the server broke the answer off (finish reason `{reason}`)")
    return str(reason or "")


def usage_of(data: Mapping[str, Any] | None) -> Usage:
    """Token counts; zeros where the provider does not tell."""
    if not data:
        return Usage()
    details = data.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=int(data.get("prompt_tokens") or 0),
        output_tokens=int(data.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
    )


def logprobs_of(data: Mapping[str, Any] | None) -> tuple[TokenLogprob, ...]:
    """Log-probabilities per token; none where none were asked for."""
    if not data or not data.get("content"):
        return ()
    return tuple(
        TokenLogprob(
            token=entry["token"],
            logprob=float(entry["logprob"]),
            top=tuple(
                (rival["token"], float(rival["logprob"]))
                for rival in entry.get("top_logprobs") or ()
            ),
        )
        for entry in data["content"]
    )


def reply_to_json(reply: ChatReply) -> dict[str, Any]:
    """A reply as the cache keeps it: all but its price and where it came from."""
    usage = reply.usage
    stored: dict[str, Any] = {
        "text": reply.text,
        "finish_reason": reply.finish_reason,
        "model": reply.model,
        "system_fingerprint": reply.system_fingerprint,
        "usage": [usage.input_tokens, usage.output_tokens, usage.cached_tokens],
        "latency": round(reply.latency, 6),
        "request_id": reply.request_id,
    }
    if reply.logprobs:
        stored["logprobs"] = [[each.token, each.logprob, each.top] for each in reply.logprobs]
    return stored


def reply_from_json(stored: Mapping[str, Any]) -> ChatReply:
    """The reply that `reply_to_json` wrote, marked as cached."""
    tokens_in, tokens_out, tokens_cached = stored["usage"]
    return ChatReply(
        text=stored["text"],
        finish_reason=stored["finish_reason"],
        model=stored["model"],
        system_fingerprint=stored["system_fingerprint"],
        usage=Usage(input_tokens=tokens_in, output_tokens=tokens_out, cached_tokens=tokens_cached),
        latency=stored["latency"],
        cached=True,
        logprobs=tuple(
            TokenLogprob(token=token, logprob=logprob, top=tuple((t, p) for t, p in top))
            for token, logprob, top in stored.get("logprobs", ())
        ),
        request_id=stored["request_id"],
    )


def labels_to_json(found: LabelProbabilities) -> dict[str, Any]:
    """Probabilities of labels as the cache keeps them."""
    usage = found.usage
    return {
        "probabilities": dict(found.probabilities),
        "usage": [usage.input_tokens, usage.output_tokens, usage.cached_tokens],
    }


def labels_from_json(stored: Mapping[str, Any]) -> LabelProbabilities:
    """The probabilities that `labels_to_json` wrote, marked as cached."""
    tokens_in, tokens_out, tokens_cached = stored["usage"]
    return LabelProbabilities(
        probabilities=stored["probabilities"],
        usage=Usage(input_tokens=tokens_in, output_tokens=tokens_out, cached_tokens=tokens_cached),
        cached=True,
    )
