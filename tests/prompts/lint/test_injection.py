"""Where the values of inputs go."""

from __future__ import annotations

import pytest

from llmops.prompts.lint.delimiters import VALUE, is_delimited

from .conftest import Folder

RISKY = "{name: x, kind: string, description: Theirs.}"


def in_system(folder: Folder, body: str, *inputs: str) -> list[int | None]:
    folder.prompt(body, *inputs)
    told = folder.told()
    assert not [one for one in told if one[0] in ("broken", "undeclared-variable")], told
    return [line for rule, _, line in told if rule == "untrusted-in-system"]


@pytest.mark.parametrize(
    "code",
    [
        "{{ x }}",
        "{{ x | upper | trim }}",
        "{{ 'a' ~ x }}",
        "{{ x if x else 'nothing' }}",
        "{{ ['a', x] | join }}",
        "{{ x.split() | first }}",
        "{% set y = x %}{{ y }}",
        "{% set y %}So {{ x }}{% endset %}{{ y }}",
        "{% for c in x %}{{ c }}{% endfor %}",
        "{% with y = x %}{{ y }}{% endwith %}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x) }}",
        "{% macro m() %}{{ x }}{% endmacro %}{{ m() | upper }}",
        "{% macro m(a, b=x) %}{{ b }}{% endmacro %}{{ m(1) }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(a=x) }}",
        "{% macro m() %}{{ varargs | join }}{% endmacro %}{{ m(x) }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ x }}{% endcall %}",
        "{% filter upper %}{{ x }}{% endfilter %}",
        "{% set ns = namespace(y='') %}{% set ns.y = x %}{{ ns.y }}",
        "{% if x %}{% set y = x %}{% else %}{% set y = '' %}{% endif %}{{ y }}",
        "{{ {'a': x}.a }}",
        "{% set n = namespace(y='') %}{% for c in 'ab' %}{{ n.y }}{% set n.y = x %}{% endfor %}",
        "{% set n = namespace(y='') %}{% for c in x %}{% set n.y = c %}{% endfor %}{{ n.y }}",
    ],
)
@pytest.mark.parametrize("role", ["system", "developer"])
def test_text_of_a_stranger_is_followed_into_the_instructions(
    folder: Folder, code: str, role: str
) -> None:
    assert in_system(folder, f"{role}:\nBe kind.\n{code}\n", RISKY) == [8]


@pytest.mark.parametrize(
    "code",
    [
        "{{ x | length }}",
        "{% if x %}Long.{% endif %}",
        "{{ 'yes' if x == 'a' else 'no' }}",
        "{{ x is defined }}",
        "{% for c in x %}{{ loop.index }}{% endfor %}",
        "{% set x = 'ours' %}{{ x }}",
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m('ours') }}",
    ],
)
def test_what_carries_no_text_of_a_stranger_is_no_finding(folder: Folder, code: str) -> None:
    assert in_system(folder, f"system:\nBe kind.\n{code}\n", RISKY) == []


@pytest.mark.parametrize(
    "declared",
    [
        "{name: x, kind: integer, description: Some.}",
        "{name: x, kind: boolean, description: Some.}",
        "{name: x, kind: string, enumValues: [a, b], description: Some.}",
        "{name: x, kind: string, trusted: true, description: Ours.}",
        "{name: x, kind: array, items: {kind: number}, description: Some.}",
        "{name: x, kind: object, properties: {n: {kind: integer}}, description: Some.}",
    ],
)
def test_an_input_that_cannot_carry_instructions_may_go_anywhere(
    folder: Folder, declared: str
) -> None:
    assert in_system(folder, "system:\nBe kind.\n{{ x }}\n", declared) == []


def test_the_properties_of_an_object_are_told_apart(folder: Folder) -> None:
    declared = (
        "{name: x, kind: array, description: Some., items: {kind: object, properties: "
        "{plan: {kind: string, enumValues: [a]}, note: {kind: string}}}}"
    )
    body = (
        "system:\nBe kind.\n{% for one in x %}\n{{ one.plan }}\n{{ one['note'] }}\n{% endfor %}\n"
    )
    assert in_system(folder, body, declared) == [10]


def test_a_partial_prints_with_the_role_that_it_stands_in(folder: Folder) -> None:
    folder.write("part.jinja", "More:\n{{ x }}\n")
    folder.prompt('system:\nBe kind.\n{% include "part" %}\n', RISKY)
    assert folder.told() == [("untrusted-in-system", "part.jinja", 2)]
    folder.prompt('system:\nBe kind.\n\nuser:\n<x>{% include "part" %}</x>\n', RISKY)
    assert folder.lint() == []


