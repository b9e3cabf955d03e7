"""What a prompt declares and what it uses."""

from __future__ import annotations

import pytest

from llmops.prompts.lint import LintConfig

from .conftest import Folder


def test_a_prompt_without_fault_has_no_finding(folder: Folder) -> None:
    folder.prompt("system:\nAnswer.\n\nuser:\n{{ question }}\n", "question")
    assert folder.lint() == []


def test_every_use_of_an_undeclared_variable_is_found_at_its_line(folder: Folder) -> None:
    folder.prompt(
        "user:\n{{ name }}\n{{ titel }}\n{% if titel %}{{ other }}{% endif %}\n", "title", "name"
    )
    undeclared = [one for one in folder.lint() if one.rule == "undeclared-variable"]
    assert [(one.where.line, one.message.split("`")[1]) for one in undeclared] == [
        (9, "titel"),
        (10, "other"),
        (10, "titel"),
    ]
    assert undeclared[0].hint == "did you mean `title`?"
    assert undeclared[0].level == "error"


@pytest.mark.parametrize(
    "body",
    [
        "{% for each in items %}{{ each }}{{ loop.index }}{% endfor %}",
        "{% set each = items | first %}<i>{{ each }}</i>",
        "{% with each = items %}<i>{{ each }}</i>{% endwith %}",
        "{% macro m(each, n=1) %}{{ each }}{{ n }}{{ varargs }}{% endmacro %}{{ m(items) }}",
        "{% set each %}{{ items }}{% endset %}<i>{{ each }}</i>",
        "{% if items %}{% set n = 1 %}{% else %}{% set n = 2 %}{% endif %}{{ n }}{{ items }}",
        "{% for key, each in items | items %}{{ key }}{{ each }}{% else %}{{ items }}{% endfor %}",
        "{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{{ items }}",
    ],
)
def test_what_the_template_sets_itself_is_declared(folder: Folder, body: str) -> None:
    folder.prompt(f"user:\n{body}\n", "{name: items, kind: array, description: Some.}")
    assert not [one for one in folder.told() if one[0] in ("undeclared-variable", "broken")]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("{% for each in items %}{{ each }}{% endfor %}\n{{ each }}", [8]),
        ("{{ each }}\n{% set each = 1 %}{{ items }}", [7]),
        ("{% macro show(each) %}{{ each }}{% endmacro %}\n{{ show(items) }}{{ each }}", [8]),
    ],
)
def test_a_name_is_declared_only_where_it_was_set(
    folder: Folder, body: str, lines: list[int]
) -> None:
    folder.prompt(f"user:\n{body}\n", "{name: items, kind: array, description: Some.}")
    undeclared = [line for rule, _, line in folder.told() if rule == "undeclared-variable"]
    assert undeclared == lines


def test_an_undeclared_variable_of_a_partial_is_found_there_once(folder: Folder) -> None:
    partial = folder.write("shared/tone.jinja", "Be kind.\nSay {{ greeting }}.\n")
    for name in ("one", "two"):
        folder.prompt('system:\n{% include "shared/tone" %}\n', name=name, head="description: x\n")
    found = [one for one in folder.lint() if one.rule == "undeclared-variable"]
    assert [(one.where.path, one.where.line) for one in found] == [(partial, 2), (partial, 2)]
    assert [one.message.rpartition(" of ")[2] for one in found] == ["`one`", "`two`"]


def test_a_loop_hands_its_variable_to_a_partial(folder: Folder) -> None:
    folder.write("row.jinja", "<row>{{ row }}</row>\n")
    body = 'user:\n{% for row in rows %}{% include "row" %}{% endfor %}\n'
    folder.prompt(body, "{name: rows, kind: array, description: Some.}")
    assert folder.lint() == []


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("{% if x %}{% set y = x %}{{ y }}{% endif %}", []),
        ("{% if x %}{% set y = x %}{% endif %}", []),
        ("{% if x %}{% set y = x %}{% endif %}\n{{ y }}", [8]),
        ("{% if x %}{% set y = x %}{% else %}{% set y = 1 %}{% endif %}\n{{ y }}", []),
        ("{% if x %}{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}{% endif %}", []),
        ("{% if x %}{% set y = x %}{% elif 1 %}{% set y = 2 %}{% endif %}\n{{ y }}", [8]),
    ],
)
def test_a_branch_sets_its_names_for_itself(folder: Folder, body: str, lines: list[int]) -> None:
    folder.prompt(f"user:\n{body}\n", "{name: x, kind: integer, description: N.}")
    told = [(rule, line) for rule, _, line in folder.told() if "undeclared" in rule]
    assert told == [("undeclared-variable", line) for line in lines]


