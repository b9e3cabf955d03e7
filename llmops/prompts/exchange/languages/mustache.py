"""Mustache templates, as far as they only put values into a text.

Values are printed as they are, as in LangChain.js and LangSmith; LangChain for
Python writes `&`, `<`, `>` and `"` of a value in `{{name}}` as HTML entities.
"""

from __future__ import annotations

import re

from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.naming import can_name_an_input
from llmops.prompts.exchange.values import Code, Piece, Variable

_SIGNS = {
    "#": "a section, a loop or a condition by the kind of the value",
    "^": "an inverted section, a condition by the kind of the value",
    "/": "the end of a section",
    ">": "a partial, whose text is not here",
    "=": "a change of the delimiters",
    "!": "a comment",
}

ESCAPING_NOTE = (
    "values arrive as they are, as in LangChain.js and LangSmith; "
    'LangChain for Python would write `&`, `<`, `>` and `"` in them as HTML entities'
)


def read_mustache(text: str, where: Where | None = None) -> list[Piece]:
    """Texts and variables of a template.

    Raises `DocumentError` for a tag that is not closed and for tags that do
    more than print a value.

    >>> read_mustache("Hi {{ name }}, {{{name}}}")
    ['Hi ', Variable(name='name'), ', ', Variable(name='name')]
    """
    pieces: list[Piece] = []
    end = 0
    while (start := text.find("{{", end)) >= 0:
        close = "}}}" if text.startswith("{{{", start) else "}}"
        inner = start + len(close)
        closed = text.find(close, inner)
        if closed < 0:
            raise DocumentError("`{{` is not closed in a mustache template", where=where)
        pieces += [text[end:start], _value(text[inner:closed], len(close), where)]
        end = closed + len(close)
    return [piece for piece in (*pieces, text[end:]) if piece != ""]


def _value(tag: str, braces: int, where: Where | None) -> Piece:
    sign = tag[:1] if braces == 2 else ""
    if kind := _SIGNS.get(sign):
        raise DocumentError(
            f"`{{{{{tag}}}}}` is {kind}: only values can be taken over from mustache",
            hint="write this part in Jinja2 by hand",
            where=where,
        )
    key = tag.removeprefix("&").strip() if sign == "&" else tag.strip()
    top, *path = key.split(".")
    if not path and key and not set(key) & set("{}"):
        return Variable(key)
    if can_name_an_input(top) and all(re.fullmatch(r"\w+", part) for part in path):
        return Code(f"{{{{ {top}" + "".join(f'["{part}"]' for part in path) + " }}")
    raise DocumentError(f"`{{{{{tag}}}}}` does not name a variable", where=where)
