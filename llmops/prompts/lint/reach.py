"""From which inputs a value comes, and whether it can hold a sentence of somebody's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from llmops.prompts.inputs import Input, Kind


class Reach(NamedTuple):
    """That a value comes from an input; `spec` is what is known of it, if anything."""

    name: str
    spec: Input | None


Reaches = tuple[Reach, ...]


def carries(spec: Input | None) -> bool:
    """Whether a value of this kind can hold a sentence of somebody's own.

    >>> carries(Input(name="n", kind=Kind.INTEGER)), carries(Input(name="s", kind=Kind.STRING))
    (False, True)
    """
    if spec is None:
        return True
    if spec.enum or spec.trusted:
        return False
    match spec.kind:
        case Kind.STRING:
            return True
        case Kind.ARRAY:
            return carries(spec.items)
        case Kind.OBJECT:
            return not spec.properties or any(map(carries, spec.properties))
    return False


def items(found: Reaches) -> Reaches:
    """What the items of the values are."""
    return _carrying(
        Reach(name, spec.items if spec and spec.kind is Kind.ARRAY else None)
        for name, spec in found
    )


def step(found: Reaches, key: str) -> Reaches:
    """What the values have under `key`."""
    stepped = []
    for name, spec in found:
        declared = spec.properties if spec and spec.kind is Kind.OBJECT else ()
        known = next((each for each in declared if each.name == key), None)
        if known is not None or not declared:
            stepped.append(Reach(name, known))
    return _carrying(stepped)


def either(ways: Iterable[Mapping[str, Reaches]], name: str) -> Reaches:
    """What `name` is after any of the ways."""
    found = (each for names in ways for each in names.get(name, ()))
    return tuple({(each.name, id(each.spec)): each for each in found}.values())


def loose(found: Reaches) -> Reaches:
    """What came out of the values by ways that were not followed: anything."""
    return tuple(Reach(name, None) for name, _ in found)


def _carrying(found: Iterable[Reach]) -> Reaches:
    return tuple(each for each in found if carries(each.spec))
