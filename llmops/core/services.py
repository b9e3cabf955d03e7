"""What a scorer may be handed: a chat model and prompts, by name.

A judge asks a model with a prompt of the project, and knows of neither where
it comes from: the composition root hands both in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from llmops.core.chat import ChatModel, Messages, Sampling


class Declared(Protocol):
    """An input that a prompt declares."""

    @property
    def name(self) -> str:
        """What the input is called."""
        ...

    @property
    def kind(self) -> str:
        """`string`, `array` or another kind of Prompty."""
        ...

    def absent(self) -> Any:
        """What stands for the input when it is not given; `UsageError` if it is required."""
        ...


class Renderable(Protocol):
    """A prompt, as far as a scorer needs it."""

    @property
    def name(self) -> str:
        """The prompt's name, such as `judges/faithfulness`."""
        ...

    @property
    def version(self) -> str | None:
        """The version that its file says."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes with whatever the model is shown."""
        ...

    @property
    def model(self) -> str | None:
        """The model that the prompt itself names."""
        ...

    @property
    def sampling(self) -> Sampling:
        """How the prompt wants the model to pick tokens."""
        ...

    @property
    def inputs(self) -> Sequence[Declared]:
        """What the prompt asks for."""
        ...

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of the answer, if the prompt declares outputs."""
        ...

    def render(self, /, **inputs: Any) -> Messages:
        """The messages; `UsageError` when the inputs do not fit."""
        ...


class Services(Protocol):
    """Hands out what a project has. Whoever made it closes what it opened."""

    def chat_model(self, name: str | None = None) -> ChatModel:
        """A model by the name that `llmops.toml` gives it; left out, the default one."""
        ...

    def prompt(self, ref: str) -> Renderable:
        """A prompt by its ref; `NotFound` suggests the nearest."""
        ...
