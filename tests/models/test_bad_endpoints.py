"""Whatever an endpoint does wrong comes out as one clear error of the right kind."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from llmops.core.chat import Constraint, Sampling
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
    UsageError,
)
from llmops.testing import FaultyEndpoint, faults

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("fault", "kind", "part"),
    [
        (faults.html(), BadResponse, "HTML"),
        (faults.html(502), ServerFault, "an HTML page"),
        (faults.half_json(), BadResponse, "half a JSON"),
        (faults.raw(b""), BadResponse, "nothing"),
        (faults.raw(b"[1, 2]"), BadResponse, "no object"),
        (faults.raw(b"[" * 100_000), BadResponse, "half a JSON"),
        (faults.raw(b"\xff\xfe\x00"), BadResponse, "something else than JSON"),
        (faults.no_choices(), BadResponse, "no choices"),
        (faults.raw(b'{"choices": [{"message": 3}]}'), BadResponse, "chat completion"),
        (faults.raw(b'{"choices": [{"message": {"content": 3}}]}'), BadResponse, "not a text"),
        (faults.raw(b'{"error": {"message": "boom", "code": 503}}'), ServerFault, "boom"),
        (faults.status(429), RateLimited, "slow down"),
        (faults.status(500), ServerFault, "HTTP 500"),
        (faults.status(408), ProviderUnavailable, "timed out"),
        (faults.close(), ProviderUnavailable, "cut the answer off"),
    ],
)
async def test_a_fault_that_may_pass_is_tried_again_and_then_named(
    endpoint: FaultyEndpoint, manage: Any, ask: Any, fault: Any, kind: type, part: str
) -> None:
    model = manage(retries=2)
    endpoint.fail_next(fault, fault)
    assert (await model.chat(ask())).text == "forty two"
    assert model.statistics.retries == 2

    endpoint.fail_next(fault, fault, fault)
    with pytest.raises(kind) as raised:
        await model.chat(ask())
    assert type(raised.value) is kind
    assert part in str(raised.value)
    assert "(tried 3 times)" in str(raised.value)
    assert model.statistics.failures == 1


@pytest.mark.parametrize(
    ("fault", "kind", "part"),
    [
        (faults.context_too_long(), ContextTooLong, "2048"),
        (faults.model_not_found(), ModelNotFound, "serves no model"),
        (faults.unauthorized(), AuthenticationFailed, "key"),
        (faults.status(403), AuthenticationFailed, "key"),
        (faults.status(422, "bad field"), RequestRejected, "bad field"),
        (faults.status(404, "Not Found"), RequestRejected, "no such address"),
        (faults.redirect("https://user:pw@other.example/v1?key=1"), RequestRejected, "redirects"),
    ],
)
async def test_a_refusal_is_not_tried_again(
    endpoint: FaultyEndpoint, manage: Any, ask: Any, fault: Any, kind: type, part: str
) -> None:
    model = manage()
    endpoint.fail_next(fault)
    with pytest.raises(kind) as raised:
        await model.chat(ask())
    assert type(raised.value) is kind
    assert part in str(raised.value)
    assert "pw" not in str(raised.value)
    assert len(endpoint.chats) == 1


async def test_retry_after_is_waited_for(
    endpoint: FaultyEndpoint, manage: Any, ask: Any, waits: list[float]
) -> None:
    endpoint.fail_next(faults.status(429, retry_after="7"), faults.status(503, retry_after="3600"))
    await manage().chat(ask())
    assert 7 <= waits[0] <= 7.5
    assert 60 <= waits[1] <= 60.5


async def test_html_hints_at_the_missing_v1(manage: Any, endpoint: FaultyEndpoint) -> None:
    model = manage(api_base=endpoint.api_base.removesuffix("/v1"))
    endpoint.fail_always(faults.html())
    with pytest.raises(BadResponse) as raised:
        await model.check()
    assert "/v1" in (raised.value.hint or "")


async def test_an_unknown_model_is_told_with_those_that_are_served(manage: Any, ask: Any) -> None:
    model = manage("openai/other")
    for attempt in (model.chat(ask()), model.check()):
        with pytest.raises(ModelNotFound) as raised:
            await attempt
        assert raised.value.hint == "it serves `fake`"


async def test_an_endpoint_that_refuses_connections_is_unavailable(manage: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        model = manage(api_base=f"http://127.0.0.1:{port}/v1")
        with pytest.raises(ProviderUnavailable) as raised:
            await model.check()
    assert "nothing answers" in str(raised.value)
    assert "llmops serve" in (raised.value.hint or "")


async def test_an_endpoint_that_hangs_is_found_out_at_the_deadline(
    manage: Any, endpoint: FaultyEndpoint
) -> None:
    endpoint.fail_always(faults.hang())
    with pytest.raises(ProviderUnavailable, match=r"within 0\.2 s"):
        await manage().check(deadline=0.2)


async def test_a_call_that_hangs_times_out(manage: Any, endpoint: FaultyEndpoint, ask: Any) -> None:
    endpoint.fail_next(faults.hang())
    model = manage(timeout=0.2)
    assert (await model.chat(ask())).text == "forty two"
    assert model.statistics.retries == 1


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_stream_that_is_cut_off_is_unavailable(
    manage: Any, endpoint: FaultyEndpoint, ask: Any, after: int
) -> None:
    endpoint.fail_next(*[faults.cut_stream(after)] * 5)
    with pytest.raises(ProviderUnavailable, match="cut the stream off"):
        async for _ in manage().stream(ask()):
            pass


async def test_a_stream_is_tried_again_until_its_first_piece(
    manage: Any, endpoint: FaultyEndpoint, ask: Any
) -> None:
    endpoint.fail_next(faults.status(500), faults.html(), faults.close())
    chunks = [chunk async for chunk in manage().stream(ask())]
    assert "".join(chunk.text for chunk in chunks) == "forty two"
    assert len(endpoint.chats) == 4


async def test_a_key_is_sent_and_never_shown(
    manage: Any, endpoint: FaultyEndpoint, ask: Any
) -> None:
    key = "sk-very-secret-123"
    model = manage(environ={"OPENAI_API_KEY": key})
    await model.chat(ask())
    assert endpoint.requests[-1].headers["authorization"] == f"Bearer {key}"
    endpoint.fail_next(faults.unauthorized(f"Incorrect API key provided: {key}"))
    with pytest.raises(AuthenticationFailed) as raised:
        await model.chat(ask())
    shown = f"{raised.value!r} {raised.value} {raised.value.hint} {vars(model)!r}"
    assert key not in shown
    assert "OPENAI_API_KEY" in (raised.value.hint or "")
    assert key not in await model.identity()


async def test_a_missing_key_names_its_variable(manage: Any, ask: Any) -> None:
    async with FaultyEndpoint(key="right") as guarded:
        with pytest.raises(AuthenticationFailed) as raised:
            await manage("hosted_vllm/fake", api_base=guarded.api_base).chat(ask())
    assert "HOSTED_VLLM_API_KEY" in (raised.value.hint or "")


async def test_temperature_and_seed_are_always_sent(
    manage: Any, endpoint: FaultyEndpoint, ask: Any
) -> None:
    await manage().chat(ask())
    async for _ in manage().stream(ask()):
        pass
    for body in endpoint.chats:
        assert (body["temperature"], body["seed"]) == (0.0, 0)


@pytest.mark.parametrize("field", ["messages", "stream", "n", "seed", "guided_choice"])
async def test_extra_fields_may_not_replace_the_calls_own(
    manage: Any, endpoint: FaultyEndpoint, ask: Any, field: str
) -> None:
    with pytest.raises(UsageError, match=field):
        await manage().chat(ask(extra={field: 1}))
    assert endpoint.chats == []


@pytest.mark.parametrize("obeys", ["nothing", "response_format"])
async def test_a_constraint_that_does_not_bind_is_an_error(
    manage: Any, ask: Any, obeys: Any
) -> None:
    async with FaultyEndpoint(obeys=obeys) as loose:
        model = manage(api_base=loose.api_base)
        request = replace(ask(), constraint=Constraint(kind="choice", value=["yes", "no"]))
        with pytest.raises(ProviderError) as raised:
            await model.chat(request)
    assert not raised.value.retryable
    assert raised.value.hint


async def test_an_answer_that_leaves_its_constraint_is_a_bad_response(
    manage: Any, endpoint: FaultyEndpoint, ask: Any
) -> None:
    model = manage()
    request = replace(ask(), constraint=Constraint(kind="json", value={"type": "object"}))
    await model.chat(request)
    endpoint.obeys = "nothing"
    calls = len(endpoint.chats)
    with pytest.raises(BadResponse, match="not JSON"):
        await model.chat(request)
    cut = replace(request, sampling=Sampling(max_tokens=1))
    with pytest.raises(BadResponse, match="cut at 1 tokens"):
        await model.chat(cut)
    assert len(endpoint.chats) == calls + 2


async def test_no_more_calls_fly_than_are_allowed(manage: Any, ask: Any) -> None:
    async with FaultyEndpoint(latency=0.01) as slow:
        model = manage(api_base=slow.api_base, concurrency=3)
        await asyncio.gather(*(model.chat(ask(str(n))) for n in range(20)))
        assert slow.busiest == 3
        assert slow.connections <= 3


async def test_a_huge_answer_is_not_read_to_its_end(
    manage: Any, endpoint: FaultyEndpoint, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmops.models.connection.LARGEST_ANSWER", 1 << 20)
    endpoint.fail_next(faults.raw(b'{"a": "' + b"x" * (2 << 20)))
    with pytest.raises(BadResponse, match="more than 1 MB"):
        await manage(retries=0).chat(ask())


@pytest.mark.parametrize(
    ("base", "variable", "value"),
    [
        ("http://model.invalid/v1", "ALL_PROXY", "socks5://user:hidden@127.0.0.1:1"),
        ("http://model.invalid/v1", "HTTP_PROXY", "nonsense://user:hidden@127.0.0.1:1"),
        ("https://model.invalid/v1", "SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
async def test_a_proxy_or_certificate_of_the_environment_that_cannot_be_used_is_one_message(
    manage: Any, monkeypatch: pytest.MonkeyPatch, base: str, variable: str, value: str
) -> None:
    for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match="the environment names cannot be used") as raised:
        await manage(api_base=base, retries=0).check()
    assert variable in str(raised.value.hint)
    assert "hidden" not in str(raised.value)
