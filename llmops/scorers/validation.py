"""A JSON Schema validator that fetches nothing and cannot be made to hang.

On top of the `jsonschema` package, which by itself looks references up on the
network and matches patterns with `re`, which nothing can stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema.validators
from jsonschema import SchemaError, ValidationError
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from llmops.core.errors import UsageError
from llmops.scorers.patterns import compiled

PATTERN_TIMEOUT = 0.5
"""Seconds of CPU time for one pattern of a schema on one text."""

_DATA = frozenset({"const", "default", "enum", "examples"})
"""Keywords whose value is data, where `$ref` is a word like any other."""


class Validator:
    """Checks values against one schema."""

    def __init__(self, checks: Any):
        self._checks = checks

    def first_error(self, value: Any) -> str | None:
        """Where and why `value` departs from the schema; `None` when it does not.

        Raises `TimeoutError` when a pattern takes too long, and
        `RecursionError` for a value that is nested too deep.
        """
        error = next(self._checks.iter_errors(value), None)
        return None if error is None else _told(error)


def validator(schema: Mapping[str, Any]) -> Validator:
    """The validator of `schema`; `UsageError` when it is broken or refers to something outside."""
    draft = _draft(schema)
    try:
        draft.check_schema(schema)
        _check_patterns(schema)
        specification = specification_with(draft.META_SCHEMA["$schema"])
        root = specification.create_resource(dict(schema))
        _check_references(schema, REGISTRY.resolver_with_root(root), specification)
    except SchemaError as error:
        raise UsageError(f"the JSON Schema is broken {_told(error)}") from None
    except RecursionError:
        raise UsageError("the JSON Schema is nested too deep") from None
    extend: Any = jsonschema.validators.extend
    bounded = extend(
        draft,
        {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
        },
    )
    # A registry of its own: without one, references are fetched from the network.
    return Validator(bounded(schema, registry=REGISTRY))


def _draft(schema: Mapping[str, Any]) -> Any:
    """The validator class of the draft that the schema names; of 2020-12 if it names none."""
    named = schema.get("$schema")
    if named is None:
        return jsonschema.validators.Draft202012Validator
    unknown: Any = None
    found = (
        jsonschema.validators.validator_for(schema, default=unknown)
        if isinstance(named, str)
        else None
    )
    if found is None:
        raise UsageError(
            f"the schema's `$schema` is unknown: {_cut(str(named))}",
            hint="use `https://json-schema.org/draft/2020-12/schema`, or leave it out",
        )
    return found


def _check_patterns(schema: Any) -> None:
    keywords = {key for each in _subschemas(schema) for key in each}
    if {"patternProperties", "unevaluatedProperties"} <= keywords:
        raise UsageError(
            "the JSON Schema uses both `patternProperties` and `unevaluatedProperties`",
            hint="use `additionalProperties`; the pair cannot be checked in bounded time",
        )
    for each in _subschemas(schema):
        if isinstance(each.get("pattern"), str):
            compiled(each["pattern"])
        if isinstance(each.get("patternProperties"), dict):
            for pattern in each["patternProperties"]:
                compiled(pattern)


def _subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in _DATA:
                yield from _subschemas(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _subschemas(value)


def _check_references(schema: Any, resolver: Any, specification: Any) -> None:
    """Raise `UsageError` for a reference that the schema itself does not answer."""
    if isinstance(schema, list):
        for value in schema:
            _check_references(value, resolver, specification)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("$id"), str):
        resource: Resource[Any] = specification.create_resource(schema)
        resolver = resolver.in_subresource(resource)
    reference = schema.get("$ref", schema.get("$dynamicRef"))
    if isinstance(reference, str):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise UsageError(
                f"the JSON Schema refers to `{_cut(reference)}`, which it does not hold",
                hint="put it under `$defs` and refer to `#/$defs/NAME`; nothing is fetched",
            ) from None
    for key, value in schema.items():
        if key not in _DATA:
            _check_references(value, resolver, specification)


def _found(pattern: str, text: str) -> bool:
    # `compiled` is cheap to ask again: the package keeps what it has compiled.
    return compiled(pattern).search(text, timeout=PATTERN_TIMEOUT) is not None


def _pattern(checks: Any, pattern: str, value: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ARG001
    if checks.is_type(value, "string") and not _found(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    checks: Any,
    patterns: Mapping[str, Any],
    value: Any,
    schema: Any,  # noqa: ARG001
) -> Iterator[ValidationError]:
    if not checks.is_type(value, "object"):
        return
    for pattern, subschema in patterns.items():
        for key, inner in value.items():
            if _found(pattern, key):
                yield from checks.descend(inner, subschema, path=key, schema_path=pattern)


def _additional_properties(
    checks: Any, allowed: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not checks.is_type(value, "object"):
        return
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for key, inner in value.items():
        if key in named or any(_found(pattern, key) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"{key!r} is not a property that the schema allows")
        else:
            yield from checks.descend(inner, allowed, path=key)


def _told(error: Any) -> str:
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    )
    place = f"at `{_cut(path.lstrip('.'))}`" if path else "at the top"
    return f"{place}: {_cut(error.message)}"


def _cut(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
