"""Prompts as one Jinja2 template a message, for tools that keep messages apart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import TemplateSyntaxError, meta

from llmops.core.registry import Turn
from llmops.prompts.composition import Partial
from llmops.prompts.prompt import Prompt
from llmops.prompts.sandbox import environment
from llmops.prompts.source import BLANK, Code, Include, Piece, RoleLine, Source, without_blank_lines

EXAMPLES = "{% set examples = "
"""What a message begins with that uses the prompt's few-shot examples."""


def separate_messages(prompt: Prompt) -> tuple[Turn, ...] | None:
    """The messages, each a template that needs no other; `None` where that cannot be.

    Includes are filled in, and examples written out where they are used. It
    cannot be where role lines stand in blocks, where a message may set what
    another one uses, or where a partial trims the text around it.
    """
    template = prompt.template
    partials = template.composition.partials
    if any(_reaches_out(partial.source) for partial in partials.values()):
        return None
    pieces = list(_inlined(template.source, partials))
    last = max((at for at, piece in enumerate(pieces) if isinstance(piece, RoleLine)), default=0)
    if any(map(_outlasts, pieces[:last])):
        return None
    messages: list[tuple[str, list[str]]] = [("", [])]
    for piece in pieces:
        if isinstance(piece, RoleLine):
            messages.append((piece.role, []))
        else:
            messages[-1][1].append(piece if isinstance(piece, str) else piece.written)
    before, *rest = [(role, "".join(parts)) for role, parts in messages]
    if before[1].strip(BLANK):
        return None
    turns = [Turn(role, without_blank_lines(text).rstrip(BLANK)) for role, text in rest]
    free = [_free_names(turn.content) for turn in turns]
    known = {each.name for each in prompt.inputs} | {"examples"} | environment().globals.keys()
    if not all(names is not None and names <= known for names in free):
        return None
    rows = f"{EXAMPLES}{_literal(list(prompt.examples))} %}}"
    return tuple(
        turn._replace(content=rows + turn.content) if "examples" in (names or ()) else turn
        for turn, names in zip(turns, free, strict=True)
    )


def _inlined(source: Source, partials: Mapping[str, Partial]) -> Iterator[str | RoleLine | Code]:
    """The pieces with those of each partial in the place of its include."""
    for piece in source.pieces:
        if isinstance(piece, Include):
            yield from _inlined(partials[piece.name].source, partials)
        else:
            yield piece


def _reaches_out(partial: Source) -> bool:
    """Whether the text around a partial would be another, were the partial written there."""
    starts, ends = partial.text.lstrip(BLANK), partial.text.rstrip(BLANK)
    trims = re.match(r"\{[{%#]-", starts) or re.search(r"-[}%#]\}$", ends)
    return bool(trims) or any(map(_outlasts, partial.pieces))


def _outlasts(piece: Piece) -> bool:
    """Whether a statement is meant for what comes after it."""
    return isinstance(piece, Code) and piece.tokens[1:2] in (("set",), ("macro",))


def _free_names(text: str) -> set[str] | None:
    """What a template asks for; `None` if it is none by itself."""
    try:
        return meta.find_undeclared_variables(environment().parse(text))
    except TemplateSyntaxError:
        return None


def _literal(value: Any) -> str:
    """A JSON value as Jinja2 spells it."""
    match value:
        case None:
            return "none"
        case dict():
            return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