def test_a_partial_knows_what_is_set_where_it_is_included(folder: Folder) -> None:
    folder.write("row.jinja", "({{ row }})\n")
    folder.write("rows.jinja", '{% for row in rows %}{% include "row" %}{% endfor %}\n')
    rows = "{name: rows, kind: array, description: R.}"
    folder.prompt('user:\n{% include "rows" %}\n', rows)
    assert folder.lint() == []
    folder.prompt('user:\n{% include "rows" %}{% include "row" %}\n', rows)
    assert folder.told() == [("undeclared-variable", "row.jinja", 1)]
    folder.write("row.jinja", "({{ row }}{{ loop.index }})\n")
    folder.prompt('user:\n{% include "rows" %}\n', rows)
    (found,) = folder.lint()
    assert found.hint == "hand it on by a name of its own: `{% set here = loop %}`"


def test_an_unused_input_is_found_at_its_declaration(folder: Folder) -> None:
    folder.prompt("user:\n{{ a }}\n", "a", "b")
    assert folder.told() == [("unused-input", "p.prompty", 5)]


@pytest.mark.parametrize(
    "body",
    [
        "{% if b %}more{% endif %}",
        "{% macro more() %}<b>{{ b }}</b>{% endmacro %}{{ more() }}",
        '{% include "part" %}',
    ],
)
def test_an_input_is_used_by_a_condition_a_macro_or_a_partial(folder: Folder, body: str) -> None:
    folder.write("part.jinja", "{% set c = b %}")
    folder.prompt(f"user:\nText {body}\n", "b")
    assert not [one for one in folder.told() if one[0] == "unused-input"]


def test_an_input_says_what_it_is(folder: Folder) -> None:
    folder.prompt("user:\n{{ a }}\n", "{name: a, kind: string}")
    folder.write(
        "q.prompty", "---\nmetadata: {version: 1.0.0}\ninputs:\n  - name: a\n---\nuser:\n{{ a }}"
    )
    folder.write(
        "r.prompty", "---\nmetadata: {version: 1.0.0}\ninputs:\n  a: {}\n---\nuser:\n{{ a }}"
    )
    assert folder.told() == [
        ("input-without-description", "p.prompty", 4),
        ("input-without-kind", "q.prompty", 4),
        ("input-without-kind", "r.prompty", 4),
    ]


def test_outputs_are_named_in_a_message_not_in_code_or_a_comment(folder: Folder) -> None:
    head = "outputs: {team: {kind: string}, open_tickets: {kind: integer}, why: {kind: string}}\n"
    folder.prompt("user:\nWhich team?{# open_tickets #} {{ why }}\n", "why", head=head)
    found = [one for one in folder.lint() if one.rule == "outputs-not-mentioned"]
    assert [one.where.line for one in found] == [3]
    assert "`open_tickets`, `why`" in found[0].message
    folder.prompt("user:\nAnswer with Team, open tickets and {{ 'why' }}.\n", head=head)
    assert folder.lint() == []


def test_outputs_may_be_named_by_a_partial_or_by_the_examples(folder: Folder) -> None:
    folder.write("p/form.jinja", "Answer with `team`.\n")
    folder.write("p/rows.jsonl", '{"q": "Hi", "a": "{\\"why\\": \\"a greeting\\"}"}\n')
    folder.prompt(
        'user:\n{% include "p/form" %}\n{% for row in examples %}{{ row.a }}\n{% endfor %}',
        head="outputs: {team: {kind: string}, why: {kind: string}}\nexamples: p/rows.jsonl\n",
    )
    assert folder.lint() == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no front matter", 1),
        ("---\nmetadata: {version: 1.0.0}\n---\nuser:\n{{ a\n", 5),
        ("---\nmetadata: {version: 1.0.0}\nversion: 1\n---\nuser:\nHi", 3),
        ("---\nmetadata: {version: 1.0.0}\n---\nuser:\nHi\n<<<<<<< HEAD\n", 6),
        ("---\nmetadata: {version: 1.0.0}\n---\nuser:\nHi\n{{ 'a' | shout }}\n", 6),
        ('---\nmetadata: {version: 1.0.0}\n---\nuser:\nHi\n{% include "nowhere" %}\n', 6),
        ("---\nmetadata: {version: 1.0.0}\n---\nuser:\n{% macro m(a, a) %}x{% endmacro %}Hi", 4),
    ],
)
def test_a_broken_file_is_found_at_its_line_and_stops_no_other(
    folder: Folder, text: str, line: int
) -> None:
    folder.write("a.prompty", text)
    folder.prompt("user:\n{{ b }}\n", name="b")
    assert folder.told() == [("broken", "a.prompty", line), ("undeclared-variable", "b.prompty", 5)]


def test_two_files_of_one_name_are_a_finding(folder: Folder) -> None:
    folder.prompt("user:\nHi\n", name="a")
    folder.prompt("user:\nHi\n", name="A")
    assert [rule for rule, _, _ in folder.told()] == ["broken"]


def test_a_rule_can_be_off_or_of_another_level(folder: Folder) -> None:
    folder.prompt("user:\n{{ a }}\n", "{name: a, kind: string}", "b")
    config = LintConfig(rules={"unused-input": "off", "input-without-description": "note"})
    assert [(one.rule, one.level) for one in folder.lint(config=config)] == [
        ("input-without-description", "note")
    ]
