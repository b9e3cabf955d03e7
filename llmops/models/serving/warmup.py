"""One call of each kind before the server counts as ready.

The first call of a kind sets up what later ones use (grammars, kernels,
buffers), which on a CPU takes up to 18 s; a timed call must not pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from llmops.core.errors import ServerStartError
from llmops.models.serving.places import Say

_SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """An ability, the fields of a request that use it, and how its reply shows that it works."""

    feature: str
    fields: Mapping[str, Any]
    works: Callable[[Mapping[str, Any]], bool] = bool


_CALLS = (
    _Call(feature="chat", fields={"max_tokens": 4}),
    _Call(
        feature="structured json",
        fields={"max_tokens": 24, "structured_outputs": {"json": _SCHEMA}},
        works=lambda reply: _text(reply).lstrip().startswith("{"),
    ),
    _Call(
        feature="structured choice",
        fields={"max_tokens": 8, "structured_outputs": {"choice": ["amber", "violet"]}},
        works=lambda reply: _text(reply) in {"amber", "violet"},
    ),
    _Call(
        feature="logprobs",
        fields={"max_tokens": 1, "logprobs": True, "top_logprobs": 5},
        works=lambda reply: bool(reply["choices"][0]["logprobs"]["content"]),
    ),
    _Call(
        feature="prompt_logprobs",
        fields={"max_tokens": 1, "prompt_logprobs": 0},
        works=lambda reply: bool(reply["prompt_logprobs"]),
    ),
)


def warm_up(api_base: str, name: str, *, timeout: float, say: Say) -> Iterator[str]:
    """Make the calls one by one and give each ability that works.

    An ability that a server lacks is told and left out. Raises
    `ServerStartError` when the plain chat call fails.
    """
    import httpx

    key = os.environ.get("VLLM_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(timeout=timeout, headers=headers, trust_env=False) as client:
        for call in _CALLS:
            body = {
                "model": name,
                "messages": [{"role": "user", "content": "Say hello."}],
                "temperature": 0,
                "seed": 0,
                **call.fields,
            }
            try:
                reply = client.post(f"{api_base}/chat/completions", json=body)
                if reply.status_code == HTTPStatus.OK and call.works(reply.json()):
                    yield call.feature
                    continue
                reason = f"status {reply.status_code}: {reply.text[:300]}"
            except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
                reason = f"{type(error).__name__}: {error}"
            if call.feature == "chat":
                raise ServerStartError(
                    f"the server is up, but its first answer failed ({reason})",
                    hint=(
                        "a model without a chat template needs one: -- --chat-template FILE"
                        if "template" in reason
                        else None
                    ),
                )
            say(f"note: {call.feature} does not work with this model ({reason})")


def _text(reply: Mapping[str, Any]) -> str:
    return str(reply["choices"][0]["message"]["content"])
