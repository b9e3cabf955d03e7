"""LangChain's serialised prompts: rendered here, they give the messages of LangChain itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError
from llmops.prompts import Prompt
from llmops.prompts.exchange.importing import read_source
from llmops.prompts.exchange.values import Imported
from llmops.prompts.prompt import parse_prompt

REAL = Path(__file__).parents[2] / "data" / "exchange" / "langchain"
NAMES = sorted(path.name.removesuffix(".rendered.json") for path in REAL.glob("*.rendered.json"))


def imported(path: Path) -> tuple[Imported, Prompt]:
    (made,) = read_source(path).prompts
    return made, parse_prompt(made.text, Path("p.prompty"), name=made.name)


def written(folder: Path, data: Any) -> Path:
    path = folder / "p.json"
    path.write_text(json.dumps(data))
    return path


def lc(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"lc": 1, "type": "constructor", "id": ["langchain", kind], "kwargs": kwargs}


def human(template: str, **more: Any) -> dict[str, Any]:
    prompt = lc("PromptTemplate", template=template, template_format="f-string", **more)
    return lc("HumanMessagePromptTemplate", prompt=prompt)


@pytest.mark.parametrize("name", NAMES)
def test_the_messages_are_those_of_langchain(name: str) -> None:
    _, prompt = imported(REAL / f"{name}.json")
    rendered = json.loads((REAL / f"{name}.rendered.json").read_text())
    inputs = {key.replace(" ", "_"): value for key, value in rendered["inputs"].items()}
    assert [each.to_json() for each in prompt.render(**inputs)] == rendered["messages"]


def test_partial_values_and_optional_placeholders_become_defaults() -> None:
    made, prompt = imported(REAL / "chat.json")
    inputs = {each.name: each for each in prompt.inputs}
    assert inputs["persona"].default == "a bot"
    assert inputs["history"].default == []
    assert inputs["user_question"].required
    assert "the variable `user question` is the input `user_question` here" in made.notes
    (said,) = (
        each.content for each in prompt.render(user_question="?") if each.role == "assistant"
    )
    assert said == "literal {x}"


def test_a_schema_becomes_outputs() -> None:
    made, prompt = imported(REAL / "structured.json")
    schema = prompt.output_schema
    assert schema is not None
    assert schema["properties"]["verdict"]["enum"] == ["good", "bad"]
    assert schema["properties"]["score"] == {"type": ["integer", "null"]}
    assert schema["required"] == ["verdict", "reasons"]
    assert "the answer's `default` (`score`) is not held" in made.notes


def test_a_model_comes_along_without_its_keys_and_addresses() -> None:
    made, prompt = imported(REAL / "with_model.json")
    assert prompt.model == "openai/gpt-4o-mini"
    sampling = prompt.sampling
    assert (sampling.temperature, sampling.seed, sampling.max_tokens) == (0.3, 7, 99)
    assert sampling.stop == ("END",)
    everything = made.text + " ".join(made.notes)
    assert "example.org" not in everything
    assert "OPENAI_API_KEY" not in everything
    assert "settings that have no place here: `openai_api_base`" in made.notes


def test_a_langsmith_commit_holds_the_prompt_as_its_manifest(tmp_path: Path) -> None:
    manifest = json.loads((REAL / "chat.json").read_text())
    manifest["kwargs"]["metadata"] = {"lc_hub_repo": "My Chat"}
    made, _ = imported(written(tmp_path, {"commit_hash": "ab", "manifest": manifest}))
    assert made.name == "my-chat"


def test_an_object_that_langchain_could_not_serialise_is_refused(tmp_path: Path) -> None:
    few = {"lc": 1, "type": "not_implemented", "id": ["x", "FewShotChatMessagePromptTemplate"]}
    path = written(tmp_path, lc("ChatPromptTemplate", messages=[few]))
    with pytest.raises(DocumentError, match="could not serialise `FewShotChatMessagePrompt"):
        read_source(path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (lc("ChatPromptTemplate", messages=[]), "no messages"),
        (lc("ChatPromptTemplate", messages=["hi"]), "something else"),
        (lc("ChatPromptTemplate", messages=[lc("ToolMessage", content="x")]), "not a role"),
        (lc("ChatPromptTemplate", messages=[lc("AIMessage", content=[{}])]), "more than one text"),
        (
            lc("ChatPromptTemplate", messages=[lc("AIMessage", content="", tool_calls=[{}])]),
            "calls tools",
        ),
        (lc("ChatPromptTemplate", messages=[human("Hi {name")]), "expected '}'"),
        (lc("ChatPromptTemplate", messages=[lc("MessagesPlaceholder")]), "variable_name"),
        (
            lc("ChatPromptTemplate", messages=[lc("HumanMessagePromptTemplate", prompt=[{}, {}])]),
            "several parts",
        ),
        (
            lc(
                "ChatPromptTemplate",
                messages=[human("{now}")],
                partial_variables={"now": {"lc": 1, "type": "not_implemented"}},
            ),
            "computed",
        ),
        (lc("ChatOpenAI", model="x"), "no prompt that is known"),
        (lc("RunnableSequence", last=lc("ChatOpenAI")), "something else"),
        ({"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}, "no serialised one"),
        ({"_type": "prompt", "template_path": "t.txt"}, "file of its own"),
        ({"_type": "prompt", "template": "x", "template_format": "liquid"}, "liquid"),
        (
            {"_type": "few_shot", "examples": "e.json", "example_prompt": {"template": "x"}},
            "not in the file",
        ),
        (
            {"_type": "few_shot", "examples": [{"a": 1}], "example_prompt": {"template": "{b}"}},
            "has no `b`",
        ),
    ],
)
def test_what_a_prompt_cannot_hold_is_refused(tmp_path: Path, data: Any, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        read_source(written(tmp_path, data))


def test_steps_after_the_model_are_told(tmp_path: Path) -> None:
    chain = lc(
        "RunnableSequence",
        first=lc("ChatPromptTemplate", messages=[human("{q}")]),
        middle=[lc("ChatAnthropic", model="claude-x", anthropic_api_key={"type": "secret"})],
        last=lc("StrOutputParser"),
    )
    made, prompt = imported(written(tmp_path, chain))
    assert prompt.model == "anthropic/claude-x"
    assert "the step `StrOutputParser` after the prompt is not held" in made.notes
