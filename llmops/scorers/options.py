"""A scorer's options, checked against its own signature.

The options are the keyword-only parameters of a function, or the fields of a
class; their annotations say which types are right. An option that may be a
`Path` is resolved against the suite's folder.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from llmops.core.errors import NotFound, UsageError
from llmops.core.files import inside
from llmops.core.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where paths and modules of a suite are looked for."""

    base: Path
    """The suite's folder: relative paths start here."""
    root: Path | None
    """The project's folder, which no path may leave; `None` when there is no project."""

    def file(self, path: str) -> Path:
        """The file at `path`; `DocumentError` if it lies outside of the project."""
        found = self.base / path
        return inside(self.root, found) if self.root else found.resolve()


def accepted(
    name: str, target: Callable[..., Any], options: Mapping[str, Any], folders: Folders
) -> dict[str, Any]:
    """`options` as `target` takes them.

    Raises `UsageError` for an option that `target` does not know (with the
    nearest one that it does), that is missing, or that has the wrong type.
    """
    parameters = _parameters(target)
    missing = [key for key, each in parameters.items() if each.default is each.empty]
    taken = {}
    for key, value in options.items():
        if key not in parameters:
            if not parameters:
                raise UsageError(f"`{name}` takes no options, and `{key}` is given")
            raise NotFound.among(f"option of `{name}`", str(key), parameters)
        annotation = _annotation(target, parameters[key])
        taken[key] = _value(name, key, value, annotation, folders)
    for key in missing:
        if key not in taken:
            raise UsageError(f"`{name}` needs the option `{key}`")
    return taken


def wants_services(target: type) -> bool:
    """Whether a class is to be handed the project's models and prompts."""
    parameter = inspect.signature(target).parameters.get("services")
    return parameter is not None and _annotation(target, parameter) is Services


def _parameters(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The options: of a function what follows the sample, of a class whatever can be named.

    What a class is handed by the project is no option.
    """
    parameters = inspect.signature(target).parameters.values()
    return {
        each.name: each
        for each in parameters
        if each.kind is each.KEYWORD_ONLY
        or (isinstance(target, type) and each.kind is each.POSITIONAL_OR_KEYWORD)
        if not (each.name == "services" and _annotation(target, each) is Services)
    }


def _annotation(target: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The parameter's type; `Any` when it is not annotated.

    One by one, since the annotation of `sample` may name what only a type
    checker imports.
    """
    if parameter.annotation is parameter.empty:
        return Any
    one = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        hints = get_type_hints(one, globalns=_names_known_to(target, parameter.name))
    except NameError as error:
        raise UsageError(
            f"the type of option `{parameter.name}` cannot be read: {error}",
            hint="import it at run time, not under `if TYPE_CHECKING`",
        ) from None
    return hints[parameter.name]


def _names_known_to(target: Callable[..., Any], parameter: str) -> dict[str, Any]:
    """The names of the module in which a parameter is annotated: of a field, the base's."""
    home: Any = target
    if isinstance(target, type):
        for each in target.__mro__:
            if parameter in vars(each).get("__annotations__", {}):
                return vars(sys.modules[each.__module__])
        home = inspect.getattr_static(target, "__init__")
    return getattr(inspect.unwrap(home), "__globals__", {})


def _value(name: str, key: str, value: Any, annotation: Any, folders: Folders) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(annotation).validate_python(
            _located(value, annotation, folders), strict=True
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        within = "".join(f".{part}" for part in first["loc"] if isinstance(part, int))
        raise UsageError(f"option `{key}{within}` of `{name}`: {first['msg']}") from None


def _located(value: Any, annotation: Any, folders: Folders) -> Any:
    """A text as a path where the option wants one, and a list as a tuple: YAML has neither.

    An option that may be a text or a path is a path if something is there; it
    is not kept inside the project, since weights often lie elsewhere.
    """
    union = get_origin(annotation) in (Union, UnionType)
    kinds = get_args(annotation) if union else (annotation,)
    if isinstance(value, list) and any(tuple in (each, get_origin(each)) for each in kinds):
        return tuple(value)
    if not isinstance(value, str) or Path not in kinds:
        return value
    if str not in kinds:
        return folders.file(value)
    path = folders.base / value
    return path.resolve() if value and path.exists() else value
