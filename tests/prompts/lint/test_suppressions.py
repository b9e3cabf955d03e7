"""Findings that are accepted, with a reason."""

from __future__ import annotations

import pytest

from llmops.prompts import load_prompt
from llmops.prompts.lint import LintConfig, lint_prompt

from .conftest import Folder


def test_a_suppression_holds_for_its_rule_in_the_whole_file(folder: Folder) -> None:
    folder.prompt(
        "user:\nAsk {{ x }} and {{ y }} now\n"
        "{#- lint: ignore undelimited-input: both come\n   from a list of ours. -#}\n",
        "x",
        "y",
        "z",
    )
    assert folder.told() == [("unused-input", "p.prompty", 6)]


def test_one_comment_may_name_several_rules(folder: Folder) -> None:
    folder.prompt("{# lint: ignore unused-input, secret: why. #}\nuser:\nHi\n", "x")
    assert folder.told() == [("unused-suppression", "p.prompty", 6)]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("lint: ignore unused-input", "the suppression of `unused-input` gives no reason"),
        ("lint: ignore unused-input:  ", "the suppression of `unused-input` gives no reason"),
        ("lint: ignore unused-inputs: why", "no rule is named `unused-inputs`"),
        ("lint: ignore: why", "not a suppression"),
        ("lint: disable unused-input: why", "not a suppression"),
        ("lint ignore unused-input", "not a suppression"),
    ],
)
def test_a_suppression_that_is_none_is_told(folder: Folder, comment: str, message: str) -> None:
    folder.prompt(f"user:\nHi\n{{# {comment} #}}\n", "x")
    found = {one.rule: one for one in folder.lint()}
    assert set(found) == {"unused-input", "bad-suppression"}
    assert found["bad-suppression"].message == message
    assert found["bad-suppression"].level == "error"
    assert found["bad-suppression"].where.line == 8


def test_other_comments_are_left_alone(folder: Folder) -> None:
    folder.prompt("user:\nHi\n{# linter: ignore me #}{# no lint here #}\n")
    assert folder.lint() == []


def test_a_suppression_that_is_not_needed_is_told(folder: Folder) -> None:
    folder.prompt("user:\nHi\n{# lint: ignore secret: why #}\n")
    assert folder.told() == [("unused-suppression", "p.prompty", 6)]
    assert folder.lint(config=LintConfig(rules={"secret": "off"})) == []


def test_a_suppression_in_a_partial_holds_for_the_partial_alone(folder: Folder) -> None:
    folder.write("part.jinja", "Say {{ x }} now{# lint: ignore undelimited-input: why #}\n")
    folder.prompt('user:\n{% include "part" %}\n', "x", name="a")
    folder.prompt('user:\n{% include "part" %}\nSay {{ x }}\n', "x", name="b")
    assert folder.told() == [("undelimited-input", "b.prompty", 8)]


def test_a_partial_s_suppression_is_needed_if_any_prompt_needs_it(folder: Folder) -> None:
    folder.write("part.jinja", "Say {{ x }} now{# lint: ignore undelimited-input: why #}\n")
    folder.prompt('user:\n<a>{% include "part" %}</a>\n', "x", name="a")
    assert folder.told() == [("unused-suppression", "part.jinja", 1)]
    folder.prompt('user:\n{% include "part" %}\n', "x", name="b")
    assert folder.lint() == []


def test_a_prompt_s_suppression_holds_for_its_parts_as_it_uses_them(folder: Folder) -> None:
    folder.write("part.jinja", "Say {{ x }} now\n")
    body = 'user:\n{% include "part" %}\n'
    folder.prompt("{# lint: ignore undelimited-input: why #}\n" + body, "x", name="a")
    assert folder.lint() == []
    folder.prompt(body, "x", name="b")
    assert [(one.rule, one.prompt) for one in folder.lint()] == [("undelimited-input", "b")]


def test_a_prompt_that_cannot_be_read_has_no_suppression_in_vain(folder: Folder) -> None:
    folder.prompt("user:\nHi {{\n{# lint: ignore secret: why #}\n")
    assert [rule for rule, _, _ in folder.told()] == ["broken"]


def test_one_prompt_is_linted_as_in_its_folder(folder: Folder) -> None:
    path = folder.prompt("user:\nSay {{ x }} {# lint: ignore secret: why #}\n", "x", "y")
    assert lint_prompt(load_prompt(path, name="p")) == folder.lint()
