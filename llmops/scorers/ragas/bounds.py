"""JSON Schemas that an answer cannot outgrow, made from Ragas' response models.

The schema of a pydantic model leaves texts and lists open: a small model
writes on to its token limit, and half a JSON is no answer. So every list gets
its number of items, every text its length, and the call the tokens that the
longest such answer takes. Where the question fixes the number of answers (a
verdict for each statement), so does the schema, statement by statement.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.core.fingerprint import canonical_json
from llmops.scorers.ragas.answers import ALLOWED, ANY_LIST, EXTRACTS, ONE_EACH

Schema = dict[str, Any]

LENGTHS = (48, 64, 96, 128, 192, 256, 384)
"""Characters that a free text may be given: few sizes, since a server compiles each one once."""
MOST_SPELLED_OUT = 5
"""Statements whose every division into right and wrong a schema lists: 32 of them."""


@dataclass(frozen=True, slots=True)
class Room:
    """How long an answer should be."""

    tokens: int
    bytes_per_character: float = 1.0
    """More than 1 in other scripts than Latin, which take more tokens for a character."""

    def for_script(self, text: str) -> Room:
        """The room for answers that are written like `text`."""
        size = len(text.encode("utf-8", "replace"))
        return replace(self, bytes_per_character=size / max(len(text), 1))

    @property
    def characters_per_token(self) -> float:
        """Of free text. English has four or five; the rest is for digits, names and escapes."""
        return 2.0 / self.bytes_per_character


@dataclass(frozen=True, slots=True)
class Bounded:
    """A schema, and tokens enough for the longest answer to it, even at one a byte."""

    schema: Schema
    tokens: int


def bounded(schema: Mapping[str, Any], given: Mapping[str, Any], room: Room) -> Bounded:
    """The schema of one of Ragas' response models for a prompt made from `given`.

    Texts share what `room` leaves beside names and fixed texts, as if a token
    held two characters, and have at least 48 characters each.

    >>> yes_or_no = {"title": "X", "type": "object", "properties":
    ...              {"reason": {"type": "string"}, "verdict": {"type": "integer"}}}
    >>> found = bounded(yes_or_no, {}, Room(tokens=64))
    >>> found.schema["properties"]
    {'reason': {'type': 'string', 'minLength': 1, 'maxLength': 64}, 'verdict': {'enum': [0, 1]}}
    """
    shaped = _Shaping(schema.get("$defs", {}), given, room).answer(schema)
    fixed, texts = _weight(shaped)
    left = (room.tokens - fixed) * room.characters_per_token / max(texts, 1)
    length = max((each for each in LENGTHS if each <= left), default=LENGTHS[0])
    for text in _texts(shaped):
        text["maxLength"] = min(text.get("maxLength", length), length)
    most = 1.5 * fixed + texts * length * room.bytes_per_character
    return Bounded(shaped, math.ceil(most))


@dataclass(frozen=True, slots=True)
class _Shaping:
    defs: Mapping[str, Any]
    given: Mapping[str, Any]
    room: Room

    def answer(self, schema: Mapping[str, Any]) -> Schema:
        title = str(schema.get("title", ""))
        if title in ONE_EACH:
            return self._one_each(schema, title)
        if title == "ClassificationWithReason":
            return self._sorted(schema)
        return self._shape(schema, title)

    def _shape(self, schema: Mapping[str, Any], owner: str, name: str = "") -> Schema:
        if "$ref" in schema:
            return self._shape(self.defs[schema["$ref"].rpartition("/")[2]], owner, name)
        allowed = self._allowed(owner, name)
        kind = schema.get("type")
        if "enum" in schema or kind == "boolean":
            return {key: schema[key] for key in ("type", "enum") if key in schema}
        if kind == "object":
            properties = schema.get("properties", {})
            return _object({key: self._shape(each, owner, key) for key, each in properties.items()})
        if kind == "array":
            return self._list(self._shape(schema.get("items", {}), owner, name), owner)
        if allowed is not None:
            return {"enum": list(allowed)}
        if kind == "integer":
            return {"type": "integer", "minimum": 0, "maximum": 100}
        return {"type": "string", "minLength": 1}

    def _allowed(self, owner: str, name: str) -> Sequence[Any] | None:
        rubrics = self.given.get("rubrics") if name == "score" else None
        if rubrics:
            numbers = (re.search(r"\d+", str(key)) for key in rubrics)
            return sorted({int(found[0]) for found in numbers if found}) or None
        return ALLOWED.get(f"{owner}.{name}", ALLOWED.get(name))

    def _list(self, item: Schema, owner: str) -> Schema:
        extract = EXTRACTS.get(owner, ANY_LIST)
        source = self.given.get(extract.source, self.given.get("text", ""))
        size = len(source) if isinstance(source, list) else len(str(source).split())
        for text in _texts(item):
            text["maxLength"] = extract.characters
        most = max(min(1 + size // extract.words, self.room.tokens // extract.tokens), 1)
        return {"type": "array", "items": item, "minItems": extract.least, "maxItems": most}

    def _one_each(self, schema: Mapping[str, Any], title: str) -> Schema:
        asked = self.given.get(ONE_EACH[title], [])
        [(name, lists)] = schema["properties"].items()
        items = []
        for one in asked:
            item = self._shape(lists["items"], title, name)
            if "statement" in item.get("properties", {}):
                item["properties"]["statement"] = {"const": one}
            items.append(item)
        return _object({name: _exactly(items)})

    def _sorted(self, schema: Mapping[str, Any]) -> Schema:
        """Each statement of the answer is a true or a false positive, and none is both.

        Which it is, is spelled out for up to five statements; of more only how many.
        """
        answer, truth = self.given.get("answer", []), self.given.get("ground_truth", [])
        item = self._shape(schema["properties"]["TP"]["items"], "")
        statements = list(dict.fromkeys(answer))

        def about(statement: Schema) -> Schema:
            return _object({**item["properties"], "statement": statement})

        def these(chosen: Sequence[str]) -> Schema:
            return _exactly([about({"const": each}) for each in chosen])

        def some(texts: Sequence[str], least: int, most: int) -> Schema:
            one = about({"enum": list(texts)})
            return {"type": "array", "items": one, "minItems": least, "maxItems": most}

        missing = some(list(dict.fromkeys(truth)), 0, len(truth))
        count = len(statements)
        if count <= MOST_SPELLED_OUT:
            parts = [
                (these(right), these([each for each in statements if each not in right]))
                for size in range(count + 1)
                for right in itertools.combinations(statements, size)
            ]
        else:
            parts = [
                (some(statements, size, size), some(statements, count - size, count - size))
                for size in range(count + 1)
            ]
        return {
            "anyOf": [_object({"TP": right, "FP": wrong, "FN": missing}) for right, wrong in parts]
        }


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _exactly(items: Sequence[Schema]) -> Schema:
    """A list of just these items; alike ones are told once, which servers compile once."""
    size = {"minItems": len(items), "maxItems": len(items)}
    if len({canonical_json(each) for each in items}) <= 1:
        return {"type": "array", "items": items[0] if items else {}, **size}
    return {"type": "array", "prefixItems": list(items), "items": False, **size}


def _texts(schema: Any) -> Iterator[Schema]:
    """The free texts in a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from _texts(each)
    elif isinstance(schema, dict):
        if schema.get("type") == "string" and "enum" not in schema:
            yield schema
        for each in schema.values():
            yield from _texts(each)


