"""promptfoo's configs: rendered here, their prompts are those that promptfoo sends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from llmops.core.errors import DocumentError, UsageError
from llmops.prompts.exchange.importing import Read, read_source
from llmops.prompts.exchange.promptfoo_providers import read_provider
from llmops.prompts.prompt import parse_prompt

REAL = Path(__file__).parents[2] / "data" / "exchange" / "promptfoo"


def read(folder: Path, config: str, **files: str) -> Read:
    path = folder / "promptfooconfig.yaml"
    path.write_text(config, encoding="utf-8")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode())
    return read_source(path)


def contents(read: Read, **inputs: str) -> list[list[str]]:
    prompts = [parse_prompt(made.text, Path("p"), name=made.name) for made in read.prompts]
    return [[each.content for each in prompt.render(**inputs)] for prompt in prompts]


def test_the_messages_are_those_of_promptfoo() -> None:
    rendered = json.loads((REAL / "rendered.json").read_text(encoding="utf-8"))
    prompts = read_source(REAL).prompts
    assert len(prompts) == len(rendered["outputs"])
    for made, output in zip(prompts, rendered["outputs"], strict=True):
        prompt = parse_prompt(made.text, Path("p.prompty"), name=made.name)
        inputs = {each.name: rendered["inputs"][each.name] for each in prompt.inputs}
        chat = yaml.safe_load(output) if output.startswith(("[", "- role")) else None
        expected = chat or [{"role": "user", "content": output}]
        assert [each.to_json() for each in prompt.render(**inputs)] == expected, made.origin


def test_names_are_labels_ids_and_files_and_programs_are_left_out() -> None:
    read = read_source(REAL / "promptfooconfig.yaml", into="from-promptfoo/")
    assert [made.name.removeprefix("from-promptfoo/") for made in read.prompts] == [
        *("prompt-1", "translator", "chat", "dialog", "two-1", "two-2", "page", "polite"),
        *("table-2", "as-it-stands", "prompt-9"),
    ]
    assert read.left_out == (
        "`file://prompts/function.py:make` is a program, whose prompts exist only once it runs",
        "tests and assertions: `llmops eval import` makes a suite of them",
    )


def test_the_model_and_the_first_values_come_along() -> None:
    first, translator, *_ = read_source(REAL).prompts
    prompt = parse_prompt(first.text, Path("p"), name="p")
    assert prompt.model == "openai/gpt-4o-mini"
    assert (prompt.sampling.temperature, prompt.sampling.max_tokens) == (0.2, 64)
    assert {each.name: each.example for each in prompt.inputs} == {
        "word": "hello",
        "language": "French",
    }
    assert "not-a-key" not in first.text
    formal = parse_prompt(translator.text, Path("p"), name="p").input("formal")
    assert (formal.kind.value, formal.example) == ("boolean", True)


@pytest.mark.parametrize(
    "reference", ["file://../secret.txt", "../secret.txt", "file:///etc/hostname", "../*.txt"]
)
def test_a_reference_out_of_the_folder_is_refused(tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret.txt").write_text("s3cret")
    (tmp_path / "in").mkdir()
    with pytest.raises(DocumentError, match=r"outside of the config's folder"):
        read(tmp_path / "in", f"prompts: ['{reference}']")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s3cret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").symlink_to(tmp_path / "secret.txt")
    for reference in ("a.txt", "*.txt"):
        with pytest.raises(DocumentError, match="outside"):
            read(tmp_path / "in", f"prompts: ['{reference}']")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("prompts: [a.txt]", "is named here and is no file"),
        ("prompts: ['*.txt']", "matches no file"),
        ("prompts: {}", "holds no prompt"),
        ("prompts: 3", "`prompts` is no list"),
        ("prompts:\n- hi\n- {label: x}", ":3: a prompt is a text"),
        ('prompts: [\'[{"role": "user", "content": "x", "name": "y"}]\']', "has `name`"),
        ('prompts: [\'[{"role": "tool", "content": "x"}]\']', "`tool` is not a role"),
        ("prompts: ['{\"a\": 1}']", "no list of messages"),
        ('prompts: [\'[{"role": "user"}, {% if x %}]\']', "only once its template is filled in"),
        ("prompts: ['{{ x | dump }}']", "dump"),
        ("prompts: ['a {{ x }}', 'b {{ env.HOME }}']", "`env`"),
        ("prompts: [file://x.py]", "holds no prompt that can be taken over"),
        ("prompts: [langfuse://x]", "holds no prompt that can be taken over"),
        ("prompts: ['{% if %}']", "not a valid Jinja2 template"),
        ("prompts: [\n", "not valid YAML"),
    ],
)
def test_what_cannot_be_taken_over_is_refused(tmp_path: Path, config: str, told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, config)
    assert told in f"{caught.value} {caught.value.hint}"


def test_a_broken_file_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"chat\.json:2: not valid JSON"):
        read(tmp_path, "prompts: [chat.json]", chat__json='[\n{"role" "user"}]')
    with pytest.raises(DocumentError, match=r"c\.yaml:3: not valid YAML"):
        read(tmp_path, "prompts: [c.yaml]", c__yaml="- role: user\n  content: [\n")


def test_two_prompts_of_one_name_are_an_error_that_names_both(tmp_path: Path) -> None:
    config = "prompts: [{label: One!, raw: a}, {label: one, raw: b}]"
    with pytest.raises(UsageError, match=r"prompt 1 of .* and prompt 2 of .* be named `one`"):
        read(tmp_path, config)


def test_a_text_that_only_looks_like_a_path_is_a_text(tmp_path: Path) -> None:
    found = read(tmp_path, "prompts: ['Yes/No? Say *why*.', 'What is in a.txt']")
    assert contents(found) == [["Yes/No? Say *why*."], ["What is in a.txt"]]


def test_a_table_with_one_column_and_lines_of_json(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "prompts: [file://a.csv, b.jsonl]",
        a__csv="prompt\r\nSay {{ x }}\r\n\r\nTell {{ x }}\r\n",
        b__jsonl='[{"role": "user", "content": "{{ x }}"}]\n',
    )
    assert contents(found, x="v") == [["Say v"], ["Tell v"], ["v"]]
    assert [made.name for made in found.prompts] == ["a-1", "a-2", "b"]


@pytest.mark.parametrize(
    ("providers", "model", "told"),
    [
        (["openai:gpt-x"], "openai/gpt-x", None),
        (
            [{"anthropic:messages:claude-x": {"config": {"temperature": 1}}}],
            "anthropic/claude-x",
            None,
        ),
        ("litellm:groq/llama", "groq/llama", None),
        (["ollama:chat:llama3:8b"], "ollama_chat/llama3:8b", None),
        (["a", "b"], None, "the config tries 2 models"),
        (["https://me:pw@host/v1"], None, "at an address of its own"),
        (None, None, None),
        ([{}], None, "the provider"),
    ],
)
def test_a_provider_becomes_a_model(providers: object, model: str | None, told: str | None) -> None:
    provider = read_provider({"providers": providers})
    assert provider.model == model
    notes = " ".join(provider.notes)
    assert told is None or told in notes
    assert "pw" not in notes


def test_the_schema_of_a_provider_becomes_outputs(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    config = {"response_format": {"type": "json_schema", "json_schema": {"schema": schema}}}
    provider = read_provider({"providers": [{"id": "openai:x", "config": config}]})
    assert provider.outputs == ({"name": "a", "kind": "string"},)
