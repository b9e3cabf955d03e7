"""A model on a fake endpoint whose retries wait for nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from llmops.core.chat import ChatRequest, Message, Sampling
from llmops.models.limits import Limits
from llmops.models.managed import ManagedModel
from llmops.models.names import endpoint_of
from llmops.models.openai_http import HttpModel
from llmops.models.retries import Retries
from llmops.testing import FaultyEndpoint

Manage = Callable[..., ManagedModel]


@pytest.fixture
async def endpoint() -> AsyncIterator[FaultyEndpoint]:
    async with FaultyEndpoint("forty two") as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """The seconds that retries would have waited."""
    return []


@pytest.fixture
async def manage(endpoint: FaultyEndpoint, waits: list[float]) -> AsyncIterator[Manage]:
    """Makes models on `endpoint`: `manage(cache=…, timeout=…)`."""
    opened: list[ManagedModel] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    def make(
        model: str = "openai/fake",
        *,
        api_base: str | None = None,
        timeout: float = 5.0,
        retries: int = 4,
        concurrency: int = 8,
        environ: dict[str, str] | None = None,
        **rest: Any,
    ) -> ManagedModel:
        where = endpoint_of(model, api_base=api_base or endpoint.api_base, environ=environ or {})
        managed = ManagedModel(
            HttpModel(where, timeout=timeout, connections=concurrency),
            limits=Limits(concurrency),
            retries=Retries(limit=retries, sleep=sleep, draw=lambda: 1.0),
            **rest,
        )
        opened.append(managed)
        return managed

    yield make
    for each in opened:
        await each.aclose()


@pytest.fixture
def ask() -> Callable[..., ChatRequest]:
    """Makes requests: `ask("text", temperature=1.0)`."""

    def make(
        text: str = "What is six by nine?", *, repeat: int = 0, **sampling: Any
    ) -> ChatRequest:
        return ChatRequest(
            messages=(Message(role="user", content=text),),
            sampling=Sampling(**sampling),
            repeat=repeat,
        )

    return make
