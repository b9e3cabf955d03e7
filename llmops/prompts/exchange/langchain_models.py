"""The model that LangSmith keeps with a prompt, in LiteLLM's spelling; secrets stay out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.core.errors import Where
from llmops.prompts.exchange.parameters import read_options
from llmops.prompts.exchange.serialised import Serialised, kwargs_of, opened

_PROVIDERS = {
    "AzureChatOpenAI": "azure",
    "ChatAnthropic": "anthropic",
    "ChatBedrock": "bedrock",
    "ChatBedrockConverse": "bedrock",
    "ChatDeepSeek": "deepseek",
    "ChatFireworks": "fireworks_ai",
    "ChatGoogleGenerativeAI": "gemini",
    "ChatGroq": "groq",
    "ChatMistralAI": "mistral",
    "ChatOllama": "ollama_chat",
    "ChatOpenAI": "openai",
    "ChatVertexAI": "vertex_ai",
}
_NAMES = ("model_name", "model", "model_id", "azure_deployment", "deployment_name")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model and how it samples."""

    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    """Settings that have no place in a prompt."""
    notes: tuple[str, ...] = ()


def read_model(steps: Iterable[Serialised], where: Where) -> Model:
    """The model among the steps after a prompt; the other steps are told in its notes."""
    found: Model | None = None
    notes: list[str] = []
    for step in steps:
        inner, bound = step, {}
        if step.kind == "RunnableBinding":
            inner, bound = opened(step.kwargs.get("bound"), where), dict(kwargs_of(step, "kwargs"))
        if found is None and inner.kind in _PROVIDERS:
            found = _model(inner, bound)
        else:
            notes.append(f"the step `{inner.kind}` after the prompt is not held")
    model = found or Model()
    return Model(
        name=model.name, options=model.options, left=model.left, notes=(*model.notes, *notes)
    )


def _model(made: Serialised, bound: Mapping[str, Any]) -> Model:
    settings = {**made.kwargs, **kwargs_of(made, "model_kwargs"), **bound}
    settings.pop("model_kwargs", None)
    named = [settings.pop(key) for key in _NAMES if isinstance(settings.get(key), str)]
    plain = {key: value for key, value in settings.items() if not _is_secret(value)}
    options, left = read_options(plain)
    return Model(
        name=f"{_PROVIDERS[made.kind]}/{named[0]}" if named else None,
        options=options,
        left=tuple(left),
    )


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "secret"
