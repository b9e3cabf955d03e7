"""What a project hands to its scorers: models and prompts, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmops.prompts import Prompt

if TYPE_CHECKING:
    from llmops.models import ManagedModel


class ProjectServices:
    """The models and prompts of a project; made by `Project.services`.

    Implements `llmops.core.services.Services`. Each model is opened once, at
    its first use; whoever asked for the services closes them.
    """

    def __init__(
        self,
        *,
        open_model: Callable[[str | None], ManagedModel],
        find_prompt: Callable[[str], Prompt],
    ):
        self._open_model = open_model
        self._find_prompt = find_prompt
        self._models: dict[str | None, ManagedModel] = {}

    def chat_model(self, name: str | None = None) -> ManagedModel:
        """A model of `llmops.toml`, or any by its LiteLLM name; left out, the default one."""
        if name not in self._models:
            self._models[name] = self._open_model(name)
        return self._models[name]

    def prompt(self, ref: str) -> Prompt:
        """A prompt by its ref; `NotFound` suggests the nearest."""
        return self._find_prompt(ref)

    async def aclose(self) -> None:
        """Close every model that was opened; one that is asked for later is opened again."""
        opened, self._models = self._models, {}
        await asyncio.gather(*(model.aclose() for model in opened.values()))
