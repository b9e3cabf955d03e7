"""Probabilities of labels go through cache, limits, retries and price as answers do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.core.chat import ChatRequest
from llmops.core.errors import ServerFault, Unsupported
from llmops.models.cache import ResponseCache
from llmops.models.config import Price
from llmops.models.limits import Limits
from llmops.models.managed import ManagedModel
from llmops.models.retries import Retries
from llmops.testing import ScriptedModel

Ask = Callable[..., ChatRequest]
PRICE = Price(input_per_million=1_000_000.0, output_per_million=0.0)


async def no_wait(seconds: float) -> None:
    """Retries that wait for nothing."""


def managed(adapter: Any, folder: Path | None = None, **options: Any) -> ManagedModel:
    cache = ResponseCache(folder / "cache.sqlite") if folder else None
    options.setdefault("retries", Retries(limit=2, sleep=no_wait))
    return ManagedModel(adapter, cache=cache, **options)


@pytest.mark.anyio
async def test_what_was_asked_before_costs_no_call(ask: Ask, tmp_path: Path) -> None:
    adapter = ScriptedModel("", probabilities={"Yes": 0.7, "No": 0.2})
    model = managed(adapter, tmp_path, price=PRICE)
    first = await model.label_probabilities(ask(), ["Yes", "No"])
    again = await model.label_probabilities(ask(), ["Yes", "No"])
    assert again.probabilities == first.probabilities == {"Yes": 0.7, "No": 0.2}
    assert (first.cached, again.cached) == (False, True)
    assert first.usage.cost == first.usage.input_tokens > 0
    assert again.usage.cost == 0.0
    assert again.usage.input_tokens == first.usage.input_tokens
    assert (model.statistics.calls, model.statistics.cached) == (1, 1)
    await model.aclose()


@pytest.mark.anyio
async def test_other_labels_another_repeat_and_a_text_are_other_questions(
    ask: Ask, tmp_path: Path
) -> None:
    adapter = ScriptedModel("said", probabilities={"Yes": 0.7, "No": 0.2})
    model = managed(adapter, tmp_path)
    await model.label_probabilities(ask(), ["Yes", "No"])
    await model.label_probabilities(ask(), ["No", "Yes"])
    await model.label_probabilities(ask(repeat=1), ["Yes", "No"])
    assert (await model.chat(ask())).text == "said"
    assert model.statistics.cached == 0
    assert not (await model.label_probabilities(ask(), ["Yes", "No"], use_cache=False)).cached
    await model.aclose()


@pytest.mark.anyio
async def test_the_same_question_asked_twice_at_once_is_asked_once(
    ask: Ask, tmp_path: Path
) -> None:
    adapter = ScriptedModel("", probabilities={"Yes": 0.7, "No": 0.2})
    model = managed(adapter, tmp_path)
    found = await asyncio.gather(
        *(model.label_probabilities(ask(), ["Yes", "No"]) for _ in range(5))
    )
    assert len(adapter.requests) == 1
    assert sorted(each.cached for each in found) == [False, True, True, True, True]
    await model.aclose()


@pytest.mark.anyio
async def test_a_failure_is_tried_again_and_never_kept(ask: Ask, tmp_path: Path) -> None:
    failures = [ServerFault("busy"), ServerFault("busy")]

    def answer(request: ChatRequest) -> dict[str, float]:
        if failures:
            raise failures.pop()
        return {"Yes": 0.9}

    model = managed(ScriptedModel("", probabilities=answer), tmp_path)
    found = await model.label_probabilities(ask(), ["Yes"])
    assert found.probabilities == {"Yes": 0.9}
    assert (model.statistics.calls, model.statistics.retries) == (1, 2)
    await model.aclose()


@pytest.mark.anyio
async def test_limits_hold_for_probabilities_too(ask: Ask) -> None:
    flying = busiest = 0

    class Slow(ScriptedModel):
        async def label_probabilities(self, *arguments: Any, **options: Any) -> Any:
            nonlocal flying, busiest
            flying += 1
            busiest = max(busiest, flying)
            await asyncio.sleep(0)
            flying -= 1
            return await super().label_probabilities(*arguments, **options)

    model = managed(Slow("", probabilities={"Yes": 1.0}), limits=Limits(2))
    await asyncio.gather(*(model.label_probabilities(ask(str(n)), ["Yes"]) for n in range(9)))
    assert busiest == 2


@pytest.mark.anyio
async def test_a_model_that_tells_none_is_not_asked_again(ask: Ask, tmp_path: Path) -> None:
    model = managed(ScriptedModel("said"), tmp_path)
    with pytest.raises(Unsupported):
        await model.label_probabilities(ask(), ["Yes", "No"])
    assert model.statistics.retries == 0
    await model.aclose()
