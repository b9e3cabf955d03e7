"""What a `.prompty` file may say, and how it is told that it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.core.chat import Sampling
from llmops.core.errors import DocumentError
from llmops.prompts import load_prompt

HEAD = "---\nmetadata: {version: 1.0.0}\n"


def load(folder: Path, text: str | bytes) -> None:
    path = folder / "p.prompty"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    load_prompt(path).check()


def test_everything_in_the_front_matter_reaches_the_prompt(tmp_path: Path) -> None:
    path = tmp_path / "answer.prompty"
    path.write_text(
        """---
# yaml-language-server: $schema=prompt.json
name: answer
displayName: Answers
description: Answers questions.
metadata:
  version: 1.2.0-rc.1
  authors: [ann]
  tags: [qa]
  deprecated: {since: 1.1.0, use: qa/better, after: 2027-01-31}
model:
  provider: openai
  id: gpt-x
  options:
    temperature: 0.5
    maxOutputTokens: 12
    topP: 0.9
    topK: 40
    seed: 3
    stopSequences: ["END"]
    frequencyPenalty: 0.1
    presencePenalty: -0.1
    additionalProperties: {min_p: 0.1}
inputs:
  question: {kind: string, description: What is asked.}
  depth: {kind: float, default: 1}
outputs:
  answer: {kind: string, nullable: true}
  sources:
    kind: array
    required: false
    items: {kind: object, properties: [{name: page, kind: integer, enumValues: [1, 2]}]}
template:
  format: {kind: jinja2, strict: true}
  parser: prompty
