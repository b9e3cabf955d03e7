"""What is evaluated: a prompt rendered with a case's inputs and answered by a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol, runtime_checkable

from llmops.core.chat import ChatModel, ChatReply, ChatRequest, Constraint, Messages, Sampling
from llmops.core.errors import NotFound, UsageError
from llmops.evals.dataset import Columns
from llmops.evals.suite import Suite
from llmops.prompts import Input, Prompt


@runtime_checkable
class Checkable(Protocol):
    """A model that can say cheaply whether its endpoint answers."""

    async def check(self, *, deadline: float) -> Any:
        """Return when the model answers; `ProviderError` when it does not in `deadline` seconds."""
        ...


class PromptQuestions:
    """What a suite asks with a prompt, whichever model is to answer."""

    def __init__(self, suite: Suite, prompt: Prompt):
        self.prompt = prompt
        self.sampling = suite.sampling(prompt.sampling)
        self.constraint = (
            Constraint(kind="json", value=prompt.output_schema) if prompt.output_schema else None
        )
        # CSV knows texts only; a prompt's integer is read from its text.
        self._parsers = (
            {each.name: each.parse for each in prompt.inputs}
            if suite.dataset_path.suffix.lower() == ".csv"
            else {}
        )

    def messages(self, inputs: Mapping[str, Any]) -> Messages:
        """The rendered prompt; `UsageError` when the inputs do not fit it."""
        if self._parsers:
            inputs = {name: self._parsers[name](value) for name, value in inputs.items()}
        return self.prompt.render(**inputs)


class PromptSubject(PromptQuestions):
    """A prompt, a model, and how to sample."""

    def __init__(
        self,
        suite: Suite,
        prompt: Prompt,
        model: ChatModel,
        *,
        use_cache: bool,
    ):
        super().__init__(suite, prompt)
        self.model = model
        # Only a model that is managed has a cache to be bypassed.
        self._options = {"use_cache": use_cache} if isinstance(model, Checkable) else {}

    async def answer(self, messages: Messages, repeat: int) -> ChatReply:
        """The model's reply; `ProviderError` when there is none.

        Each repeat has a seed of its own: with one seed for all, a server
        gives the same sample again and again.
        """
        request = ChatRequest(
            messages=messages,
            sampling=self._repeated(repeat),
            constraint=self.constraint,
            repeat=repeat,
        )
        return await self.model.chat(request, **self._options)

    def _repeated(self, repeat: int) -> Sampling:
        if repeat == 0:
            return self.sampling
        values = {name: getattr(self.sampling, name) for name in Sampling.__slots__}
        return Sampling(**{**values, "seed": self.sampling.seed + repeat})

    async def describe(self) -> dict[str, Any]:
        """What tells this subject from every other."""
        return {
            "prompt": self.prompt.name,
            "prompt_version": self.prompt.version,
            "prompt_fingerprint": self.prompt.fingerprint,
            "model": self.model.name,
            "model_identity": await self.model.identity(),
            "sampling": json.loads(json.dumps(asdict(self.sampling), default=str)),
        }


def bind_columns(suite: Suite, prompt: Prompt) -> Columns:
    """Which column goes into which variable of the prompt.

    Raises `UsageError` with the suite's line for a variable that the prompt
    does not declare, and for one that it needs and that gets no column.
    """
    section = suite.dataset
    declared = {each.name: each for each in prompt.inputs}
    needed = [name for name, each in declared.items() if _must_be_given(each)]
    if section.inputs is None:
        inputs = {name: name for name in needed}
        optional = frozenset(declared) - frozenset(needed)
    else:
        inputs, optional = dict(section.inputs), frozenset()
    for variable in inputs:
        if variable not in declared:
            raise NotFound.among(
                f"input of the prompt `{prompt.name}`",
                variable,
                declared,
                where=suite.where("dataset", "inputs", variable),
            )
    missing = [name for name in needed if name not in inputs]
    if missing:
        raise UsageError(
            f"the prompt `{prompt.name}` needs `{missing[0]}`, "
            "and `dataset.inputs` names no column for it",
            hint=f"add `{missing[0]}: COLUMN`",
            where=suite.where("dataset", "inputs"),
        )
    return Columns(
        id=section.id,
        inputs=inputs,
        optional=optional,
        expected=section.expected,
        contexts=section.contexts,
        tags=section.tags,
        slices=suite.slices,
        counterfactual=section.counterfactual,
    )


def _must_be_given(declared: Input) -> bool:
    try:
        declared.absent()
    except UsageError:
        return True
    return False
