"""Plugins: scorers (and later stores and models) that other packages bring.

A package offers one by an entry point in the group `llmops.scorers`; a suite
names it as it names a built-in one. `module:attribute` names any importable
object without a package.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from typing import Any

from llmops.core.errors import NotFound, UsageError

SCORERS = "llmops.scorers"


def names(group: str) -> list[str]:
    """The names that installed packages offer in `group`, sorted."""
    return sorted(point.name for point in entry_points(group=group))


def load(group: str, name: str) -> Any:
    """The object that a package offers as `name`; `NotFound` if none does."""
    for point in entry_points(group=group, name=name):
        return point.load()
    raise NotFound.among("plugin", name, names(group))


def load_attribute(reference: str) -> Any:
    """The object at `module:attribute`; `UsageError` says which half is wrong."""
    module_name, _, attribute = reference.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ImportError as error:
        raise UsageError(
            f"`{module_name}` cannot be imported: {error}",
            hint="install it, or run from the project's folder",
        ) from error
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise NotFound.among(
                f"attribute of `{module_name}`", attribute, [n for n in dir(found) if n[0] != "_"]
            ) from None
    return found
