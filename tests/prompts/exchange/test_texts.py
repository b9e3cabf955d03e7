"""Every byte of a source's text arrives: rendered here, it is what its own engine makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.languages.braces import read_braces
from llmops.prompts.exchange.languages.fstring import read_fstring
from llmops.prompts.exchange.languages.jinja import read_jinja
from llmops.prompts.exchange.languages.mustache import read_mustache
from llmops.prompts.exchange.languages.nunjucks import is_left_alone, read_nunjucks
from llmops.prompts.exchange.naming import name_inputs
from llmops.prompts.exchange.turns import renamed, variables
from llmops.prompts.exchange.values import Draft, Piece, Turn
from llmops.prompts.exchange.writer import write_prompt
from llmops.prompts.prompt import parse_prompt

HERE = Where(Path("source.yaml"), 1)

# What a body, YAML, Jinja2 or the reader of role lines could take for something else.
SNAGS = [
    *("{", "}", "{{", "}}", "{%", "%}", "{#", "#}", "{% raw %}", "{% endraw %}", "{{-", "-%}"),
    *("user:", "system:", "# User:", "tool:", "assistant [x]:", "developer :", "__user__"),
    *("\n", "\r", "\r\n", "\n\n", " ", "\t", "\x0b", "\x85", "\u2028", "\0"),
    *("---", "<<<<<<< ", ">>>>>>> x", '"', "'", "\\", "\\n", "${env:X}", "a", "é", "漢", "🙂"),
]
texts = st.lists(st.sampled_from(SNAGS) | st.text(max_size=5), max_size=8).map("".join)
values = texts


def rendered(pieces: list[Piece], **given: str) -> str:
    """What a model gets of a message in the middle of others."""
    turns = (Turn("system", ("S",)), Turn("user", tuple(pieces)), Turn("assistant", ("A",)))
    named = name_inputs(variables(turns))
    draft = Draft(
        names=("p",),
        origin="a test",
        where=HERE,
        turns=tuple(renamed(turns, named)),
        inputs=tuple({"name": name, "kind": "string"} for name in named.values()),
    )
    prompt = parse_prompt(write_prompt(draft, "p").text, Path("p.prompty"), name="p")
    before, message, after = prompt.render(**{name: given[old] for old, name in named.items()})
    assert (before.content, after.content) == ("S", "A")
    return message.content


@given(text=texts)
def test_a_text_arrives_as_it_is(text: str) -> None:
    assert rendered([text]) == text


@given(parts=st.lists(texts, min_size=2, max_size=4), value=values)
def test_texts_between_values_arrive_as_they_are(parts: list[str], value: str) -> None:
    template = "{x}".join(part.replace("{", "{{").replace("}", "}}") for part in parts)
    assert rendered(read_fstring(template), x=value) == value.join(parts)


@given(template=texts, value=values)
def test_an_fstring_gives_what_str_format_gives(template: str, value: str) -> None:
    template = template.replace("a", "{x}")
    try:
        pieces = read_fstring(template, HERE)
    except DocumentError:
        return
    assert rendered(pieces, **dict.fromkeys(variables([Turn("user", tuple(pieces))]), value)) == (
        template.format_map(_Always(value))
    )


@given(template=texts, value=values)
def test_githubs_braces_give_what_replacing_them_gives(template: str, value: str) -> None:
    template = template.replace("a", "{{x}}")
    pieces = read_braces(template)
    if variables([Turn("user", tuple(pieces))]) in (["x"], []):
        assert rendered(pieces, x=value) == template.replace("{{x}}", value)


@given(parts=st.lists(texts.filter(lambda text: "{" not in text), max_size=4), value=values)
def test_mustache_puts_values_between_texts(parts: list[str], value: str) -> None:
    for place in ("{{x}}", "{{ x }}", "{{{x}}}", "{{& x }}"):
        assert rendered(read_mustache(place.join(parts)), x=value) == value.join(parts)


@given(template=texts, value=values)
def test_a_jinja_template_gives_what_jinja_gives(template: str, value: str) -> None:
    template = (
        template.replace("a", "{{ x }}").replace("é", "{% if x %}").replace("漢", "{%- endif -%}")
    )
    try:
        expected = SandboxedEnvironment(keep_trailing_newline=True).from_string(template)
    except TemplateSyntaxError:
        with pytest.raises(DocumentError):
            read_jinja(template, HERE)
        return
    read = read_jinja(template, HERE)
    if read.kinds.keys() <= {"x"}:
        assert rendered(list(read.pieces), x=value) == expected.render(x=value)


@given(text=texts)
def test_nunjucks_keeps_carriage_returns(text: str) -> None:
    text = text.replace("{", "(").replace("-%}", "%}")
    assert rendered(list(read_nunjucks(f"{text}{{{{ x }}}}\r\n", HERE).pieces), x="v") == (
        f"{text}v\r\n"
    )


class _Always(dict[str, str]):
    """Has one value for all names."""

    def __init__(self, value: str):
        super().__init__()
        self._value = value

    def __missing__(self, key: str) -> str:
        return self._value


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("Hi {name", "expected '}'"),
        ("Hi name}", "Single '}'"),
        ("{x!r}", "formats its value"),
        ("{x:>8}", "formats its value"),
        ('{"a": 1}', "formats its value"),
        ("{x.y}", "does not name a variable"),
        ("{x[0]}", "does not name a variable"),
        ("{}", "does not name a variable"),
        ("{0}", "does not name a variable"),
    ],
)
def test_an_fstring_that_is_more_than_text_and_names_is_refused(template: str, told: str) -> None:
    with pytest.raises(DocumentError, match=told) as caught:
        read_fstring(template, HERE)
    assert caught.value.where == HERE


@pytest.mark.parametrize(
    "template",
    ["{{#items}}x{{/items}}", "{{^x}}", "{{> part}}", "{{=<% %>=}}", "{{! c }}", "{{x", "{{.}}"],
)
def test_mustache_that_does_more_than_print_is_refused(template: str) -> None:
    with pytest.raises(DocumentError):
        read_mustache(template, HERE)


@pytest.mark.parametrize(
    "template",
    [
        "{{ env.HOME }}",
        "{{ x | dump }}",
        "{% for k, v in x %}{% endfor %}",
        "{% set y = 1 %}",
        "{{ x === 1 }}",
        "{{ true }}",
        "{% include 'other' %}",
        "{{ x + 1 }}",
        "{{ x if y }}",
    ],
)
def test_what_nunjucks_and_jinja_do_not_share_is_refused(template: str) -> None:
    with pytest.raises(DocumentError):
        read_nunjucks(template, HERE)


def test_a_prompt_with_an_open_tag_is_no_template_in_promptfoo() -> None:
    assert is_left_alone("if x {{ then\nso")
    assert not is_left_alone("{{ x }}")
    assert not is_left_alone("{% raw %}{{ x{% endraw %}")


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(DocumentError, match="surrogate"):
        rendered([json.loads('"\\ud83d"')])
