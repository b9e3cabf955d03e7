"""What every chat model does, as tests. Subclass, give a `model` fixture, and mark it `anyio`.

@pytest.mark.anyio
class TestMyModel(ChatModelConformance):
    @pytest.fixture
    async def model(self): ...
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from llmops.core.chat import (
    ChatModel,
    ChatRequest,
    Constraint,
    Message,
    Messages,
    Sampling,
)
from llmops.core.errors import Unsupported

QUESTION: Messages = (Message(role="user", content="What is the capital of France?"),)
REQUEST = ChatRequest(messages=QUESTION, sampling=Sampling(max_tokens=24))

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}


class ChatModelConformance:
    """The tests. A subclass says which abilities its model has."""

    constraints: frozenset[str] = frozenset({"choice", "json"})
    """Kinds of constraints that the model holds to; others must be `Unsupported`."""
    tells_probabilities = False
    """Whether it knows `label_probabilities` and `score_text`."""

    async def test_a_reply_says_how_it_came_about(self, model: ChatModel) -> None:
        reply = await model.chat(REQUEST)
        assert reply.text
        assert reply.finish_reason == "stop"
        assert reply.model
        assert not reply.cached
        assert reply.latency > 0
        assert reply.usage.input_tokens > 0
        assert reply.usage.output_tokens > 0

    async def test_an_answer_at_the_token_limit_is_truncated(self, model: ChatModel) -> None:
        reply = await model.chat(replace(REQUEST, sampling=Sampling(max_tokens=1)))
        assert reply.truncated
        assert reply.finish_reason == "length"

    async def test_the_same_call_made_twice_gets_the_same_answer(self, model: ChatModel) -> None:
        first, second = await model.chat(REQUEST), await model.chat(REQUEST)
        assert first.text == second.text

    async def test_calls_may_be_made_at_once(self, model: ChatModel) -> None:
        replies = await asyncio.gather(*(model.chat(REQUEST) for _ in range(4)))
        assert all(reply.text for reply in replies)

    async def test_the_pieces_of_a_stream_are_its_reply(self, model: ChatModel) -> None:
        chunks = [chunk async for chunk in model.stream(REQUEST)]
        *pieces, last = chunks
        assert last.reply is not None
        assert all(chunk.reply is None for chunk in pieces)
        assert "".join(chunk.text for chunk in chunks) == last.reply.text
        assert last.reply.text == (await model.chat(REQUEST)).text
        assert last.reply.finish_reason == "stop"
        assert last.reply.usage.output_tokens > 0

    async def test_a_stream_may_be_left_early(self, model: ChatModel) -> None:
        stream = model.stream(REQUEST)
        assert (await anext(stream)).reply is None
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
        assert (await model.chat(REQUEST)).text

    async def test_a_choice_binds_or_is_unsupported(self, model: ChatModel) -> None:
        choices = ["zanzibar", "yellowknife"]
        request = replace(REQUEST, constraint=Constraint(kind="choice", value=choices))
        if "choice" in self.constraints:
            assert (await model.chat(request)).text in choices
        else:
            with pytest.raises(Unsupported):
                await model.chat(request)

    async def test_a_schema_binds_or_is_unsupported(self, model: ChatModel) -> None:
        request = replace(REQUEST, constraint=Constraint(kind="json", value=SCHEMA))
        if "json" in self.constraints:
            assert json.loads((await model.chat(request)).text)["city"] in {"Paris", "Rome"}
        else:
            with pytest.raises(Unsupported):
                await model.chat(request)

    async def test_label_probabilities_are_exact_or_unsupported(self, model: ChatModel) -> None:
        if not self.tells_probabilities:
            with pytest.raises(Unsupported) as refused:
                await model.label_probabilities(REQUEST, ["Yes", "No"])
            assert refused.value.message
            return
        found = await model.label_probabilities(REQUEST, ["Yes", "No"])
        assert set(found.probabilities) == {"Yes", "No"}
        assert all(0 <= each <= 1 for each in found.probabilities.values())
        assert 0 <= found.mass <= 1
        assert found.usage.input_tokens > 0
        assert found.usage.output_tokens == 1

    async def test_a_given_text_is_scored_or_unsupported(self, model: ChatModel) -> None:
        if not self.tells_probabilities:
            with pytest.raises(Unsupported) as refused:
                await model.score_text(QUESTION, "Paris.")
            assert refused.value.message
            return
        tokens = await model.score_text(QUESTION, "The capital of France is Paris.")
        assert "".join(each.token for each in tokens) == "The capital of France is Paris."
        assert all(each.logprob <= 0 for each in tokens)

    async def test_identity_and_name_stay_the_same(self, model: ChatModel) -> None:
        assert model.name
        assert await model.identity() == await model.identity()

    async def test_it_may_be_closed_twice(self, model: ChatModel) -> None:
        await model.chat(REQUEST)
        await model.aclose()
        await model.aclose()
