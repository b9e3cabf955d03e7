"""From a `[models.NAME]` table to a model that can be called."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.models.cache import ResponseCache
from llmops.models.config import ModelConfig
from llmops.models.limits import Limits, Pace
from llmops.models.managed import Adapter, ManagedModel
from llmops.models.names import HTTP_PROVIDERS, ModelName, endpoint_of
from llmops.models.retries import Retries


def open_model(
    config: ModelConfig,
    *,
    cache: ResponseCache | None,
    environ: Mapping[str, str] | None = None,
) -> ManagedModel:
    """The model that `config` describes. Nothing is connected before the first call.

    `environ` stands in for the process's environment, where keys are. Raises
    `UsageError` when a needed address or key is missing, `MissingExtra` when
    the model needs LiteLLM and that is not installed.
    """
    pace = Pace(config.requests_per_minute) if config.requests_per_minute else None
    return ManagedModel(
        _adapter(config, environ),
        limits=Limits(config.concurrency, pace),
        retries=Retries(limit=config.retries),
        cache=cache if config.cache else None,
        price=config.price,
    )


def _adapter(config: ModelConfig, environ: Mapping[str, str] | None) -> Adapter:
    provider = ModelName.parse(config.model).provider
    if config.transport == "litellm" or (
        config.transport == "auto" and provider not in HTTP_PROVIDERS
    ):
        from llmops.models.litellm import LiteLlmModel

        return LiteLlmModel.build(config, environ)
    from llmops.models.openai_http import HttpModel

    endpoint = endpoint_of(
        config.model, api_base=config.api_base, key_env=config.api_key_env, environ=environ
    )
    return HttpModel(endpoint, timeout=config.timeout, connections=config.concurrency)
