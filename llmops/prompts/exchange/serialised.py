"""Objects as LangChain serialises them: a kind, and the arguments that make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import DocumentError, Where

_SAVED = {"prompt": "PromptTemplate", "few_shot": "FewShotPromptTemplate"}


@dataclass(frozen=True, kw_only=True)
class Serialised:
    """One object."""

    kind: str
    """The name of its class."""
    kwargs: Mapping[str, Any]


def opened(data: Any, where: Where) -> Serialised:
    """The object that `data` describes.

    Raises `DocumentError` for data that describes none, for an object that
    LangChain could not serialise, and for a secret in the place of an object.
    """
    if not isinstance(data, Mapping):
        raise DocumentError(
            "holds something else where an object of LangChain should be", where=where
        )
    if "lc" not in data and ("_type" in data or "template" in data):
        saved = str(data.get("_type", "prompt"))
        if saved not in _SAVED:
            raise DocumentError(f"`_type: {saved}` is no prompt that is known here", where=where)
        return Serialised(kind=_SAVED[saved], kwargs=data)
    kind = _class_name(data.get("id"))
    if data.get("type") == "not_implemented":
        raise DocumentError(
            f"LangChain could not serialise `{kind}`, so its content is not in the file",
            hint="write the examples out as messages",
            where=where,
        )
    kwargs = data.get("kwargs")
    if data.get("type") != "constructor" or not kind or not isinstance(kwargs, Mapping):
        raise DocumentError("holds an object that is no serialised one of LangChain", where=where)
    return Serialised(kind=kind, kwargs=kwargs)


def kwargs_of(made: Serialised, key: str) -> Mapping[str, Any]:
    """The mapping under `key`; empty where there is none."""
    value = made.kwargs.get(key)
    return value if isinstance(value, Mapping) else {}


def _class_name(given: Any) -> str:
    return str(given[-1]) if isinstance(given, list) and given else ""