---
user:
{{ question }} {{ depth }}
"""
    )
    prompt = load_prompt(path)
    assert (prompt.name, prompt.display_name, prompt.version) == ("answer", "Answers", "1.2.0-rc.1")
    assert prompt.model == "openai/gpt-x"
    assert prompt.deprecated is not None
    assert str(prompt.deprecated.after) == "2027-01-31"
    assert prompt.sampling == Sampling(
        temperature=0.5,
        seed=3,
        max_tokens=12,
        top_p=0.9,
        top_k=40,
        stop=("END",),
        frequency_penalty=0.1,
        presence_penalty=-0.1,
        extra={"min_p": 0.1},
    )
    assert [(each.name, each.kind.value, each.required) for each in prompt.inputs] == [
        ("question", "string", True),
        ("depth", "number", False),
    ]
    assert prompt.output_schema == {
        "type": "object",
        "properties": {
            "answer": {"type": ["string", "null"]},
            "sources": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"page": {"type": "integer", "enum": [1, 2]}},
                    "required": ["page"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["answer"],
        "additionalProperties": False,
    }
    assert prompt.render(question="Why?")[0].content == "Why? 1"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    text = HEAD + "---\nsystem:\nBe short.\nReally.\n\nuser:\nHi\n"
    unix, windows = tmp_path / "a.prompty", tmp_path / "b.prompty"
    unix.write_text(text)
    windows.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_prompt(unix).render() == load_prompt(windows).render()
    assert load_prompt(unix).fingerprint == load_prompt(windows).fingerprint


BROKEN_FILES = {
    "no front matter": ("user:\nHi\n", 1, "does not start with front matter"),
    "front matter without end": ("---\nname: p\nuser:\nHi\n", 1, "has no end"),
    "empty front matter": ("---\n---\nuser:\nHi\n", 1, "is empty"),
    "broken YAML": ("---\nmetadata: {version: 1.0.0\n---\nuser:\nHi\n", 3, "not valid YAML"),
    "a list for front matter": ("---\n- a\n---\nuser:\nHi\n", 2, "expected a mapping"),
    "a key twice": (HEAD + "metadata: {}\n---\nuser:\nHi\n", 3, "`metadata` stands twice"),
    "a conflict marker": (HEAD + "---\nuser:\n<<<<<<< HEAD\nHi\n", 5, "merge conflict"),
    "a NUL byte": (HEAD + "---\nuser:\n\0\n", 5, "NUL"),
    "not UTF-8": (HEAD.encode() + b"---\nuser:\n\xff\n", 5, "not UTF-8: byte 0xff"),
}

BROKEN_HEADS = {
    "unknown key": ("input: []", 3, "unknown key `input`", "did you mean `inputs`?"),
    "unknown option": (
        "model:\n  options:\n    maxTokens: 3",
        5,
        "unknown key `model.options.maxTokens`",
        "`maxOutputTokens`",
    ),
    "unknown key of an input": (
        "inputs:\n  - name: q\n    kind: string\n    descripton: x",
        6,
        "unknown key `inputs.0.descripton`",
        "`description`",
    ),
    "unknown key of a named input": (
        "inputs:\n  q:\n    kind: string\n    enum: [x]",
        6,
        "unknown key `inputs.q.enum`",
        "`enumValues`",
    ),
    "a wrong name": ("name: other", 3, "is named `other` inside, and `p` by its path", "remove"),
    "an unknown kind": ("inputs:\n  - {name: q, kind: text}", 4, "`text` is not a kind", None),
    "no kind": ("inputs:\n  - {name: q}", 4, "`inputs.0.kind` is missing", None),
    "a scalar for an input": ("inputs: {q: string}", 3, "`q` needs a mapping", None),
    "named twice over": (
        "inputs:\n  q: {name: q, kind: string}",
        3,
        "`q` is named by its key",
        None,
    ),
    "a name that is none": ("inputs:\n  - {name: a-b, kind: string}", 4, "`inputs.0.name`", None),
    "a reserved name": ("inputs:\n  - {name: loop, kind: string}", 4, "cannot name an input", None),
    "two of one name": (
        "inputs:\n  - {name: q, kind: string}\n  - {name: q, kind: string}",
        5,
        "`q` is declared twice",
        None,
    ),
    "a default of another kind": (
        "inputs:\n  - name: n\n    kind: integer\n    default: true",
        6,
        "`default` of `n` must be an integer, not a boolean",
        None,
    ),
    "a date for a text": (
        "inputs:\n  - {name: n, kind: string, default: 2024-01-01}",
        4,
        "must be a string, not `date`",
        "quote what is text",
    ),
    "an example of another kind": (
        "inputs:\n  - {name: n, kind: array, items: {kind: string}, example: [1]}",
        4,
        "`example` of `n[0]` must be a string, not an integer",
        None,
    ),
    "an allowed value of another kind": (
        "inputs:\n  - {name: n, kind: string, enumValues: [no, maybe]}",
        4,
        "`n` must be a string, not a boolean",
        "YAML reads",
    ),
    "a default that is not allowed": (
        "inputs:\n  - {name: n, kind: string, enumValues: [a, b], default: c}",
        4,
        "a value that is not allowed",
        "allowed: `a`, `b`",
    ),
    "required with a default": (
        "inputs:\n  - name: n\n    kind: string\n    default: x\n    required: true",
        7,
        "is required and has a default",
        "remove",
    ),
    "items of no array": (
        "inputs:\n  - {name: n, kind: string, items: {kind: string}}",
        4,
        "`items` is for `kind: array`",
        None,
    ),
    "properties of no object": (
        "inputs:\n  - {name: n, kind: array, properties: {a: {kind: string}}}",
        4,
        "`properties` is for `kind: object`",
        None,
    ),
    "a default for an output": (
        "outputs:\n  - {name: n, kind: string, default: x}",
        4,
        "the output `n` has a default",
        None,
    ),
    "a text for a number": (
        'model: {options: {temperature: "0"}}',
        3,
        "`model.options.temperature`: Input should be a valid number",
        None,
    ),
    "a negative temperature": ("model: {options: {temperature: -1}}", 3, "greater than or", None),
    "an option in the wrong place": (
        "model:\n  options:\n    additionalProperties:\n      max_tokens: 3",
        6,
        "`max_tokens` has a key of its own",
        "`maxOutputTokens`",
    ),
    "messages as an option": (
        "model: {options: {additionalProperties: {messages: []}}}",
        3,
        "`messages` cannot be set by a prompt",
        None,
    ),
    "an option that JSON cannot spell": (
        "model: {options: {additionalProperties: {x: .nan}}}",
        3,
        "not a finite number",
        None,
    ),
    "another template language": (
        "template: {format: {kind: mustache}}",
        3,
        "`template.format.kind`: Input should be 'jinja2'",
        None,
    ),
    "a reference to the environment": (
        "model: {id: '${env:MODEL}'}",
        3,
        "`${env:MODEL}` is not filled in",
        "make it an input",
    ),
}

BROKEN_VERSIONS = {
    "1.0": "`1.0` is a number; write a full version",
    '"1.0"': "`1.0` is not a version; write major.minor.patch",
    "v1.0.0": "`v1.0.0` is not a version",
    "01.0.0": "`01.0.0` is not a version",
    "1.0.0+build": "is not a version",
    "null": "should be a valid string",
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_told_with_its_line(case: str, tmp_path: Path) -> None:
    text, line, message = BROKEN_FILES[case]
    with pytest.raises(DocumentError, match=message) as caught:
        load(tmp_path, text)
    assert caught.value.where is not None
    assert caught.value.where.line == line


@pytest.mark.parametrize("case", BROKEN_HEADS)
def test_broken_front_matter_is_told_with_its_line(case: str, tmp_path: Path) -> None:
    head, line, message, hint = BROKEN_HEADS[case]
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, f"{HEAD}{head}\n---\nuser:\nHi\n")
    assert message in caught.value.message
    assert caught.value.where is not None
    assert (caught.value.where.path.name, caught.value.where.line) == ("p.prompty", line)
    assert (hint or "") in (caught.value.hint or "")


@pytest.mark.parametrize("version", BROKEN_VERSIONS)
def test_a_version_has_three_numbers(version: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, f"---\nmetadata:\n  version: {version}\n---\nuser:\nHi\n")
    assert BROKEN_VERSIONS[version] in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.line == 3


def test_a_prompt_needs_a_version(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"`metadata.version` is missing"):
        load(tmp_path, "---\nmetadata: {tags: [x]}\n---\nuser:\nHi\n")


BROKEN_BODIES = {
    "no body": ("", 1, "has no role line", "`user:`"),
    "no role line": ("Hi\n", 1, "has no role line", "`user:`"),
    "text before the first role": ("{# a #}\n\nHi\nuser:\nHo\n", 3, "before the first role", None),
    "a value before the first role": ("\n{{ q }}\nuser:\nHo\n", 2, "before the first role", None),
    "an empty message": ("system:\n\n{# - #}\nuser:\nHi\n", 1, "`system` message is empty", None),
    "an empty last message": ("user:\nHi\nassistant:\n\n", 3, "`assistant` message is empty", None),
    "a capital": ("User:\nHi\n", 1, "`User:` is not a role line", '{{ "User:" }}'),
    "a heading": ("system:\nx\n# user:\nHi\n", 3, "`# user:` is not a role line", None),
    "attributes": ('user[name="a"]:\nHi\n', 1, "is not a role line", None),
    "a tool": ("user:\nHi\ntool:\nx\n", 3, "`tool:` is not a role line", None),
    "an undeclared variable": (
        "user:\nx\n{{ questoin }}\n",
        3,
        "`questoin` is used but not declared",
        "did you mean `question`?",
    ),
    "an undeclared variable in a condition": ("user:\n{% if x %}a{% endif %}\n", 2, "`x`", None),
    "an unclosed expression": ("user:\n{{ question\n", 2, "not a valid template", None),
    "an unclosed block": ("user:\n{% if question %}\na\n", 2, "not a valid template", None),
    "an unclosed comment": ("user:\nx\n{# a\n", 3, "not a valid template", None),
    "an unknown filter": ("user:\n\n{{ question | shout }}\n", 3, "No filter named 'shout'", None),
    "an unknown tag": ("user:\n{% frob %}\n", 2, "unknown tag 'frob'", None),
    "include": ("user:\n{% include x %}\n", 2, "takes the name of one partial", "shared/tone"),
    "import": ("user:\n{% import 'x' as y %}\n", 2, "`{% import %}` is not available", None),
    "from": ("user:\n{% from 'x' import y %}\n", 2, "`{% import %}` is not available", None),
    "extends": ("{% extends 'x' %}\nuser:\na\n", 1, "`{% extends %}` is not available", None),
    "block": ("user:\n{% block x %}a{% endblock %}\n", 2, "`{% block %}` is not available", None),
    "autoescape": (
        "user:\n{% autoescape true %}{{ question }}{% endautoescape %}\n",
        2,
        "`{% autoescape %}` is not available",
        "| escape",
    ),
    "a private attribute": ("user:\n{{ question.__class__ }}\n", 2, "`.__class__` is out of", None),
    "a reserved variable": ("user:\n{{ __user__ }}\n", 2, "`__user__` is a reserved name", None),
    "a role line in a macro": (
        "{% macro m() %}\nuser:\nx\n{% endmacro %}\nsystem:\n{{ m() }}\n",
        1,
        "a role line inside `{% macro %}`",
        None,
    ),
    "a role line in a set block": (
        "user:\na\n{% set x %}\nsystem:\nb\n{% endset %}\n",
        3,
        "a role line inside `{% set %}`",
        None,
    ),
    "a role line in a filter block": (
        "user:\na\n{% filter upper %}\nsystem:\nb\n{% endfilter %}\n",
        3,
        "a role line inside `{% filter %}`",
        None,
    ),
    "a role line in a recursive loop": (
        "{% for a in [] recursive %}\nuser:\nb\n{% endfor %}\n",
        1,
        "a role line inside `{% for … recursive %}`",
        None,
    ),
    "too many loops": (
        "user:\n" + "{% for a in [] %}" * 30 + "{% endfor %}" * 30,
        1,
        "nested too deeply",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN_BODIES)
def test_a_broken_body_is_told_with_its_line_in_the_file(case: str, tmp_path: Path) -> None:
    body, line, message, hint = BROKEN_BODIES[case]
    head = f"{HEAD}inputs:\n  - {{name: question, kind: string}}\n---\n"
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, head + body)
    assert message in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.line == line + head.count("\n")
    assert (hint or "") in (caught.value.hint or "")
