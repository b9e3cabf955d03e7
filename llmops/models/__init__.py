"""Chat models: names, requests over HTTP, retries, limits, cache and cost.

Owns everything between a `ChatRequest` and the provider's answer. Models of
vLLM and of every OpenAI-compatible endpoint are called over HTTP; those of
other providers through LiteLLM, which is imported when such a model is first
used. Never imports prompts, scorers or evaluations. The public names are loaded
on first use: a command that calls no model needs no event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops.core.lazy import on_first_use

if TYPE_CHECKING:
    from llmops.models.config import ModelConfig as ModelConfig
    from llmops.models.factory import open_model as open_model
    from llmops.models.managed import ManagedModel as ManagedModel

__all__ = ["ManagedModel", "ModelConfig", "open_model"]

__getattr__ = on_first_use(
    __name__, {"ManagedModel": "managed", "ModelConfig": "config", "open_model": "factory"}
)
