"""What a prompt asks for: named values of declared kinds, checked before they are used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final

from llmops.core.errors import UsageError, Where
from llmops.prompts.plain import DEEPEST, describe, plain_json, plain_text


class Kind(StrEnum):
    """The kinds of values, named as in Prompty; `float` is another word for `number`."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


_ARTICLES = {
    Kind.STRING: "a string",
    Kind.INTEGER: "an integer",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "a boolean",
    Kind.ARRAY: "an array",
    Kind.OBJECT: "an object",
}


_NOT_INTERFACE = frozenset({"description", "example", "items", "properties", "default", "trusted"})


class NotGiven(Enum):
    """Tells "no default" from the default `null`."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One value: an input of a prompt, an item of an array, or a property of an object."""

    name: str
    kind: Kind
    description: str = ""
    required: bool = True
    nullable: bool = False
    default: Any = NOT_GIVEN
    example: Any = NOT_GIVEN
    enum: tuple[Any, ...] = ()
    """The only values allowed; empty means any."""
    items: Input | None = None
    """What each item of an array is; `None` means anything that JSON can spell."""
    properties: tuple[Input, ...] = ()
    """What an object holds; empty means anything that JSON can spell."""
    trusted: bool = False
    """The app's own text, not somebody's who could try to instruct the model."""
    where: Where | None = field(default=None, compare=False, repr=False)

    def accept(self, value: Any) -> Any:
        """`value` as plain data of the declared kind.

        Raises `UsageError` that names the input and its declaration, without
        the value, if the kind is another one, an item is not what was
        declared, or a text cannot be sent to any model (lone surrogates).
        """
        return _fit(self, value, self.name, 0)

    def absent(self) -> Any:
        """What stands for the input when it is not given; `UsageError` if it is required."""
        if self.default is not NOT_GIVEN:
            return self.default
        if self.required:
            raise UsageError(f"the input `{self.name}` is missing", where=self.where)
        return None

    def parse(self, text: str) -> Any:
        """The value that `text` spells: as it is for a string, JSON for arrays and objects."""
        if self.kind is Kind.STRING:
            return self.accept(text)
        return self.accept(_read(text.strip(), self))

    def defaults(self, label: str = "") -> Iterator[tuple[str, Any]]:
        """The default, and those of all properties, by their labels: `order.items[].count`."""
        label = label or self.name
        if self.default is not NOT_GIVEN:
            yield label, self.default
        if self.items is not None:
            yield from self.items.defaults(f"{label}[]")
        for each in self.properties:
            yield from each.defaults(f"{label}.{each.name}")

    def schema(self) -> dict[str, Any]:
        """The value as JSON Schema."""
        schema: dict[str, Any] = {"type": self.kind.value}
        if self.nullable:
            schema["type"] = [self.kind.value, "null"]
        if self.description:
            schema["description"] = self.description
        if self.enum:
            schema["enum"] = list(self.enum)
        if self.items is not None:
            schema["items"] = self.items.schema()
        if self.properties:
            schema |= object_schema(self.properties)
            if self.nullable:
                schema["type"] = ["object", "null"]
        return schema

    def to_json(self) -> dict[str, Any]:
        """The declaration, as it would be written."""
        declared: dict[str, Any] = {
            "name": self.name,
            "kind": self.kind.value,
            "required": self.required,
        }
        if self.description:
            declared["description"] = self.description
        if self.nullable:
            declared["nullable"] = True
        if self.default is not NOT_GIVEN:
            declared["default"] = self.default
        if self.example is not NOT_GIVEN:
            declared["example"] = self.example
        if self.enum:
            declared["enumValues"] = list(self.enum)
        if self.trusted:
            declared["trusted"] = True
        if self.items is not None:
            declared["items"] = self.items.to_json()
        if self.properties:
            declared["properties"] = [each.to_json() for each in self.properties]
        return declared

    def interface(self) -> dict[str, Any]:
        """What a caller has to know: the declaration without texts for people."""
        declared = {
            key: value for key, value in self.to_json().items() if key not in _NOT_INTERFACE
        }
        if self.items is not None:
            declared["items"] = self.items.interface()
        if self.properties:
            declared["properties"] = [
                each.interface() for each in sorted(self.properties, key=lambda one: one.name)
            ]
        return declared


def object_schema(properties: tuple[Input, ...]) -> dict[str, Any]:
    """The JSON Schema of an object that holds `properties` and nothing else."""
    return {
        "type": "object",
        "properties": {each.name: each.schema() for each in properties},
        "required": [each.name for each in properties if each.required],
        "additionalProperties": False,
    }


