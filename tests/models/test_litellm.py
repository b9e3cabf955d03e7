"""What LiteLLM raises comes out as our errors; its retries and caches stay off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from llmops.core.errors import (
    AuthenticationFailed,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ServerFault,
    UsageError,
)
from llmops.models import ModelConfig, open_model
from llmops.testing import FaultyEndpoint, faults

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Item .* is using the `ReadOnly`:UserWarning", "ignore::DeprecationWarning"
    ),
]


@pytest.fixture
async def model(endpoint: FaultyEndpoint) -> AsyncIterator[Any]:
    config = ModelConfig(
        model="openai/fake",
        api_base=endpoint.api_base,
        transport="litellm",
        retries=0,
        api_key_env="MY_KEY",
        timeout=20,
    )
    opened = open_model(config, cache=None, environ={"MY_KEY": "sk-secret"})
    yield opened
    await opened.aclose()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.context_too_long(), ContextTooLong),
        (faults.model_not_found("fake"), ModelNotFound),
        (faults.unauthorized("wrong key sk-secret"), AuthenticationFailed),
        (faults.status(403), AuthenticationFailed),
        (faults.status(429, retry_after="3"), RateLimited),
        (faults.status(500), ServerFault),
        (faults.status(503), ServerFault),
        (faults.html(), ProviderError),
        (faults.half_json(), ProviderError),
        (faults.no_choices(), ProviderError),
        (faults.close(), ProviderError),
    ],
)
async def test_a_fault_has_the_kind_that_it_has_over_http(
    endpoint: FaultyEndpoint, model: Any, ask: Any, fault: Any, kind: type
) -> None:
    endpoint.fail_next(fault)
    with pytest.raises(kind) as raised:
        await model.chat(ask())
    assert "sk-secret" not in f"{raised.value} {raised.value.hint}"
    assert len(endpoint.chats) == 1
    if kind is RateLimited:
        assert raised.value.retry_after == 3
    if kind is AuthenticationFailed:
        assert "MY_KEY" in (raised.value.hint or "")


async def test_a_stream_that_is_cut_off_is_unavailable(
    endpoint: FaultyEndpoint, model: Any, ask: Any
) -> None:
    endpoint.fail_next(faults.cut_stream(1))
    with pytest.raises(ProviderUnavailable, match="cut the stream off"):
        async for _ in model.stream(ask()):
            pass


async def test_the_fields_of_a_call_arrive_as_they_are(
    endpoint: FaultyEndpoint, model: Any, ask: Any
) -> None:
    await model.chat(ask(seed=5, temperature=0.5, max_tokens=9, extra={"min_p": 0.1}))
    body = endpoint.chats[-1]
    assert (body["seed"], body["temperature"], body["max_tokens"]) == (5, 0.5, 9)
    assert body["min_p"] == 0.1
    assert body["model"] == "fake"
    assert endpoint.requests[-1].headers["authorization"] == "Bearer sk-secret"


async def test_a_model_may_be_opened_after_another_was_closed(
    endpoint: FaultyEndpoint, model: Any, ask: Any
) -> None:
    await model.chat(ask())
    await model.aclose()
    assert (await model.chat(ask())).text == "forty two"


async def test_a_dead_endpoint_fails_the_check(endpoint: FaultyEndpoint, model: Any) -> None:
    await endpoint.stop()
    with pytest.raises(ProviderUnavailable):
        await model.check(deadline=20)


async def test_an_unknown_provider_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="knows no provider `nosuch`"):
        open_model(ModelConfig(model="nosuch/model"), cache=None, environ={})
