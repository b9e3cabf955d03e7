"""What an HTTP status means, as an error that says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llmops.core.errors import (
    AuthenticationFailed,
    BadResponse,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    ServerFault,
)
from llmops.models.names import Endpoint
from llmops.models.retries import retry_after

_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|context (length|window|size)"
    r"|max_model_len|input is too long|prompt is too long|too many (input )?tokens",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|model\b.{0,200}\b(does not exist|not found|is not available)"
    r"|unknown model|no such model",
    re.IGNORECASE | re.DOTALL,
)
_SAID_AT_MOST = 400


def error_of_status(
    endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes
) -> ProviderError:
    """The error that an answer with `status` (not 200) stands for."""
    said = what_it_said(body, endpoint.key)
    told = f": {said}" if said else ""
    at = endpoint.base
    if status in (401, 403):
        return refused_key(endpoint, status, said)
    if 300 <= status < 400:
        target = urlsplit(headers.get("location", ""))
        place = f" to {target.scheme}://{target.hostname}{target.path}" if target.hostname else ""
        return RequestRejected(
            f"{at} redirects{place}, which is not followed",
            hint="set `api_base` to the final address",
            status=status,
        )
    wait = retry_after(headers.get("retry-after"))
    if status == 429:
        if "insufficient_quota" in said:
            return RequestRejected(f"{at}: the account's quota is used up{told}", status=status)
        return RateLimited(
            f"{at} asks to slow down (HTTP 429)",
            hint="lower `concurrency`, or set `requests_per_minute`",
            status=status,
            retry_after=wait,
        )
    if status in (408, 425):
        return ProviderUnavailable(f"{at} timed out (HTTP {status})", status=status)
    if status >= 500:
        return ServerFault(f"{at} failed (HTTP {status}){told}", status=status, retry_after=wait)
    return rejection(endpoint, status, said)


def rejection(endpoint: Endpoint, status: int, said: str) -> RequestRejected:
    """The error of a 4xx answer in which the provider said `said`."""
    at = endpoint.base or str(endpoint.name)
    if status in (400, 413, 422) and _TOO_LONG.search(said):
        return ContextTooLong(
            f"the request does not fit the context of `{endpoint.name.served}`: {said}",
            hint="shorten the prompt, lower `max_tokens`, or serve with a longer context",
            status=status,
        )
    if status in (400, 404) and _NO_MODEL.search(said):
        return ModelNotFound(f"{at} serves no model `{endpoint.name.served}`", status=status)
    if status == 404:
        return RequestRejected(
            f"{at} has no such address (HTTP 404)", hint=_missing_v1(endpoint), status=status
        )
    return RequestRejected(
        f"{at} refused the request (HTTP {status})" + (f": {said}" if said else ""), status=status
    )


_NO_KEY = "export the provider's own variable, or name one as the model's `api_key_env`"


def refused_key(endpoint: Endpoint, status: int, said: str) -> AuthenticationFailed:
    """The error of an endpoint that wants a key, or another one."""
    variable = endpoint.key_env or "the provider's variable"
    if endpoint.key is None:
        message = "wants a key"
        hint = f"export {variable}=…" if endpoint.key_env else _NO_KEY
    else:
        message, hint = "refused the key", f"check the value of {variable}"
    told = f": {said}" if said else ""
    at = endpoint.base or str(endpoint.name)  # LiteLLM finds a provider's address by itself
    return AuthenticationFailed(f"{at} {message} (HTTP {status}){told}", hint=hint, status=status)


def not_json(endpoint: Endpoint, body: bytes) -> BadResponse:
    """The error of a 200 answer that is not JSON."""
    at = endpoint.base
    if is_html(body):
        return BadResponse(f"{at} answered with an HTML page", hint=_missing_v1(endpoint))
    if not body.strip():
        return BadResponse(f"{at} answered with nothing")
    if body.lstrip()[:1] in b"{[":
        return BadResponse(f"{at} answered with half a JSON ({len(body):,} bytes)")
    return BadResponse(f"{at} answered with something else than JSON")


def error_in_answer(endpoint: Endpoint, error: Any) -> ProviderError:
    """The error under `error` in an answer with status 200, as some proxies and streams have it."""
    body = json.dumps({"error": error}).encode()
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return error_of_status(endpoint, status, {}, body)


def what_it_said(body: bytes, key: str | None) -> str:
    """The provider's message on one line: bounded, and never with the key in it."""
    text = body[:65_536].decode("utf-8", "replace")
    if is_html(body):
        return "an HTML page"
    try:
        found = _message_in(json.loads(text))
    except ValueError:
        found = text
    if key:
        found = found.replace(key, "[key]")
    line = " ".join("".join(c if c.isprintable() else " " for c in found).split())
    return line if len(line) <= _SAID_AT_MOST else line[:_SAID_AT_MOST] + "…"


def is_html(body: bytes) -> bool:
    """Whether the bytes look like a web page."""
    start = body[:1024].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _message_in(data: Any) -> str:
    if isinstance(data, dict):
        error = data.get("error")
        if isinstance(error, dict):
            code = error.get("code")
            named = f" ({code})" if isinstance(code, str) else ""
            return f"{error.get('message') or error.get('type') or ''}{named}"
        for value in (error, data.get("message"), data.get("detail")):
            if isinstance(value, str):
                return value
    return json.dumps(data)


def _missing_v1(endpoint: Endpoint) -> str:
    if endpoint.base.endswith("/v1"):
        return "check `api_base`: it should lead to an OpenAI-compatible server"
    return f"`api_base` likely lacks its `/v1`: {endpoint.base}/v1"
