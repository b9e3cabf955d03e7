"""Waiting, pacing and paying, on clocks that the tests turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from llmops.core.errors import ProviderUnavailable, RateLimited, RequestRejected
from llmops.models.config import Price
from llmops.models.cost import BusyClock
from llmops.models.limits import Pace
from llmops.models.retries import Retries, retry_after
from llmops.testing import FaultyEndpoint


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.anyio
async def test_a_pace_spreads_requests_evenly_in_the_order_of_coming() -> None:
    clock, waited = Clock(), []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    pace = Pace(60, clock=clock, sleep=sleep)
    for _ in range(4):
        await pace.turn()
    assert waited == [1.0, 2.0, 3.0]
    clock.now += 60
    await pace.turn()
    assert len(waited) == 3
    await pace.turn()
    assert waited[-1] == 1.0


@pytest.mark.anyio
async def test_waits_double_up_to_a_bound_and_are_jittered() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def fail() -> None:
        raise ProviderUnavailable("down")

    for share in (1.0, 0.25, 0.0):
        waited.clear()
        retries = Retries(limit=5, base=1.0, longest=4.0, sleep=sleep, draw=lambda s=share: s)
        with pytest.raises(ProviderUnavailable, match="tried 6 times"):
            await retries.run(fail)
        assert waited == [share * each for each in (1, 2, 4, 4, 4)]


@pytest.mark.anyio
async def test_only_errors_that_may_pass_are_tried_again() -> None:
    attempts = 0

    async def refuse() -> None:
        nonlocal attempts
        attempts += 1
        raise RequestRejected("no")

    with pytest.raises(RequestRejected):
        await Retries().run(refuse)
    assert attempts == 1


def test_retry_after_is_seconds_or_a_date_and_never_in_the_past() -> None:
    now = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

    def read(header: str | None) -> float | None:
        return retry_after(header, now=lambda: now)

    assert read("1.5") == 1.5
    assert read("Mon, 23 Nov 2026 12:00:30 GMT") == 30
    assert read("Mon, 23 Nov 2026 11:00:00 GMT") == 0
    assert read("-3") == 0
    assert read("inf") == 86_400
    assert read("nan") is read("soon") is read("") is read(None) is None


def test_a_long_retry_after_is_cut() -> None:
    retries = Retries(draw=lambda: 0.0)
    assert retries.wait(0, RateLimited("slow", retry_after=9_999)) == retries.longest_asked


def test_calls_share_the_time_of_the_machine() -> None:
    clock = Clock()
    busy = BusyClock(clock)
    first = busy.begin()
    clock.now += 1
    second = busy.begin()
    clock.now += 2
    assert busy.end(first) == pytest.approx(1 + 1)
    clock.now += 3
    assert busy.end(second) == pytest.approx(1 + 3)
    clock.now += 50
    third = busy.begin()
    assert busy.end(third) == 0


@pytest.fixture
async def slow() -> AsyncIterator[FaultyEndpoint]:
    async with FaultyEndpoint(latency=0.01) as running:
        yield running


@pytest.mark.anyio
async def test_tokens_have_their_price(manage: Any, ask: Any, slow: FaultyEndpoint) -> None:
    price = Price(input_per_million=1_000_000, output_per_million=10_000_000)
    reply = await manage(api_base=slow.api_base, price=price).chat(ask("one two three"))
    assert reply.usage.cost == 3 + 10
    assert (await manage(api_base=slow.api_base).chat(ask())).usage.cost is None


@pytest.mark.anyio
async def test_the_hour_of_a_machine_is_paid_once_for_calls_at_once(
    manage: Any, ask: Any, slow: FaultyEndpoint
) -> None:
    model = manage(api_base=slow.api_base, price=Price(per_gpu_hour=3600))
    start = asyncio.get_running_loop().time()
    replies = await asyncio.gather(*(model.chat(ask(str(n))) for n in range(8)))
    passed = asyncio.get_running_loop().time() - start
    assert 0.01 <= sum(reply.usage.cost or 0 for reply in replies) <= passed
