"""What a `FaultyEndpoint` can do wrong, one fault a request."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["answer", "hang", "close", "cut", "slow"]

_HTML = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>nginx</body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A way to answer one request wrongly. Made by the functions of this module."""

    kind: Kind = "answer"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: int = 0
    """Pieces of the stream that are sent before it ends."""


def status(code: int, message: str = "injected", *, retry_after: str | None = None) -> Fault:
    """An error as OpenAI and vLLM spell it: 429, 500 and so on."""
    headers = {"content-type": "application/json"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    return Fault(status=code, headers=headers, body=_error(message, code))


def html(code: int = 200) -> Fault:
    """A web page, as a proxy or a wrong address answers."""
    return Fault(status=code, headers={"content-type": "text/html"}, body=_HTML)


def half_json() -> Fault:
    """The first half of an answer, sent as if it were whole."""
    return Fault(
        headers={"content-type": "application/json"},
        body=b'{"id": "x", "object": "chat.completion", "choices": [{"mess',
    )


def raw(body: bytes, *, code: int = 200, content_type: str = "application/json") -> Fault:
    """Any bytes."""
    return Fault(status=code, headers={"content-type": content_type}, body=body)


def no_choices() -> Fault:
    """An answer with an empty list of choices."""
    return raw(b'{"id": "x", "object": "chat.completion", "choices": []}')


def redirect(to: str) -> Fault:
    """A permanent redirect."""
    return Fault(status=308, headers={"location": to})


def hang() -> Fault:
    """No answer until the caller gives up."""
    return Fault(kind="hang")


def close() -> Fault:
    """The connection is closed in the middle of the answer's body."""
    return Fault(kind="close")


def cut_stream(after: int = 1) -> Fault:
    """The stream ends properly, but without a finish reason, after some pieces."""
    return Fault(kind="cut", after=after)


def context_too_long() -> Fault:
    """vLLM's answer to a prompt beyond the model's context."""
    return status(
        400,
        "This model's maximum context length is 2048 tokens. However, your prompt contains at "
        "least 2049 input tokens, which exceeds this limit even without any output tokens.",
    )


def model_not_found(name: str = "nope") -> Fault:
    """vLLM's answer to a name that it does not serve."""
    return status(404, f"The model `{name}` does not exist.")


def unauthorized(message: str = "Incorrect API key provided.") -> Fault:
    """An endpoint that wants another key."""
    return status(401, message)


def _error(message: str, code: int) -> bytes:
    error: dict[str, Any] = {"message": message, "type": "Injected", "param": None, "code": code}
    return json.dumps({"error": error}).encode()
