"""The text of a source as data: YAML with the line of every value, or JSON."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from llmops.core.documents import Parsed, parse_yaml
from llmops.core.errors import DocumentError, Where

_START = re.compile(r"\A---[ \t]*$", re.MULTILINE)


def looks_like_json(text: str) -> bool:
    """Whether `text` is meant as a JSON object or list."""
    return text.lstrip()[:1] in ("{", "[")


def read_json(text: str, path: Path) -> Any:
    """The value that `text` spells; `DocumentError` with the line where it is broken."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not valid JSON: {error.msg}", where=Where(path, error.lineno)
        ) from None
    except (RecursionError, ValueError) as error:
        raise DocumentError(f"not valid JSON: {type(error).__name__}", where=Where(path)) from None


def read_mapping(text: str, path: Path) -> Parsed:
    """The mapping of a YAML or JSON file; `DocumentError` with the line where it is broken."""
    if looks_like_json(text):
        data = read_json(text, path)
        if not isinstance(data, dict):
            raise DocumentError("expected an object, found a list", where=Where(path, 1))
        return Parsed(path, data, {})
    return parse_yaml(text, path)


def read_yaml_value(text: str, path: Path) -> Any:
    """Whatever a YAML text holds, a list or a mapping; errors as `parse_yaml` has them."""
    # As the value of a key, since whole documents are mappings here.
    nested = textwrap.indent(_START.sub("", text), " ")
    return parse_yaml(f"value:\n{nested}", path, first_line=0).data["value"]
