"""The model of a promptfoo config: its name in LiteLLM's spelling, and how it samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.prompts.exchange.parameters import NO_TEMPERATURE, option_notes, read_options
from llmops.prompts.exchange.schemas import read_schema

_PREFIXES = {
    "openai": "openai",
    "anthropic": "anthropic",
    "azure": "azure",
    "azureopenai": "azure",
    "bedrock": "bedrock",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "google": "gemini",
    "groq": "groq",
    "huggingface": "huggingface",
    "mistral": "mistral",
    "ollama": "ollama_chat",
    "openrouter": "openrouter",
    "togetherai": "together_ai",
    "together": "together_ai",
    "vertex": "vertex_ai",
    "xai": "xai",
}
_APIS = frozenset({"chat", "completion", "messages", "responses", "text-generation"})


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What a config says about the model."""

    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()


def read_provider(config: Mapping[str, Any]) -> Provider:
    """The one provider of a config; several of them, or none, make no model."""
    listed = config.get("providers", config.get("targets"))
    providers = listed if isinstance(listed, list) else [listed] if listed else []
    if len(providers) != 1:
        several = f"the config tries {len(providers)} models: none is held" if providers else None
        return Provider(notes=(*([several] if several else []), NO_TEMPERATURE))
    name, settings = _named(providers[0])
    model, notes = _model(name)
    options, left = read_options({k: v for k, v in settings.items() if k != "response_format"})
    outputs, schema_notes = _outputs(settings.get("response_format"))
    return Provider(
        model=model,
        options=options,
        outputs=tuple(outputs),
        notes=(*notes, *schema_notes, *option_notes(options, left)),
    )


def _named(provider: Any) -> tuple[str, Mapping[str, Any]]:
    """The id of a provider, and its settings."""
    if isinstance(provider, str):
        return provider, {}
    if isinstance(provider, Mapping) and provider:
        name = provider.get("id")
        inner: Any = provider
        if name is None:
            name, inner = next(iter(provider.items()))
        settings = inner.get("config") if isinstance(inner, Mapping) else None
        return str(name), settings if isinstance(settings, Mapping) else {}
    return "", {}


def _model(name: str) -> tuple[str | None, list[str]]:
    """The model of a provider's id.

    >>> _model("openai:chat:gpt-4o-mini"), _model("anthropic:messages:claude-x")
    (('openai/gpt-4o-mini', []), ('anthropic/claude-x', []))
    """
    prefix, _, rest = name.partition(":")
    api, colon, model = rest.partition(":")
    model = model if colon and api in _APIS else rest
    if prefix == "litellm" and rest:
        return rest, []
    if prefix in _PREFIXES and model:
        return f"{_PREFIXES[prefix]}/{model}", []
    # An address may hold a password.
    shown = "at an address of its own" if "://" in name else f"`{name}`"
    return None, [f"the provider {shown} is not held as a model"]


def _outputs(given: Any) -> tuple[list[dict[str, Any]], list[str]]:
    if not isinstance(given, Mapping) or given.get("type") in (None, "text"):
        return [], [] if not isinstance(given, str) else ["`response_format` is not held"]
    named = given.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else given.get("schema")
    if schema is None:
        return [], ["`response_format` is not held: declare outputs"]
    return read_schema(schema)
