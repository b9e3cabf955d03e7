"""Whether the parts of a record are the objects and lists that its tool writes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from llmops.core.errors import DocumentError, Where


class Shape(Enum):
    """What a part of a record is, if it is there at all."""

    OBJECT = "an object"
    LIST = "a list"
    TEXTS = "a list of texts"
    OBJECTS = "a list of objects"
    NAMED_OBJECTS = "an object of objects"


def check_shapes(record: Mapping[str, Any], shapes: Mapping[str, Shape], where: Where) -> None:
    """Raise `DocumentError` for a part that is something else than it should be.

    Parts within parts are named with a dot, after the part that they are in.
    """
    for name, shape in shapes.items():
        value: Any = record
        for key in name.split("."):
            value = (value or {}).get(key)
        if value is not None and not _fits(value, shape):
            raise DocumentError(f"`{name}` should be {shape.value}", where=where)


def _fits(value: Any, shape: Shape) -> bool:
    if not isinstance(value, dict if shape in (Shape.OBJECT, Shape.NAMED_OBJECTS) else list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    match shape:
        case Shape.TEXTS:
            return all(isinstance(each, str) for each in parts)
        case Shape.OBJECTS | Shape.NAMED_OBJECTS:
            return all(each is None or isinstance(each, dict) for each in parts)
        case _:
            return True
