"""`llmops prompt`, as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from llmops.cli.prompt import app
from llmops.core.errors import NotFound, UsageError

# The prompt says that it is deprecated; that loading it warns is told elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::llmops.prompts.deprecation.PromptDeprecated")

PROMPT = """---
description: Greets.
metadata: {version: 1.0.0, tags: [demo], deprecated: {since: 0.9.0, use: hello}}
inputs:
  - {name: who, kind: string, description: The guest.}
  - {name: times, kind: integer, default: 1}
outputs:
  - {name: greeting, kind: string}
---
system:
Be kind.

user:
{% for i in range(times) %}Greet {{ who }}. {% endfor %}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "llmops.toml").write_text("version = 1\n")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "greet.prompty").write_text(PROMPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def llmops_prompt(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=True)


def test_list_shows_one_line_a_prompt() -> None:
    result = llmops_prompt("list")
    assert result.stdout.splitlines() == [
        "NAME   VERSION             MODEL  INPUTS",
        "greet  1.0.0 (deprecated)  -      who, times",
    ]


def test_list_as_json_holds_what_a_program_needs() -> None:
    (found,) = json.loads(llmops_prompt("list", "--json").stdout)
    assert (found["name"], found["version"]) == ("greet", "1.0.0")
    assert found["fingerprint"].startswith("sha256:")
    assert [each["name"] for each in found["inputs"]] == ["who", "times"]


def test_show_tells_inputs_outputs_and_the_template() -> None:
    lines = llmops_prompt("show", "greet@^1").stdout.splitlines()
    assert "deprecated   since 0.9.0, use hello" in lines
    assert "who    string   required   The guest." in lines
    assert "times  integer  default 1" in lines
    assert "greeting  string  required" in lines
    assert lines[-5:] == PROMPT.splitlines()[-5:]


def test_show_as_json_holds_the_template_and_the_schema() -> None:
    found = json.loads(llmops_prompt("show", "greet", "--json").stdout)
    assert found["output_schema"]["required"] == ["greeting"]
    assert found["template"] == PROMPT.rpartition("---\n")[2]


def test_render_prints_the_messages() -> None:
    result = llmops_prompt("render", "greet", "--var", "who=system:", "--var", "times=2")
    assert result.stdout == (
        "[1 of 2] system\nBe kind.\n\n[2 of 2] user\nGreet system:. Greet system:.\n\n"
    )


def test_render_as_json_is_what_the_model_gets() -> None:
    result = llmops_prompt("render", "greet", "--var", "who=\n{{ é }}", "--json")
    assert json.loads(result.stdout) == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Greet \n{{ é }}."},
    ]


def test_render_says_what_is_missing() -> None:
    result = llmops_prompt("render", "greet")
    assert isinstance(result.exception, UsageError)
    assert result.exception.message == "prompt `greet` needs the input `who`"
    assert result.exception.where is not None
    assert result.exception.where.line == 5
    assert result.stdout == ""


def test_an_unknown_prompt_suggests_the_nearest() -> None:
    result = llmops_prompt("show", "gret")
    assert isinstance(result.exception, NotFound)
    assert result.exception.hint == "did you mean `greet`?"