def _weight(schema: Schema) -> tuple[float, int]:
    """Tokens of all that is fixed in the longest answer, with room for spaces; and its texts."""
    if "anyOf" in schema:
        return max(_weight(each) for each in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return 2 + max((_tokens(str(value)) for value in values), default=0), 0
    if schema.get("type") == "object":
        parts = [_weight(each) for each in schema["properties"].values()]
        names = sum(5 + len(name) / 4 for name in schema["properties"])
        return 4 + names + sum(fixed for fixed, _ in parts), sum(texts for _, texts in parts)
    if schema.get("type") == "array":
        items = schema.get("prefixItems") or [schema["items"]] * schema["maxItems"]
        parts = [_weight(each) for each in items]
        return 5 + sum(3 + fixed for fixed, _ in parts), sum(texts for _, texts in parts)
    return (3, 1) if schema.get("type") == "string" else (3, 0)


def _tokens(text: str) -> float:
    plain = sum(character.isascii() for character in text)
    return plain / 3.3 + (len(text) - plain) * 1.5


def misfit(schema: Schema, value: Any) -> str | None:
    """Where an answer is not what `schema` asks for; `None` when it is.

    Servers that hold an answer to a schema may know less of JSON Schema than
    vLLM does. Lengths of texts are not looked at: a long reason is a reason.

    >>> misfit({"type": "array", "items": {"enum": [0, 1]}, "minItems": 2, "maxItems": 2}, [1])
    '1 item where 2 were asked for'
    """
    if "anyOf" in schema:
        found = [misfit(each, value) for each in schema["anyOf"]]
        return None if None in found else found[0]
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is not None:
        return None if value in allowed else f"{value!r} is none of {list(allowed)}"
    if schema.get("type") == "object":
        parts = [(each, value.get(name)) for name, each in schema["properties"].items()]
    elif schema.get("type") == "array":
        count, least, most = len(value), schema["minItems"], schema["maxItems"]
        if not least <= count <= most:
            asked = str(least) if least == most else f"{least} to {most}"
            return f"{count} item{'s'[: count != 1]} where {asked} were asked for"
        kinds = schema.get("prefixItems") or [schema["items"]] * count
        parts = list(zip(kinds, value, strict=True))
    else:
        return None
    return next((problem for each, one in parts if (problem := misfit(each, one))), None)
