"""Whether a name leads to the same model at the same endpoint on both sides."""

from __future__ import annotations

from typing import Any

from llmops.models.config import ModelConfig
from llmops.project.config import ProjectConfig

PACE = frozenset(
    {"timeout", "concurrency", "requests_per_minute", "retries", "cache", "context", "price"}
)
"""Settings of a model that say how it is called and not what it answers."""


def model_change(
    name: str | None, now: ProjectConfig, then: ProjectConfig, *, was: str | None = None
) -> str | None:
    """What differs in the model of that name, in words; `None` if nothing does.

    Without a name it is the default model. `was` is what the model was called
    then, where that differs. The address counts: what answers there is another
    server, as far as can be told.
    """
    wanted, past = name or now.default_model, was or name or then.default_model
    new, old = _entry(wanted, now), _entry(past, then)
    if new == old:
        return None
    called = "model" if name else "default model"
    if wanted != past:
        return f"{called} {past} → {wanted}"
    if new is None or old is None:
        return f"{called} {wanted}: {'removed' if new is None else 'new'}"
    keys = ", ".join(key for key in new if new[key] != old[key])
    return f"{called} {wanted}: {keys} changed"


def _entry(name: str | None, config: ProjectConfig) -> dict[str, Any] | None:
    if name is None:
        return None
    found = config.models.get(name)
    if found is None and "/" in name:
        found = ModelConfig(model=name)
    return found.model_dump(exclude=set(PACE)) if found else None
