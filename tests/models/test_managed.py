"""What the layers around an adapter promise together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmops.core.chat import Constraint
from llmops.core.errors import DocumentError
from llmops.models.cache import ResponseCache
from llmops.testing import FaultyEndpoint

pytestmark = pytest.mark.anyio


class FullDisk(ResponseCache):
    """A cache whose disk has no room left."""

    def put(self, key: bytes, answer: dict[str, Any]) -> None:
        raise DocumentError("cannot be written: No space left on device")


async def test_an_answer_is_not_lost_when_the_cache_cannot_keep_it(
    manage: Any, ask: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with FullDisk(tmp_path / "cache.sqlite") as cache:
        model = manage(cache=cache)
        for _ in range(2):
            assert (await model.chat(ask())).text == "forty two"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "cannot be written: No space left on device; further answers are not cached"
    ]


async def test_constrained_calls_that_start_together_probe_the_endpoint_once(
    manage: Any, ask: Any, endpoint: FaultyEndpoint
) -> None:
    endpoint.obeys = "structured_outputs"
    model = manage("openai/fake", concurrency=8)
    request = replace(ask(), constraint=Constraint(kind="choice", value=["yes", "no"]))
    await model.chat(request)
    asked_alone = len(endpoint.chats)
    async with FaultyEndpoint() as other:
        together = manage("openai/fake", api_base=other.api_base)
        await asyncio.gather(*(together.chat(replace(request, repeat=n)) for n in range(8)))
        assert len(other.chats) == asked_alone - 1 + 8
