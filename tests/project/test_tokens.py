"""Tokens of prompts, counted by the model's own server or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from llmops.core.errors import LlmopsError, ProviderUnavailable, Unsupported
from llmops.project import ProjectConfig
from llmops.project.tokens import TokenCounter, sample_inputs
from llmops.prompts import Prompt
from llmops.prompts.comparison import compare
from llmops.prompts.prompt import parse_prompt


def prompt(
    said: str = "Greet {{ who }}.", head: str = "", inputs: str = "who: {kind: string}"
) -> Prompt:
    text = f"---\nmetadata: {{version: 1.0.0}}\n{head}inputs: {{{inputs}}}\n---\nuser:\n{said}\n"
    return parse_prompt(text, Path("p.prompty"), name="p")


def counter(**models: dict[str, str]) -> TokenCounter:
    config = {"version": 1, "models": models, "default_model": next(iter(models), None)}
    return TokenCounter(ProjectConfig.model_validate(config))


def test_inputs_are_their_examples_or_their_names() -> None:
    declared = (
        "a: {kind: string, example: Ada}, b: {kind: string}, c: {kind: string, default: d}, "
        "d: {kind: string, enumValues: [x, y]}, e: {kind: integer}, f: {kind: boolean}, "
        "g: {kind: array, items: {kind: object, properties: {h: {kind: string}}}}, "
        "i: {kind: array}, j: {kind: object}"
    )
    asked = prompt("{{ a }}", inputs=declared)
    assert sample_inputs(asked) == {
        "a": "Ada",
        "b": "<b>",
        "d": "x",
        "e": 1,
        "f": True,
        "g": [{"h": "<h>"}],
        "i": ["<i>"],
        "j": {},
    }
    assert asked.render(**sample_inputs(asked))[0].content == "Ada"


@pytest.mark.parametrize(
    ("models", "head", "reason"),
    [
        ({}, "", "neither the prompt nor the project names a model"),
        ({}, "model: {id: other}\n", "no model is named `other`"),
        ({}, "model: {id: anthropic/claude}\n", "is not served by vLLM"),
        ({"m": {"model": "openai/gpt"}}, "", "is not served by vLLM"),
    ],
)
def test_no_text_is_sent_to_who_is_no_vllm(models: Any, head: str, reason: str) -> None:
    with pytest.raises(LlmopsError, match=reason):
        counter(**models)(prompt(head=head))


def test_a_server_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    count = counter(m={"model": "hosted_vllm/m", "api_base": "http://127.0.0.1:9/v1"})
    with pytest.raises(ProviderUnavailable, match="nothing answers") as first:
        count(prompt())
    with pytest.raises(ProviderUnavailable) as second:
        count(prompt("Goodbye {{ who }}."))
    assert second.value is first.value


def test_a_prompt_that_cannot_be_rendered_says_so() -> None:
    count = counter(m={"model": "hosted_vllm/m", "api_base": "http://127.0.0.1:9/v1"})
    with pytest.raises(LlmopsError, match="cannot be rendered"):
        count(prompt("{{ who.name }}"))


@pytest.mark.vllm
def test_tokens_are_those_that_the_model_reads(vllm_server: Any) -> None:
    count = counter(
        m={"model": f"hosted_vllm/{vllm_server.model}", "api_base": vllm_server.api_base}
    )
    old, new = prompt(), prompt("Greet {{ who }} warmly.")
    answered = httpx.post(
        f"{vllm_server.api_base}/chat/completions",
        json={
            "model": vllm_server.model,
            "messages": [{"role": "user", "content": "Greet <who>."}],
            "max_tokens": 1,
        },
    ).json()
    assert count(old) == answered["usage"]["prompt_tokens"]
    tokens = compare(old, new, count_tokens=count).tokens
    assert tokens.before is not None
    assert tokens.after is not None
    assert 1 <= tokens.after - tokens.before <= 3
    assert tokens.reason is None


@pytest.mark.vllm
def test_a_model_that_the_server_lacks_is_a_reason(vllm_server: Any) -> None:
    count = counter(m={"model": "hosted_vllm/other", "api_base": vllm_server.api_base})
    diff = compare(prompt(), prompt("Bye {{ who }}."), count_tokens=count)
    assert (diff.tokens.before, diff.tokens.after) == (None, None)
    assert diff.tokens.reason
    assert "other" in diff.tokens.reason


def test_a_prompt_that_names_no_model_of_its_own_uses_the_projects() -> None:
    count = counter(m={"model": "custom_openai/m"})
    with pytest.raises(Unsupported, match="`custom_openai/m` is not served by vLLM"):
        count(prompt())
