"""The text of a metric's prompts, by which its scorer's version knows them."""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from llmops.scorers.ragas.talk import Remembering


def texts(metric: Any) -> dict[str, str]:
    """Each prompt of `metric` as the model reads it, with the names of its inputs as values."""
    return {
        name: str(prompt.to_string(_placeholders(prompt.takes)))
        for name, prompt in vars(metric).items()
        if isinstance(prompt, Remembering)
    }


def _placeholders(model: type[BaseModel]) -> BaseModel:
    return model.model_validate(
        {name: _placeholder(name, each.annotation) for name, each in model.model_fields.items()}
    )


def _placeholder(name: str, kind: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _placeholder(name, get_args(kind)[0])
    if origin is list:
        return [f"<{name}>"]
    if origin is dict:
        return {f"<{name}>": "<text>"}
    if kind is str:
        return f"<{name}>"
    return get_args(kind)[0] if get_args(kind) else None
