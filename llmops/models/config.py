"""One `[models.NAME]` table of `llmops.toml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from llmops.core.documents import Document
from llmops.core.errors import UsageError
from llmops.models.names import ModelName, checked_base


class Price(Document):
    """What calls cost, in whatever currency the numbers are in.

    Either per token (both numbers, per million tokens), or per hour of the
    machine that the model occupies.
    """

    input_per_million: float | None = Field(
        default=None, ge=0, description="For a million tokens of the prompt."
    )
    output_per_million: float | None = Field(
        default=None, ge=0, description="For a million tokens of the answer."
    )
    per_gpu_hour: float | None = Field(
        default=None, ge=0, description="For an hour of the machine, while calls are in flight."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Price:
        tokens = (self.input_per_million, self.output_per_million)
        if self.per_gpu_hour is not None and tokens == (None, None):
            return self
        if self.per_gpu_hour is None and None not in tokens:
            return self
        raise ValueError("give `input_per_million` and `output_per_million`, or `per_gpu_hour`")


class ModelConfig(Document):
    """Which model, where it is, and how hard it may be worked.

    >>> ModelConfig(model="hosted_vllm/smollm2-135m").concurrency
    8
    """

    model: str = Field(description="LiteLLM's spelling, `provider/name`.")
    api_base: str | None = Field(
        default=None,
        description="The endpoint's address up to and including `/v1`; "
        "left out, the provider's own.",
    )
    transport: Literal["auto", "http", "litellm"] = Field(
        default="auto",
        description="`auto` calls vLLM and OpenAI-compatible endpoints over HTTP, "
        "every other provider through LiteLLM.",
    )
    api_key_env: str | None = Field(
        default=None,
        description="The environment variable that holds the key; "
        "left out, the provider's usual one.",
    )
    timeout: float = Field(
        default=120.0,
        gt=0,
        description="Seconds that one attempt may take; in a stream, seconds between two pieces.",
    )
    concurrency: int = Field(default=8, ge=1, le=4096, description="Calls in flight at once.")
    requests_per_minute: int | None = Field(
        default=None, ge=1, description="Calls that may begin in a minute; left out, any number."
    )
    retries: int = Field(
        default=4,
        ge=0,
        le=20,
        description="Further attempts after one that failed in a way that may pass.",
    )
    cache: bool = Field(
        default=True, description="Keep answers, and take them from there when asked again."
    )
    context: int | None = Field(
        default=None,
        ge=1,
        description="Tokens that prompt and answer may have together; "
        "`llmops prompt lint` holds prompts to it.",
    )
    price: Price | None = Field(default=None, description="Left out: calls have no cost.")

    @field_validator("model")
    @classmethod
    def _names_a_provider(cls, value: str) -> str:
        try:
            ModelName.parse(value)
        except UsageError as error:
            raise ValueError(f"{error.message}; {error.hint}") from None
        return value

    @field_validator("api_base")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return checked_base(value, "api_base")
        except UsageError as error:
            raise ValueError(error.message) from None
