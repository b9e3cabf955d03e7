"""Answers are kept by exactly what was asked, by whom, and only when they are whole."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.chat import ChatRequest, Constraint, Message, Sampling
from llmops.core.errors import DocumentError, ProviderError
from llmops.models.cache import ResponseCache, cache_key
from llmops.models.names import endpoint_of
from llmops.models.openai_http import HttpModel
from llmops.testing import FaultyEndpoint, faults

HTTP = HttpModel(endpoint_of("openai/fake", api_base="http://127.0.0.1:1/v1", environ={}))


def key_of(request: ChatRequest, identity: str = "one") -> bytes:
    return cache_key(identity, HTTP.encode(request), request.repeat)


texts = st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["min_p", "cache_salt", "priority", "user", "chat_template_kwargs"])
samplings = st.builds(
    Sampling,
    temperature=st.floats(0, 2),
    seed=st.integers(0, 99),
    max_tokens=st.none() | st.integers(1, 99),
    stop=st.lists(texts, max_size=2).map(tuple),
    extra=st.dictionaries(names, json_values, max_size=3),
)
requests = st.builds(
    ChatRequest,
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user"]), content=texts),
        min_size=1,
        max_size=3,
    ).map(tuple),
    sampling=samplings,
    constraint=st.none()
    | st.builds(Constraint, kind=st.just("choice"), value=st.lists(texts, min_size=1, max_size=3)),
    repeat=st.integers(0, 3),
)


@given(requests, requests)
def test_two_requests_share_a_key_only_if_they_are_the_same(
    one: ChatRequest, other: ChatRequest
) -> None:
    # As JSON, since 1 == True == 1.0 in Python and not on the wire.
    same = (HTTP.encode(one), one.repeat) == (HTTP.encode(other), other.repeat)
    assert (key_of(one) == key_of(other)) is same


@given(requests)
def test_the_order_of_extra_fields_does_not_matter(request: ChatRequest) -> None:
    turned = dict(reversed(list(request.sampling.extra.items())))
    again = replace(request, sampling=replace(request.sampling, extra=turned))
    assert key_of(again) == key_of(request)


@given(requests)
def test_another_model_or_repeat_has_another_key(request: ChatRequest) -> None:
    assert key_of(request, "one") != key_of(request, "two")
    assert key_of(request) != key_of(replace(request, repeat=request.repeat + 1))


@pytest.mark.anyio
async def test_an_answer_is_asked_for_once(
    manage: Any, endpoint: FaultyEndpoint, ask: Any, tmp_path: Path
) -> None:
    with ResponseCache(tmp_path / "cache.sqlite") as cache:
        first = await manage(cache=cache).chat(ask())
    with ResponseCache(tmp_path / "cache.sqlite") as cache:
        model = manage(cache=cache)
        second = await model.chat(ask())
        assert len(endpoint.chats) == 1
        assert second == replace(first, cached=True, latency=second.latency)
        assert second.latency == pytest.approx(first.latency, abs=1e-5)
        assert model.statistics.cached == 1
        await model.chat(ask(), use_cache=False)
        await model.chat(ask(repeat=1))
        await model.chat(ask(temperature=1.0))
        await manage(cache=None).chat(ask())
    assert len(endpoint.chats) == 5


@pytest.mark.anyio
async def test_another_server_version_gets_its_own_answers(
    manage: Any, endpoint: FaultyEndpoint, ask: Any, tmp_path: Path
) -> None:
    with ResponseCache(tmp_path / "cache.sqlite") as cache:
        endpoint.version = "0.32.0"
        await manage(cache=cache).chat(ask())
        endpoint.version = "0.33.0"
        assert not (await manage(cache=cache).chat(ask())).cached


@pytest.mark.anyio
async def test_a_failed_or_truncated_answer_is_never_kept(
    manage: Any, endpoint: FaultyEndpoint, ask: Any, tmp_path: Path
) -> None:
    with ResponseCache(tmp_path / "cache.sqlite") as cache:
        model = manage(cache=cache, retries=0)
        for fault in (faults.no_choices(), faults.status(500), faults.html(), faults.close()):
            endpoint.fail_next(fault)
            with pytest.raises(ProviderError):
                await model.chat(ask())
        assert (await model.chat(ask(max_tokens=1))).truncated
        filtered = {"message": {"content": "…"}, "finish_reason": "content_filter"}
        endpoint.fail_next(faults.raw(json.dumps({"choices": [filtered]}).encode()))
        assert (await model.chat(ask())).finish_reason == "content_filter"
        assert len(cache) == 0


@pytest.mark.anyio
async def test_the_same_call_in_flight_is_made_once(manage: Any, ask: Any, tmp_path: Path) -> None:
    async with FaultyEndpoint(latency=0.02) as slow:
        with ResponseCache(tmp_path / "cache.sqlite") as cache:
            model = manage(api_base=slow.api_base, cache=cache)
            replies = await asyncio.gather(*(model.chat(ask()) for _ in range(10)))
        assert len(slow.chats) == 1
        assert sum(reply.cached for reply in replies) == 9


@pytest.mark.anyio
async def test_when_the_caller_of_a_shared_call_leaves_another_one_makes_it(
    manage: Any, ask: Any, tmp_path: Path
) -> None:
    async with FaultyEndpoint(latency=0.05) as slow:
        with ResponseCache(tmp_path / "cache.sqlite") as cache:
            model = manage(api_base=slow.api_base, cache=cache)
            await model.identity()
            first = asyncio.create_task(model.chat(ask()))
            others = [asyncio.create_task(model.chat(ask())) for _ in range(3)]
            while not slow.chats:
                await asyncio.sleep(0)
            first.cancel()
            replies = await asyncio.gather(*others)
            assert first.cancelled()
    assert [reply.text for reply in replies] == ["forty-two"] * 3
    assert len(slow.chats) == 2


def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "cache.sqlite"
    with ResponseCache(path) as cache:
        cache.put(b"k" * 32, {"text": "secret"})
        files = list(path.parent.iterdir())
        assert len(files) == 3
        assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one" * 200, b"x" * 50])
def test_a_broken_file_is_named_and_not_taken_for_an_empty_one(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(content)
    with ResponseCache(path) as cache, pytest.raises(DocumentError) as raised:
        cache.get(b"k" * 32)
    assert str(path) in str(raised.value)
    assert raised.value.hint
    assert path.read_bytes() == content


def test_a_broken_answer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with ResponseCache(path) as cache:
        cache.put(b"k" * 32, {})
        with sqlite3.connect(path) as other:
            other.execute("UPDATE answers SET answer = '{\"te'")
        other.close()
        with pytest.raises(DocumentError, match="cannot be used"):
            cache.get(b"k" * 32)


def test_a_file_of_another_format_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 7")
    database.close()
    with ResponseCache(path) as cache, pytest.raises(DocumentError, match="format 7"):
        cache.get(b"k" * 32)


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with ResponseCache(tmp_path) as cache, pytest.raises(DocumentError, match="opened"):
        cache.get(b"k" * 32)


WRITER = """
import sys
from pathlib import Path
from llmops.models.cache import ResponseCache, cache_key
worker = sys.argv[2]
cache = ResponseCache(Path(sys.argv[1]))
for number in range(200):
    for who in (worker, "shared"):
        key = cache_key(who, b"{}", number)
        cache.put(key, {"text": f"{who} {number}"})
        assert cache.get(key) == {"text": f"{who} {number}"}
print("done", flush=True)
if worker == "0":
    sys.stdin.read()
"""


def test_several_processes_write_at_once_and_a_killed_one_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"done\n"
    os.kill(workers[0].pid, signal.SIGKILL)
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [-signal.SIGKILL, 0, 0, 0]
    with ResponseCache(path) as cache:
        assert len(cache) == 5 * 200
        for who in ("0", "1", "2", "3", "shared"):
            assert cache.get(cache_key(who, b"{}", 199)) == {"text": f"{who} 199"}


@pytest.mark.anyio
async def test_a_closed_model_leaves_no_file_open_and_may_be_used_again(
    manage: Any, ask: Any, tmp_path: Path
) -> None:
    model = manage(cache=ResponseCache(tmp_path / "answers.sqlite"))
    await model.chat(ask())
    await model.aclose()
    open_files = {Path(link).resolve().parent for link in Path("/proc/self/fd").iterdir()}
    assert tmp_path.resolve() not in open_files
    assert (await model.chat(ask())).cached
