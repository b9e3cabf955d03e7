"""`.prompt.yml` files of GitHub Models, read and written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.prompts import Prompt
from llmops.prompts.exchange.body import merged
from llmops.prompts.exchange.github_writer import write_github
from llmops.prompts.exchange.importing import read_source
from llmops.prompts.exchange.languages.braces import read_braces, write_braces
from llmops.prompts.exchange.values import Draft, Imported, Piece, Turn, Variable
from llmops.prompts.exchange.writer import write_prompt
from llmops.prompts.prompt import parse_prompt
from llmops.prompts.trees import MemoryTree

REAL = Path(__file__).parents[2] / "data" / "exchange" / "github"
HERE = Path("p.prompty")
LESS = "descriptions of inputs, allowed values of inputs, displayName, authors, tags, version"


def read(path: Path, text: str | None = None) -> Imported:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    (made,) = read_source(path).prompts
    return made


def prompt_of(made: Imported) -> Prompt:
    return parse_prompt(made.text, HERE, name=made.name)


@pytest.mark.parametrize("path", sorted(REAL.glob("*.prompt.yml")), ids=lambda path: path.name)
def test_an_imported_prompt_is_a_fixed_point_of_export_and_import(
    path: Path, tmp_path: Path
) -> None:
    first = read(path)
    exported = write_github(prompt_of(first))
    again = read(tmp_path / path.name, exported.text)
    assert again.text == first.text
    assert write_github(prompt_of(again)).text == exported.text


def test_everything_that_both_can_say_is_read(tmp_path: Path) -> None:
    made = read(REAL / "json_schema.prompt.yml")
    prompt = prompt_of(made)
    assert (prompt.name, prompt.display_name) == ("json_schema", "JSON Schema Response Example")
    assert prompt.model == "openai/gpt-4o-mini"
    assert [each.example for each in prompt.inputs] == ["dog"]
    schema = prompt.output_schema
    assert schema is not None
    assert schema["required"] == ["name", "habitat", "diet"]
    assert [each.content for each in prompt.render(animal="a cat")] == [
        "You are a helpful assistant that provides detailed information about animals.",
        "Describe a a cat in detail.",
    ]
    assert "`evaluators` are not held: write a suite of evaluations" in made.notes


def test_what_a_prompt_has_no_place_for_in_an_answers_schema_is_told() -> None:
    made = read(REAL / "json_schema.prompt.yml")
    assert any("no place for `name` and `strict`" in note for note in made.notes), made.notes


def test_a_prompt_that_github_can_hold_comes_back_whole(tmp_path: Path) -> None:
    prompt = parse_prompt(
        """---
description: Answers.
metadata: {version: 1.0.0}
model:
  id: openai/gpt-x
  options: {temperature: 0.5, maxOutputTokens: 9, topP: 0.5}
inputs:
  - {name: question, kind: string, example: Why?}
  - {name: tone, kind: string}
outputs:
  - {name: answer, kind: string, nullable: true, enumValues: [a, b]}
  - {name: more, kind: array, required: false, items: {kind: integer}}
---
system:
Be {{ tone }}.{{ "\\n" }}

user:
{{ "user:" }}
{{ question }}
""",
        HERE,
        name="support/answer",
    )
    exported = write_github(prompt)
    again = prompt_of(read(tmp_path / "x.prompt.yml", exported.text))
    assert again.fingerprint == prompt.fingerprint
    assert (again.name, again.description) == (prompt.name, prompt.description)
    for name in ("question", "tone"):
        assert again.input(name).to_json() == prompt.input(name).to_json()
    assert again.output_schema == prompt.output_schema
    assert exported.notes == ("not held: version",)


def test_what_github_has_no_place_for_is_told(tmp_path: Path) -> None:
    prompt = parse_prompt(
        """---
displayName: answers
metadata: {version: 1.2.0, authors: [ann], tags: [qa]}
model:
  options: {topK: 4, seed: 3, stopSequences: [END]}
inputs:
  - {name: count, kind: integer, description: How many., default: 3}
  - {name: tone, kind: string, required: false, enumValues: [kind]}
