"""How many tokens a prompt is, by the tokenizer of the model that it is for.

A vLLM server that runs is asked, and nobody else: no tokenizer is downloaded,
and no text is sent to an address that the project does not name.
"""

from __future__ import annotations

from typing import Any

from llmops.core.chat import Messages
from llmops.core.errors import LlmopsError, NotFound, Unsupported
from llmops.models.config import ModelConfig
from llmops.models.names import HTTP_PROVIDERS, Endpoint, ModelName, endpoint_of
from llmops.project.config import CONFIG_NAME, ProjectConfig
from llmops.project.sync import run_sync
from llmops.prompts import Input, Prompt
from llmops.prompts.inputs import NOT_GIVEN, Kind

DEADLINE = 2.0
"""Seconds that a server has for an answer; a count is nice to have."""


class TokenCounter:
    """Counts the tokens of prompts; a server that failed once is not asked again."""

    def __init__(self, config: ProjectConfig):
        self._config = config
        self._failed: dict[str, LlmopsError] = {}

    def __call__(self, prompt: Prompt) -> int:
        """The tokens of the prompt with sample inputs, as its model reads them.

        Raises `LlmopsError` that says why they cannot be counted: no model is
        named, it is no vLLM, nothing answers in time, or the prompt cannot be
        rendered.
        """
        endpoint = self._endpoint(prompt.model)
        messages = prompt.render(**sample_inputs(prompt))
        key = f"{endpoint.base} {endpoint.name}"
        if key in self._failed:
            raise self._failed[key]
        try:
            return run_sync(_count(endpoint, messages))
        except LlmopsError as error:
            self._failed[key] = error
            raise

    def _endpoint(self, model: str | None) -> Endpoint:
        wanted = model or self._config.default_model
        if wanted is None:
            raise Unsupported("neither the prompt nor the project names a model")
        config = self._config.models.get(wanted)
        if config is None and "/" in wanted:
            config = ModelConfig(model=wanted)
        if config is None:
            raise NotFound.among("model", wanted, self._config.models)
        provider = ModelName.parse(config.model).provider
        named = provider == "hosted_vllm" or config.api_base is not None
        if not named or provider not in HTTP_PROVIDERS:
            raise Unsupported(
                f"`{config.model}` is not served by vLLM, as far as {CONFIG_NAME} says"
            )
        return endpoint_of(config.model, api_base=config.api_base, key_env=config.api_key_env)


def sample_inputs(prompt: Prompt) -> dict[str, Any]:
    """A value for every input that needs one: its example, else its name in angle brackets."""
    return {each.name: _sample(each) for each in prompt.inputs if each.default is NOT_GIVEN}


def _sample(declared: Input) -> Any:
    for given in (declared.example, declared.default):
        if given is not NOT_GIVEN:
            return given
    if declared.enum:
        return declared.enum[0]
    match declared.kind:
        case Kind.INTEGER | Kind.NUMBER:
            return 1
        case Kind.BOOLEAN:
            return True
        case Kind.ARRAY:
            return [_sample(declared.items) if declared.items else f"<{declared.name}>"]
        case Kind.OBJECT:
            return {each.name: _sample(each) for each in declared.properties}
    return f"<{declared.name}>"


async def _count(endpoint: Endpoint, messages: Messages) -> int:
    # httpx takes a moment to import, and most commands never come here.
    from llmops.models.connection import Connection
    from llmops.models.vllm import VllmAbilities

    connection = Connection(endpoint, timeout=DEADLINE, size=1)
    try:
        return await VllmAbilities(connection, endpoint.name.served).count_tokens(messages)
    finally:
        await connection.aclose()
