"""Chat models: names, requests over HTTP, retries, limits, cache and cost.

Owns everything between a `ChatRequest` and the provider's answer. Models of
vLLM and of every OpenAI-compatible endpoint are called over HTTP; those of
other providers through LiteLLM, which is imported when such a model is first
used. Never imports prompts, scorers or evaluations.
"""

from __future__ import annotations

from llmops.models.config import ModelConfig
from llmops.models.factory import open_model
from llmops.models.managed import ManagedModel

__all__ = ["ManagedModel", "ModelConfig", "open_model"]
