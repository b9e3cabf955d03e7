"""What a prompt asks for: named values of declared kinds, checked before they are used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
        if self.items is not None:
            declared["items"] = self.items.to_json()
        if self.properties:
            declared["properties"] = [each.to_json() for each in self.properties]
        return declared

    def interface(self) -> dict[str, Any]:
        """What a caller has to know: the declaration without texts for people."""
        declared = {
            key: value
            for key, value in self.to_json().items()
            if key not in ("description", "example", "items", "properties", "default")
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


def _fit(spec: Input, value: Any, label: str, depth: int) -> Any:
    if isinstance(value, str):
        if spec.kind is not Kind.STRING:
            raise _misfit(spec, value, label)
        fitted: Any = plain_text(value, label, spec.where)
    elif value is None:
        if spec.nullable or (not spec.required and spec.default is NOT_GIVEN):
            return None
        raise _misfit(spec, value, label)
    else:
        fitted = _fit_other(spec, value, label, depth)
    if spec.enum and fitted not in spec.enum:
        allowed = ", ".join(f"`{each}`" for each in spec.enum)
        raise UsageError(
            f"the input `{label}` has a value that is not allowed",
            hint=f"allowed: {allowed}",
            where=spec.where,
        )
    return fitted


def _fit_other(spec: Input, value: Any, label: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise UsageError(f"the input `{label}` is nested too deeply", where=spec.where)
    match spec.kind:
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.INTEGER if isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        case Kind.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            return plain_json(value, label, spec.where, depth)
        case Kind.ARRAY if isinstance(value, list | tuple):
            if spec.items is None:
                return plain_json(value, label, spec.where, depth)
            return [
                _fit(spec.items, item, f"{label}[{index}]", depth + 1)
                for index, item in enumerate(value)
            ]
        case Kind.OBJECT if isinstance(value, Mapping):
            if not spec.properties:
                return plain_json(value, label, spec.where, depth)
            return _fit_object(spec, value, label, depth)
    raise _misfit(spec, value, label)


def _fit_object(spec: Input, value: Mapping[Any, Any], label: str, depth: int) -> dict[str, Any]:
    known = {each.name: each for each in spec.properties}
    for key in value:
        if key not in known:
            raise UsageError(
                f"the input `{label}` has no property `{key}`",
                hint="declared: " + ", ".join(f"`{name}`" for name in known),
                where=spec.where,
            )
    fitted = {}
    for name, each in known.items():
        if name in value:
            fitted[name] = _fit(each, value[name], f"{label}.{name}", depth + 1)
        elif each.required and each.default is NOT_GIVEN:
            raise UsageError(f"the input `{label}.{name}` is missing", where=each.where)
        else:
            fitted[name] = each.absent()
    return fitted


def _misfit(spec: Input, value: Any, label: str) -> UsageError:
    return UsageError(
        f"the input `{label}` must be {_ARTICLES[spec.kind]}, not {describe(value)}",
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