Label = str | tuple["Label", str | int]
"""An input's name, or a place within its value; spelled out only for an error."""


def _fit(spec: Input, value: Any, label: Label, depth: int) -> Any:
    if isinstance(value, str):
        if spec.kind is not Kind.STRING:
            raise _misfit(spec, value, label)
        fitted: Any = value
        if type(value) is not str or not value.isascii():
            fitted = plain_text(value, _spelled(label), spec.where)
    elif value is None:
        if spec.nullable or (not spec.required and spec.default is NOT_GIVEN):
            return None
        raise _misfit(spec, value, label)
    else:
        fitted = _fit_other(spec, value, label, depth)
    if spec.enum and fitted not in spec.enum:
        allowed = ", ".join(f"`{each}`" for each in spec.enum)
        raise UsageError(
            f"the input `{_spelled(label)}` has a value that is not allowed",
            hint=f"allowed: {allowed}",
            where=spec.where,
        )
    return fitted


def _fit_other(spec: Input, value: Any, label: Label, depth: int) -> Any:
    if depth > DEEPEST:
        raise UsageError(f"the input `{_spelled(label)}` is nested too deeply", where=spec.where)
    kind = spec.kind
    if kind is Kind.INTEGER and isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if kind is Kind.OBJECT and isinstance(value, Mapping):
        if spec.properties:
            return _fit_object(spec, value, label, depth)
        return plain_json(value, _spelled(label), spec.where, depth)
    if kind is Kind.ARRAY and isinstance(value, list | tuple):
        if spec.items is None:
            return plain_json(value, _spelled(label), spec.where, depth)
        items = spec.items
        return [_fit(items, item, (label, index), depth + 1) for index, item in enumerate(value)]
    if kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        return plain_json(value, _spelled(label), spec.where, depth)
    if kind is Kind.BOOLEAN and isinstance(value, bool):
        return value
    raise _misfit(spec, value, label)


def _fit_object(spec: Input, value: Mapping[Any, Any], label: Label, depth: int) -> dict[str, Any]:
    fitted = {}
    given = 0
    for each in spec.properties:
        name = each.name
        if name in value:
            given += 1
            fitted[name] = _fit(each, value[name], (label, name), depth + 1)
        elif each.required and each.default is NOT_GIVEN:
            _refuse_unknown(spec, value, label)
            raise UsageError(f"the input `{_spelled((label, name))}` is missing", where=each.where)
        else:
            fitted[name] = each.absent()
    if given != len(value):
        _refuse_unknown(spec, value, label)
    return fitted


def _refuse_unknown(spec: Input, value: Mapping[Any, Any], label: Label) -> None:
    known = [each.name for each in spec.properties]
    for key in value:
        if key not in known:
            raise UsageError(
                f"the input `{_spelled(label)}` has no property `{key}`",
                hint="declared: " + ", ".join(f"`{name}`" for name in known),
                where=spec.where,
            )


def _spelled(label: Label) -> str:
    """A place within a value, as a person would write it."""
    if isinstance(label, str):
        return label
    parent, key = label
    return f"{_spelled(parent)}[{key}]" if isinstance(key, int) else f"{_spelled(parent)}.{key}"


def _misfit(spec: Input, value: Any, label: Label) -> UsageError:
    return UsageError(
        f"the input `{_spelled(label)}` must be {_ARTICLES[spec.kind]}, not {describe(value)}",
        where=spec.where,
    )


def _read(text: str, spec: Input) -> Any:
    try:
        match spec.kind:
            case Kind.INTEGER if re.fullmatch("[+-]?[0-9]+", text):
                return int(text)
            case Kind.NUMBER if re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?", text):
                return float(text) if re.search("[.eE]", text) else int(text)
            case Kind.BOOLEAN if text in ("true", "false"):
                return text == "true"
            case Kind.ARRAY | Kind.OBJECT:
                return json.loads(text)
    except (ValueError, RecursionError):
        pass
    hints = {
        Kind.BOOLEAN: "write `true` or `false`",
        Kind.ARRAY: 'write JSON, such as `["a", "b"]`',
        Kind.OBJECT: 'write JSON, such as `{"key": "value"}`',
    }
    raise UsageError(
        f"the input `{spec.name}` must be {_ARTICLES[spec.kind]}, and the text given is not one",
        hint=hints.get(spec.kind),
        where=spec.where,
    )
