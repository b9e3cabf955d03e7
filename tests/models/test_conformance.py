"""Every adapter against the same suite: the real vLLM, the fake endpoint, the scripted model."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from llmops.core.chat import ChatModel, TokenLogprob
from llmops.models import ModelConfig, open_model
from llmops.testing import FaultyEndpoint, ScriptedModel
from llmops.testing.conformance import QUESTION, REQUEST, ChatModelConformance

quiet_litellm = pytest.mark.filterwarnings(
    "ignore:Item .* is using the `ReadOnly`:UserWarning", "ignore::DeprecationWarning"
)
"""LiteLLM's own use of pydantic; nothing of ours."""

ANSWER = "The capital of France is Paris."


@pytest.mark.anyio
class TestScriptedModel(ChatModelConformance):
    tells_probabilities = True

    @pytest.fixture
    def model(self) -> ChatModel:
        def answer(request: Any) -> str:
            if request.constraint is None:
                return ANSWER
            return "zanzibar" if request.constraint.kind == "choice" else '{"city": "Paris"}'

        def logprobs(text: str) -> list[TokenLogprob]:
            return [TokenLogprob(token=each, logprob=-1.0) for each in text]

        return ScriptedModel(answer, probabilities={"Yes": 0.7, "No": 0.2}, logprobs=logprobs)


@pytest.mark.anyio
class TestHttpOnTheFakeEndpoint(ChatModelConformance):
    @pytest.fixture
    async def model(self) -> AsyncIterator[ChatModel]:
        async with FaultyEndpoint(ANSWER) as endpoint:
            config = ModelConfig(model="hosted_vllm/fake", api_base=endpoint.api_base)
            model = open_model(config, cache=None, environ={})
            yield model
            await model.aclose()


@pytest.mark.anyio
class TestHttpOnAnEndpointWithOpenAiFieldsOnly(ChatModelConformance):
    constraints = frozenset({"json"})

    @pytest.fixture
    async def model(self) -> AsyncIterator[ChatModel]:
        async with FaultyEndpoint(ANSWER, obeys="response_format") as endpoint:
            config = ModelConfig(model="openai/fake", api_base=endpoint.api_base)
            model = open_model(config, cache=None, environ={})
            yield model
            await model.aclose()


@pytest.mark.anyio
class TestHttpOnAnEndpointThatIgnoresConstraints(ChatModelConformance):
    constraints = frozenset()

    @pytest.fixture
    async def model(self) -> AsyncIterator[ChatModel]:
        async with FaultyEndpoint(ANSWER, obeys="nothing") as endpoint:
            config = ModelConfig(model="openai/fake", api_base=endpoint.api_base)
            model = open_model(config, cache=None, environ={})
            yield model
            await model.aclose()


@pytest.mark.anyio
@quiet_litellm
class TestLiteLlmOnTheFakeEndpoint(ChatModelConformance):
    @pytest.fixture
    async def model(self) -> AsyncIterator[ChatModel]:
        async with FaultyEndpoint(ANSWER) as endpoint:
            config = ModelConfig(
                model="hosted_vllm/fake", api_base=endpoint.api_base, transport="litellm"
            )
            model = open_model(config, cache=None, environ={})
            yield model
            await model.aclose()


@pytest.mark.anyio
@pytest.mark.vllm
class TestHttpOnVllm(ChatModelConformance):
    tells_probabilities = True

    @pytest.fixture
    async def model(self, vllm_server: Any) -> AsyncIterator[ChatModel]:
        config = ModelConfig(
            model=f"hosted_vllm/{vllm_server.model}", api_base=vllm_server.api_base
        )
        model = open_model(config, cache=None, environ={})
        yield model
        await model.aclose()

    async def test_a_label_has_the_probability_that_the_answer_reports(
        self, model: ChatModel
    ) -> None:
        reply = await model.chat(replace(REQUEST, top_logprobs=1))
        first = reply.logprobs[0]
        found = await model.label_probabilities(REQUEST, [first.token])
        # Two runs of one prompt in bfloat16 differ in the last digits.
        assert found.probabilities[first.token] == pytest.approx(math.exp(first.logprob), rel=0.2)

    async def test_a_likely_answer_scores_above_an_unlikely_one(self, model: ChatModel) -> None:
        async def mean(text: str) -> float:
            tokens = await model.score_text(QUESTION, text)
            return sum(each.logprob for each in tokens) / len(tokens)

        assert await mean("The capital of France is Paris.") > await mean(
            "The zebra of quartz sings Tuesday."
        )

    async def test_an_answer_reports_its_server_and_version(self, model: ChatModel) -> None:
        reply = await model.chat(REQUEST)
        assert reply.system_fingerprint
        assert reply.system_fingerprint.startswith("vllm-")


@pytest.mark.anyio
@pytest.mark.vllm
@quiet_litellm
class TestLiteLlmOnVllm(ChatModelConformance):
    @pytest.fixture
    async def model(self, vllm_server: Any) -> AsyncIterator[ChatModel]:
        config = ModelConfig(
            model=f"hosted_vllm/{vllm_server.model}",
            api_base=vllm_server.api_base,
            transport="litellm",
        )
        model = open_model(config, cache=None, environ={})
        yield model
        await model.aclose()
