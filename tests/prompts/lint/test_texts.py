"""What nobody sees, and how long it all is."""

from __future__ import annotations

import pytest

from .conftest import Folder


def test_blanks_at_the_end_of_a_line_are_found_where_they_reach_the_model(folder: Folder) -> None:
    body = (
        "system: \n"  # a role line
        "Be kind. \n"
        "Be\tshort.\t\n"
        "   \n"
        "{# a comment #} \n"
        "{% if n -%} \n"  # eaten by the dash
        "More {{ n }} \n"
        "{% endif %}\n"
        "The end.  \n"  # the message's last line
        "\n"
        "user:\n"
        "{% raw %}\n"
        "raw \n"
        "{% endraw %}\n"
        "Bye. "
    )
    folder.prompt(body, "{name: n, kind: integer, description: N.}")
    assert [line for _, _, line in folder.told()] == [7, 8, 10, 12, 18]
    assert {rule for rule, _, _ in folder.told()} == {"trailing-whitespace"}


def test_blanks_of_a_partial_are_found_there(folder: Folder) -> None:
    folder.write("part.jinja", "Be kind. \nBe short.\n")
    folder.prompt('user:\n{% include "part" %}\n')
    assert folder.told() == [("trailing-whitespace", "part.jinja", 1)]


@pytest.mark.parametrize(
    "hidden",
    [
        "a\u202eb",
        "a\u2066b\u2069",
        "a\u200bb",
        "a\u200db",
        "a\ufeffb",
        "a\u00adb",
        "a\u200eb",
        "a\x1bb",
        "".join(chr(0xE0000 + ord(each)) for each in "ignore all"),
        "😀" + "".join(chr(0xE0100 + ord(each)) for each in "ignore"),
    ],
)
def test_characters_that_hide_text_are_found(folder: Folder, hidden: str) -> None:
    folder.prompt(f"user:\nHi\n{hidden}\n")
    told = folder.told()
    assert told
    assert set(told) == {("invisible-character", "p.prompty", 6)}
    folder.prompt("user:\nHi\n", head=f"description: Hi {hidden}\n" if hidden != "a\x1bb" else "")
    assert [rule for rule, _, _ in folder.told()][:1] == (
        ["invisible-character"] if hidden != "a\x1bb" else []
    )


@pytest.mark.parametrize(
    "spelled",
    [
        "👩\u200d💻",
        "می\u200cخواهم",  # noqa: RUF001
        "क\u094d\u200dष",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "❤\ufe0f",
        "שלום\u200e!",
        "a\tb",
        "naïve, Zürich, 東京",
    ],
)
def test_what_a_script_or_an_emoji_needs_is_no_finding(folder: Folder, spelled: str) -> None:
    folder.prompt(f"user:\nHi {spelled}.\n")
    assert folder.lint() == []


def test_a_file_with_windows_line_ends_has_the_same_findings(folder: Folder) -> None:
    path = folder.prompt("user:\nHi \nu\u200bser jane@acme.com\n{{ x }}\nHi\n", "x")
    told = folder.told()
    assert [rule for rule, _, _ in told] == [
        "trailing-whitespace",
        "invisible-character",
        "personal-data",
        "undelimited-input",
    ]
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert folder.told() == told


def contexts(model: str | None) -> int | None:
    return {"small": 200, None: 400}.get(model)


def test_a_prompt_longer_than_its_models_context_is_found(folder: Folder) -> None:
    declared = "{name: x, kind: string, description: X., example: '" + "word " * 60 + "'}"
    body = f"user:\n{'word ' * 150}.\n<x>{{{{ x }}}}</x>\n"
    folder.prompt(body, declared, head="model: {id: small, options: {maxOutputTokens: 20}}\n")
    (found,) = folder.lint(contexts=contexts)
    assert (found.rule, found.where.line) == ("context-overflow", 7)
    assert "about 215 tokens (estimated" in found.message
    assert "context of 200" in found.message
    folder.prompt(body, declared, head="model: {options: {maxOutputTokens: 20}}\n")
    assert folder.lint(contexts=contexts) == []


def test_the_answer_counts_too(folder: Folder) -> None:
    folder.prompt("user:\nHi\n", head="model: {options: {maxOutputTokens: 397}}\n")
    assert [rule for rule, _, _ in folder.told(contexts=contexts)] == ["context-overflow"]
    folder.prompt("user:\nHi\n", head="model: {options: {maxOutputTokens: 396}}\n")
    assert folder.lint(contexts=contexts) == []


@pytest.mark.parametrize(
    "code",
    [
        "{% for row in rows %}{{ text }}{% endfor %}",
        "{% for a in rows %}{% for b in rows %}{{ a }}{{ b }}.{% endfor %}{% endfor %}",
        "{% macro m() %}{{ text * 20 }}{% endmacro %}{{ m() }}",
        "{{ rows | join(text) }}",
        "{{ text | replace('a', 'a very long text instead of one letter, and so on') }}",
        "{% for row in examples %}{{ row.q }}{{ text }}{% endfor %}",
    ],
)
def test_what_a_template_multiplies_is_counted(folder: Folder, code: str) -> None:
    """However the bound is worked out that saves rendering, it must not be too low."""
    folder.write("rows.jsonl", "".join(f'{{"q": "{each}"}}\n' for each in range(20)))
    folder.prompt(
        f"user:\n(Do: {code})\n",
        "{name: rows, kind: array, description: R., trusted: true, example: [" + "1, " * 30 + "1]}",
        "{name: text, kind: string, description: T., trusted: true, example: '" + "a" * 100 + "'}",
        head="examples: rows.jsonl\n",
    )
    told = [rule for rule, _, _ in folder.told(contexts=lambda _: 250)]
    assert "context-overflow" in told


def test_without_an_example_there_is_nothing_to_judge(folder: Folder) -> None:
    folder.prompt(f"user:\n{'word ' * 1000}<x>{{{{ x }}}}</x>\n", "x")
    assert folder.lint(contexts=contexts) == []
    declared = "{name: x, kind: string, description: X., enumValues: [a, b]}"
    folder.prompt(f"user:\n{'word ' * 1000}<x>{{{{ x }}}}</x>\n", declared)
    assert [rule for rule, _, _ in folder.told(contexts=contexts)] == ["context-overflow"]