examples: shots.jsonl
---
developer:
{% include "tone" %} {{ count }} {{ tone }}{% for each in examples %}
user:
{{ each.q }}{% endfor %}
""",
        HERE,
        name="answer",
        tree=MemoryTree({"tone.jinja": "Be kind.\n", "shots.jsonl": '{"q": "1"}\n'}, Path()),
    )
    exported = write_github(prompt)
    assert exported.notes == (
        "GitHub has no place for `seed`, `top_k`, `stop`",
        "the input `count` is of kind integer here, and text there",
        "the default of `count` is not held: it has to be given",
        "`tone` is optional here, and has to be given there",
        f"not held: {LESS}",
        "messages of `developer` are of `system` there",
        "written out: `shots.jsonl`, `tone.jinja`",
    )
    again = prompt_of(read(tmp_path / "x.prompt.yml", exported.text))
    assert [(each.role, each.content) for each in again.render(count="3", tone="t")] == [
        ("system", "Be kind. 3 t"),
        ("user", "1"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "{% if x %}a{% endif %}",
        "{{ x | upper }}",
        "{% for each in y %}{{ each }}{% endfor %}",
        "{% filter upper %}{{ x }}{% endfilter %}",
        "{% set z = x %}{{ z }}",
    ],
)
def test_template_logic_is_refused(body: str) -> None:
    text = "---\nmetadata: {version: 1.0.0}\ninputs: {x: {kind: string}, y: {kind: array}}\n---\n"
    prompt = parse_prompt(f"{text}user:\n{body}", HERE, name="p")
    with pytest.raises(UsageError, match=r"decides or computes .* only puts them in"):
        write_github(prompt)


def test_braces_that_github_would_fill_are_refused() -> None:
    text = "---\nmetadata: {version: 1.0.0}\ninputs: {x: {kind: string}}\n---\nuser:\n"
    with pytest.raises(UsageError, match="braces in its text"):
        write_github(parse_prompt(text + '{{ "{{x}}" }}', HERE, name="p"))
    with pytest.raises(UsageError, match="braces in its text"):
        write_github(parse_prompt(text + '{{ "{{" }}x{{ "}}" }}', HERE, name="p"))


snags = st.sampled_from(["{", "}", "\n", "\r", " ", "user:", "- x", ": ", "#", "'", "é", "\x85"])
pieces = st.lists(st.one_of(st.just(Variable("x")), snags, st.text(max_size=3)), max_size=8)


@given(first=pieces, second=pieces)
def test_texts_of_every_kind_survive_the_round_trip(
    first: list[Piece], second: list[Piece]
) -> None:
    first, second = merged(first), merged(second)
    assume(all(read_braces(write_braces(each)) == each for each in (first, second)))
    draft = Draft(
        names=("p",),
        origin="a test",
        where=Where(HERE),
        turns=(Turn("user", tuple(first)), Turn("assistant", tuple(second)), Turn("user", ("z",))),
        inputs=({"name": "x", "kind": "string"},),
    )
    prompt = parse_prompt(write_prompt(draft, "p").text, HERE, name="p")
    messages = yaml.safe_load(write_github(prompt).text)["messages"]
    assert [(each["role"], each["content"].replace("{{x}}", "V")) for each in messages] == [
        (each.role, each.content) for each in prompt.render(x="V")
    ]


GOOD = "messages: [{role: user, content: Hi}]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("messages: [{role: user, content: Hi}\n", ":2: not valid YAML"),
        ("messages: []\n", ":1: `messages`"),
        ("messages:\n- {role: user}\n", ":2: `messages.0.content` is missing"),
        (
            "messages:\n- {role: user, content: x}\n- {role: tool, content: x}\n",
            ":3: `tool` is not",
        ),
        ("messages:\n- {role: user, content: [x]}\n", ":2: `messages.0.content`"),
        (GOOD + "responseFormat: json_schema\njsonSchema: '{'\n", ":3: `jsonSchema` is not valid"),
        (GOOD + "modelParameters: {temperature: hot}\n", "model.options.temperature"),
        (GOOD + "modelParameters: {topP: 0}\n", "model.options.topP"),
        (GOOD + "testData: {a: 1}\n", ":2: `testData`"),
    ],
)
def test_a_broken_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path / "x.prompt.yml", text)
    assert told in str(caught.value)


def test_names_that_are_no_inputs_here_are_changed_and_told(tmp_path: Path) -> None:
    made = read(
        tmp_path / "Text Summary.prompt.yml",
        "messages: [{role: User, content: '{{user-name}} {{if}} {{user_name}} {{ x }} {{a b}}'}]\n"
        "testData: [{a b: 3, user-name: Ann}, {x: 1}]\n",
    )
    assert made.name == "text-summary"
    prompt = prompt_of(made)
    assert {each.name for each in prompt.inputs} == {"user_name_2", "if_", "user_name", "a_b"}
    (message,) = prompt.render(user_name_2="1", if_="2", user_name="3", a_b="4")
    assert message.content == "1 2 3 {{ x }} 4"
    assert "`{{ x }}` is text: GitHub replaces braces that hold nothing but a name" in made.notes
