"""A bounded JSON Schema as the regular expression of its answers.

JSON allows any space between its parts, and a small model whose text was
ended for it may go on with line breaks until the tokens run out. vLLM holds
answers to a regular expression as well, and this one has no room for that:
one line, one space after each comma and colon, as Python writes JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any

_CHARACTER = r"[^\"\\\x00-\x1f]"
"""One character of a text. With escapes among them, xgrammar takes seconds for each token."""


def pattern(schema: dict[str, Any]) -> str:
    r"""The regular expression that matches the answers to one of `bounds`' schemas, as JSON.

    >>> pattern({"type": "object", "properties": {"verdict": {"enum": [0, 1]}}})
    '\\{"verdict": (?:0|1)\\}'
    """
    if "anyOf" in schema:
        return _either(pattern(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return _either(_literal(each) for each in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "object":
            parts = [
                f"{_literal(name)}: {pattern(each)}" for name, each in schema["properties"].items()
            ]
            return r"\{" + ", ".join(parts) + r"\}"
        case "array":
            return r"\[" + _items(schema) + r"\]"
        case "boolean":
            return "(?:true|false)"
        case "integer":
            return "(?:0|[1-9][0-9]?|100)"
        case _:
            return f'"{_CHARACTER}{{{schema.get("minLength", 0)},{schema["maxLength"]}}}"'


def _items(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return ", ".join(pattern(each) for each in schema["prefixItems"])
    least, most = schema["minItems"], schema["maxItems"]
    if most == 0:
        return ""
    one = pattern(schema["items"])
    several = f"{one}(?:, {one}){{{max(least - 1, 0)},{most - 1}}}" if most > 1 else one
    return several if least else f"(?:{several})?"


def _either(patterns: Any) -> str:
    found = list(patterns)
    return found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"


def _literal(value: Any) -> str:
    return re.sub(r"([\\^$.|?*+()\[\]{}])", r"\\\1", json.dumps(value, ensure_ascii=False))
