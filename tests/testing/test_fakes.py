"""The fakes do what they say, so that tests on them mean something."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import pytest

from llmops.core.chat import ChatRequest, Message
from llmops.core.errors import ServerFault, UsageError
from llmops.models.managed import ManagedModel
from llmops.testing import ScriptedModel

pytestmark = pytest.mark.anyio


def request(text: str) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),))


async def test_a_script_is_searched_for_the_whole_message_and_then_for_a_part() -> None:
    model = ScriptedModel({"France": "Paris", "capital of Italy": "Rome", "France?": "whole"})
    assert (await model.chat(request("Capital of France, please"))).text == "Paris"
    assert (await model.chat(request("France?"))).text == "whole"
    assert (await model.chat(request("the capital of Italy"))).text == "Rome"
    with pytest.raises(UsageError, match="no answer"):
        await model.chat(request("Spain"))
    assert len(model.requests) == 4


async def test_a_scripted_error_is_raised_and_a_managed_model_tries_again() -> None:
    answers = iter([ServerFault("down"), ServerFault("down"), "up"])
    model = ScriptedModel(lambda _: next(answers))
    with pytest.raises(ServerFault):
        await model.chat(request("?"))
    managed = ManagedModel(model)
    assert (await managed.chat(request("?"))).text == "up"
    assert managed.statistics.retries == 1


async def test_the_endpoint_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "llmops.testing.endpoint", "--answer", "hello"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        base = server.stdout.readline().strip()
        body = {"model": "fake", "messages": [{"role": "user", "content": "?"}]}
        call = urllib.request.Request(f"{base}/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(call) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == "hello"
        server.terminate()