def test_a_role_line_of_a_partial_begins_a_message(folder: Folder) -> None:
    folder.write("part.jinja", "Be kind.\n\nuser:\n")
    folder.prompt('system:\n{% include "part" %}\n{{ x }}\n', RISKY)
    assert folder.lint() == []


def test_either_way_of_a_branch_counts(folder: Folder) -> None:
    body = (
        "user:\nHi\n{% if n %}\nsystem:\nBe kind.\n{% else %}\nassistant:\nHello\n{% endif %}\n"
        "{{ x }}\n"
    )
    assert in_system(folder, body, RISKY, "{name: n, kind: integer, description: N.}") == [16]


def test_a_loop_begins_where_its_last_round_ended(folder: Folder) -> None:
    body = "user:\nHi\n{% for c in x %}\n{{ c }}\nsystem:\nBe kind.\n{% endfor %}\n"
    assert in_system(folder, body, RISKY) == [9]


@pytest.mark.parametrize(
    "message",
    [
        "{{ x }}",
        "\n\n{{ x }}\n\n",
        "{% if n %}{{ x }}{% else %}{{ x | upper }}{% endif %}",
        "Translate:\n<text>\n{{ x }}\n</text>",
        'Translate:\n<text lang="{{ n }}">{{ x }}</text>',
        "<all>\n{% for c in x %}\n{{ loop.index }}: {{ c }}\n{% endfor %}\n</all>",
        "Translate:\n```\n{{ x }}\n```",
        "Translate:\n```text\n{{ x }}\n```\nNow.",
        'Translate: """{{ x }}"""',
        "Translate:\n---\n{{ x }}\n---",
        "Translate:\n=====\n{{ x }}\n=====\n",
        "### Text\n{{ x }}\n### Answer",
        'Translate "{{ x }}".',
        "Translate ({{ x }}).",
        "Übersetze „{{ x }}“.",
        "[DATA]\n{{ x }}\n[/DATA]",
        "BEGIN TEXT\n{{ x }}\nEND TEXT",
        "Translate: {{ x | tojson }}",
    ],
)
def test_an_input_with_a_mark_at_both_ends_is_delimited(folder: Folder, message: str) -> None:
    folder.prompt(f"user:\n{message}\n", RISKY, "{name: n, kind: integer, description: N.}")
    told = [one for one in folder.told() if one[0] != "unused-input"]
    assert told == []


@pytest.mark.parametrize(
    "message",
    [
        "Translate: {{ x }}",
        "{{ x }}\nTranslate this.",
        "<text>Translate</text> {{ x }}",
        "<text>\n{{ x }}",
        "Translate:\n---\n{{ x }}",
        "```\ncode\n```\n{{ x }}\n```\ncode\n```",
        "{{ x }}{{ n }}",
        "{{ x }}\n\n{{ y }}",
        '"Translate" {{ x }} "now"',
    ],
)
def test_an_input_without_a_mark_at_either_end_is_found(folder: Folder, message: str) -> None:
    more = "{name: n, kind: integer, description: N.}"
    folder.prompt(f"user:\n{message}\n", RISKY, more, "y")
    assert "undelimited-input" in [rule for rule, _, _ in folder.told()]


def test_only_a_user_message_asks_for_delimiters(folder: Folder) -> None:
    folder.prompt("user:\nHi\n\nassistant:\nYou said {{ x }} now\n\nuser:\nAnd?\n", RISKY)
    assert folder.lint() == []


def test_the_turns_of_a_conversation_are_whole_messages(folder: Folder) -> None:
    body = (
        "system:\nBe kind.\n{% for turn in turns %}\nuser:\n{{ turn.q }}\n"
        "assistant:\n{{ turn.a }}\n{% endfor %}\nuser:\n{{ x }}\n"
    )
    folder.prompt(body, RISKY, "{name: turns, kind: array, description: Before.}")
    assert folder.lint() == []


def test_a_value_is_judged_by_its_place_and_not_by_its_neighbours() -> None:
    text = f"<a>{VALUE}</a> and {VALUE}"
    first = text.index(VALUE)
    assert is_delimited(text, first)
    assert not is_delimited(text, text.index(VALUE, first + 1))
