"""LiteLLM's exceptions as ours, the most specific first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from llmops.core.errors import (
    BadResponse,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    ServerFault,
)
from llmops.models.faults import refused_key, rejection, what_it_said
from llmops.models.names import Endpoint
from llmops.models.retries import retry_after

_PREFIX = re.compile(r"^(litellm\.\w+: |\w+Exception - |\w+Error: )+")

_BY_NAME: dict[str, type[ProviderError]] = {
    "ContextWindowExceededError": ContextTooLong,
    "RateLimitError": RateLimited,
    "NotFoundError": ModelNotFound,
    "Timeout": ProviderUnavailable,
    "MidStreamFallbackError": ProviderUnavailable,
    "JSONSchemaValidationError": BadResponse,
    "APIResponseValidationError": BadResponse,
    "ServiceUnavailableError": ServerFault,
    "BadGatewayError": ServerFault,
    "InternalServerError": ServerFault,
    "UnprocessableEntityError": RequestRejected,
    "BadRequestError": RequestRejected,
    "APIConnectionError": ProviderUnavailable,
    "APIError": ServerFault,
}
"""By a class's name, so that nothing here imports LiteLLM. The first that an exception is counts;
what the provider said then narrows a rejection down."""

_NO_ANSWER = {"ConnectError", "ConnectTimeout", "ReadError", "RemoteProtocolError"}
"""httpx's errors that LiteLLM reports as a fault of the server."""

_KEY = {"AuthenticationError", "PermissionDeniedError"}


@contextmanager
def translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn LiteLLM's exceptions in the block into `ProviderError`s; others pass."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:
        ours = of(error, endpoint)
        if ours is None:
            raise
        raise ours from error


def of(error: Exception, endpoint: Endpoint) -> ProviderError | None:
    """Our error for one of LiteLLM's; `None` for any other exception."""
    names = {each.__name__ for each in type(error).__mro__}
    kind = next((each for name, each in _BY_NAME.items() if name in names), None)
    status = getattr(error, "status_code", None)
    said = _PREFIX.sub("", what_it_said(str(error).encode(), endpoint.key))
    if names & _KEY or (kind is not None and status in (401, 403)):
        return refused_key(endpoint, status or 401, said)
    if kind is None:
        return None
    at = str(endpoint.name)
    if kind is ServerFault and any(type(each).__name__ in _NO_ANSWER for each in _chain(error)):
        return ProviderUnavailable(f"nothing answers for {at}: {said}", status=None)
    if kind is RateLimited:
        return RateLimited(
            f"{at} asks to slow down: {said}",
            hint="lower `concurrency`, or set `requests_per_minute`",
            status=status,
            retry_after=_asked_wait(error),
        )
    if kind is RequestRejected or kind is ModelNotFound:
        return rejection(endpoint, status or 400, said)
    if kind is ContextTooLong:
        return ContextTooLong(
            f"the request does not fit the context of `{endpoint.name.served}`: {said}",
            hint="shorten the prompt, lower `max_tokens`, or serve with a longer context",
            status=status,
        )
    return kind(f"{at}: {said}", status=status)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made from; LiteLLM drops much on the way."""
    for _ in range(16):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _asked_wait(error: Exception) -> float | None:
    for each in _chain(error):
        headers = getattr(getattr(each, "response", None), "headers", None)
        wait = retry_after(headers.get("retry-after")) if headers is not None else None
        if wait is not None:
            return wait
    return None
