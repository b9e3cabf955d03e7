"""What a judge is handed in tests: scripted models, and the standard judges' prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from llmops.core.chat import ChatModel
from llmops.core.errors import NotFound
from llmops.core.services import Renderable
from llmops.prompts import PromptRepository

STANDARD = Path(__file__).parents[1] / "project"
"""Where the package keeps the prompts of the standard judges, under `judges`."""


class ScriptedServices:
    """Implements `Services` with one model, or several by name.

    `find_prompt` is what finds a prompt by its ref, such as
    `load_project().prompt`; left out, prompts are the standard judges.
    """

    def __init__(
        self,
        models: ChatModel | Mapping[str, ChatModel],
        find_prompt: Callable[[str], Renderable] | None = None,
    ):
        self._models = models
        self._find_prompt = find_prompt or PromptRepository(STANDARD).get

    def chat_model(self, name: str | None = None) -> ChatModel:
        """The model; of several the one called `name`, left out the first."""
        if not isinstance(self._models, Mapping):
            return self._models
        if name is None:
            return next(iter(self._models.values()))
        if name not in self._models:
            raise NotFound.among("model", name, self._models)
        return self._models[name]

    def prompt(self, ref: str) -> Renderable:
        """A prompt by its ref."""
        return self._find_prompt(ref)
