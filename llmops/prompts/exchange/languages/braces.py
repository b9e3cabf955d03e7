"""GitHub's templates: `{{name}}` is replaced, and everything else is text.

`gh models` and `actions/ai-inference` replace the braces only when they hold
nothing but the name: `{{ name }}` reaches the model as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from llmops.prompts.exchange.values import Piece, Variable

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_NAME = re.compile(r"[\w.-]+")
_SPACED = re.compile(r"\{\{\s+[\w.-]+\s*\}\}|\{\{[\w.-]+\s+\}\}")


def read_braces(text: str, known: Collection[str] = ()) -> list[Piece]:
    """Texts and variables; `known` are names of any spelling that have a value.

    >>> read_braces("{{{name}}} and {{ name }}")
    ['{', Variable(name='name'), '} and {{ name }}']
    """
    pieces: list[Piece] = []
    end = 0
    for found in _PLACE.finditer(text):
        if _NAME.fullmatch(found[1]) or found[1] in known:
            pieces += [text[end : found.start()], Variable(found[1])]
            end = found.end()
    return [piece for piece in (*pieces, text[end:]) if piece != ""]


def write_braces(pieces: Iterable[Piece]) -> str:
    """The template that `read_braces` takes apart again."""
    return "".join(
        f"{{{{{piece.name}}}}}" if isinstance(piece, Variable) else str(piece) for piece in pieces
    )


def spaced_places(text: str) -> list[str]:
    """What looks like a variable and is text, for the blanks in its braces."""
    return _SPACED.findall(text)
