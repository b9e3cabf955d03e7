"""LangChain's `f-string` templates: `str.format` with names only."""

from __future__ import annotations

from string import Formatter

from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.values import Piece, Variable


def read_fstring(text: str, where: Where | None = None) -> list[Piece]:
    """Texts and variables of a template that `str.format` would fill.

    Raises `DocumentError` for a missing brace, and for what is more than the
    place of a value: an attribute, an index, a conversion, a format.

    >>> read_fstring("{greeting}, {{name}}!")
    [Variable(name='greeting'), ', {', 'name}', '!']
    """
    pieces: list[Piece] = []
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise DocumentError(
            f"not a valid f-string template: {error}",
            hint="a brace that is text is written twice: `{{` or `}}`",
            where=where,
        ) from None
    for literal, field, spec, conversion in parsed:
        if literal:
            pieces.append(literal)
        if field is not None:
            pieces.append(_variable(field, spec, conversion, where))
    return pieces


def _variable(
    field: str, spec: str | None, conversion: str | None, where: Where | None
) -> Variable:
    written = field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
    if spec or conversion not in (None, "s"):
        raise DocumentError(
            f"`{{{written}}}` formats its value, which a prompt does not",
            hint="if it is meant as text, its braces are written twice",
            where=where,
        )
    if not field or field.isdigit() or set(field) & set(".[]"):
        raise DocumentError(f"`{{{written}}}` does not name a variable", where=where)
    return Variable(field)
