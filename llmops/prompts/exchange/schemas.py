"""From a JSON Schema of answers to declared outputs, as far as these can say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmops.prompts.plain import DEEPEST

_KINDS = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
_SAID = frozenset(
    {"type", "description", "enum", "const", "items", "properties", "required"}
    | {
        "anyOf",
        "oneOf",
        "$ref",
        "$defs",
        "definitions",
        "$schema",
        "$id",
        "title",
        "examples",
        "$comment",
    }
)


class _CannotSay(Exception):
    """A schema that declared outputs cannot express."""


def read_schema(schema: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The outputs that `schema` describes, and notes on what they do not say.

    An answer that is no object, or whose kinds are more than one, gives no
    outputs and a note why.

    >>> read_schema({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
    ([{'name': 'a', 'kind': 'string'}], [])
    """
    reader = _Reader(schema)
    try:
        read = reader.read(schema, "the answer", 0)
        if read["kind"] != "object" or not read.get("properties"):
            raise _CannotSay("it is no object with named properties")
    except _CannotSay as reason:
        return [], [f"the schema of the answer is not held: {reason}"]
    if read.get("description"):
        reader.lost.setdefault("description", "the answer")
    notes = [f"the answer's `{key}` ({at}) is not held" for key, at in reader.lost.items()]
    return read["properties"], notes


class _Reader:
    def __init__(self, whole: Any):
        self._whole = whole
        self.lost: dict[str, str] = {}
        """Keywords that were dropped, with the first place of each."""

    def read(self, schema: Any, at: str, depth: int) -> dict[str, Any]:
        if not isinstance(schema, Mapping):
            raise _CannotSay(f"{at} has no schema of its own")
        if depth > DEEPEST:
            raise _CannotSay("it refers to itself or is nested too deeply")
        if "$ref" in schema:
            return {**self.read(self._target(schema["$ref"]), at, depth + 1), **_told(schema)}
        if (either := _or_null(schema)) is not None:
            self._note_lost(schema, at)
            return {**self.read(either, at, depth + 1), **_told(schema), "nullable": True}
        kind, nullable = _kind(schema, at)
        made: dict[str, Any] = {"kind": kind, **_told(schema)}
        if nullable:
            made["nullable"] = True
        if (allowed := _allowed(schema, at)) is not None:
            made["enumValues"] = allowed
        if kind == "array" and "items" in schema:
            made["items"] = self.read(schema["items"], f"an item of {at}", depth + 1)
        if kind == "object" and schema.get("properties"):
            made["properties"] = self._properties(schema, depth)
        self._note_lost(schema, at)
        return made

    def _properties(self, schema: Mapping[str, Any], depth: int) -> list[dict[str, Any]]:
        if not isinstance(schema["properties"], Mapping):
            raise _CannotSay("`properties` is no mapping")
        required = schema.get("required")
        needed = required if isinstance(required, list) else []
        made = []
        for name, each in schema["properties"].items():
            if not _NAME.fullmatch(name):
                raise _CannotSay(f"`{name}` cannot name an output")
            declared = {"name": name, **self.read(each, f"`{name}`", depth + 1)}
            made.append(declared if name in needed else {**declared, "required": False})
        return made

    def _target(self, ref: Any) -> Any:
        node = self._whole
        if not isinstance(ref, str) or not ref.startswith("#/"):
            raise _CannotSay(f"`{ref}` is a schema elsewhere")
        for step in ref[2:].split("/"):
            node = node.get(step) if isinstance(node, Mapping) else None
        if node is None:
            raise _CannotSay(f"`{ref}` is not there")
        return node

    def _note_lost(self, schema: Mapping[str, Any], at: str) -> None:
        for key, value in schema.items():
            if key not in _SAID and not (key == "additionalProperties" and value is False):
                self.lost.setdefault(key, at)


def _or_null(schema: Mapping[str, Any]) -> Any:
    """The one schema that is allowed beside null, as generators spell an optional value."""
    choices = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(choices, list) and len(choices) == 2 and {"type": "null"} in choices:
        return next(each for each in choices if each != {"type": "null"})
    return None


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    told = schema.get("description")
    return {"description": told} if isinstance(told, str) and told else {}


def _kind(schema: Mapping[str, Any], at: str) -> tuple[str, bool]:
    for key in ("anyOf", "oneOf", "allOf", "not", "if"):
        if key in schema:
            raise _CannotSay(f"{at} has `{key}`")
    kinds = schema.get("type", "object" if "properties" in schema else None)
    listed = kinds if isinstance(kinds, list) else [kinds]
    named = [kind for kind in listed if kind != "null"]
    if len(named) != 1 or not isinstance(named[0], str) or named[0] not in _KINDS:
        raise _CannotSay(f"{at} is not of one kind")
    return named[0], "null" in listed


def _allowed(schema: Mapping[str, Any], at: str) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    allowed = schema.get("enum")
    if allowed is not None and not (isinstance(allowed, list) and allowed):
        raise _CannotSay(f"the `enum` of {at} is no list of values")
    return [each for each in allowed if each is not None] if allowed else None
