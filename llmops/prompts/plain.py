"""Plain data: what JSON can spell, and nothing with methods of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from llmops.core.errors import UsageError, Where

DEEPEST = 64
"""Levels of arrays and objects in one value."""


def plain_json(value: Any, label: str, where: Where | None = None, depth: int = 0) -> Any:
    """A copy of `value` made of exact dicts, lists, texts, numbers, booleans and nulls.

    Raises `UsageError` naming the input `label` for anything else: JSON could
    not spell it, and a template could reach into it.
    """
    if depth > DEEPEST:
        raise UsageError(f"the input `{label}` is nested too deeply", where=where)
    if isinstance(value, str):
        return plain_text(value, label, where)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        raise UsageError(f"the input `{label}` is not a finite number", where=where)
    if isinstance(value, list | tuple):
        return [
            plain_json(each, f"{label}[{at}]", where, depth + 1) for at, each in enumerate(value)
        ]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {
            plain_text(key, label, where): plain_json(each, f"{label}.{key}", where, depth + 1)
            for key, each in value.items()
        }
    raise UsageError(f"the input `{label}` holds {describe(value)}, not plain data", where=where)


def plain_text(value: str, label: str, where: Where | None = None) -> str:
    """`value` as an exact `str`; `UsageError` if it holds half of a surrogate pair."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            code = ord(value[error.start])
            raise UsageError(
                f"the input `{label}` holds half of a surrogate pair "
                f"(U+{code:04X} at character {error.start + 1}), which is not text",
                hint="decode it as UTF-8 where it comes from",
                where=where,
            ) from None
    # A subclass could bring methods of its own into the template.
    return value if type(value) is str else str.__str__(value)


def describe(value: Any) -> str:
    """What `value` is, in the words of JSON and without its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a number"
        case list() | tuple():
            return "an array"
        case Mapping():
            return "an object"
    return f"`{type(value).__name__}`"
