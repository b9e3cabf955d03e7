"""What all judges share: prompt, model and labels, and how an answer becomes a score."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from llmops.core.chat import ChatModel, ChatRequest, Messages, Sampling
from llmops.core.errors import ContextTooLong, NotFound, UsageError
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Sample, Score
from llmops.core.services import Renderable, Services
from llmops.scorers.judges.asking import Asker, Heard
from llmops.scorers.judges.filling import Filling, must_be_given
from llmops.scorers.judges.labels import YES_NO, read_labels
from llmops.scorers.measuring import lacking

MIN_MASS = 0.5
"""A judge that puts less than this on its labels wanted to say something else."""
DEADLINE = 25.0
"""Seconds in which the judge's model must answer before a run begins."""
_DIGITS = len("sha256:") + 12


@dataclass(frozen=True, kw_only=True)
class ModelJudge(ABC):
    """Base of the judges; the fields are a check's options, apart from `services`.

    Needs a prompt that declares no outputs: the answer is one of the labels.
    Raises `NotFound` or `UsageError` when it is made if there is no such
    prompt, or one of its inputs has no source. The model is opened when it is
    first asked for.
    """

    name: ClassVar[str]
    method: ClassVar[str] = "1"
    default_rule: ClassVar[str | None] = None
    higher_is_better: ClassVar[bool] = True
    fills: ClassVar[tuple[str, ...]] = ()
    """Inputs of the prompt that the judge fills itself."""
    default_labels: ClassVar[Mapping[str, float]] = YES_NO

    prompt: str
    model: str | None = None
    labels: Mapping[Any, float] | None = None
    criteria: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    min_mass: float = MIN_MASS
    services: Services = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.min_mass < 1:
            raise UsageError("`min_mass` is a probability: at least 0 and less than 1")
        _ = self._values, self._filling

    @property
    def values(self) -> Mapping[str, float]:
        """What each label is worth."""
        return self._values

    @property
    def unit(self) -> str:
        """Empty where all labels are worth something between 0 and 1."""
        return "" if all(0 <= each <= 1 for each in self._values.values()) else "points"

    @property
    def needs(self) -> frozenset[str]:
        """What a case must have, as the prompt asks for it."""
        return self._filling.needs

    @property
    def needs_inputs(self) -> frozenset[str]:
        """The variables that a case's input must have."""
        return self._filling.needs_inputs

    @property
    def made_from(self) -> Mapping[str, str]:
        """What decides on the scores, each with its fingerprint or value.

        The model goes in by its name, not by its address, so that a judge
        which was calibrated on one machine is the same on another. `answers`,
        how the label comes out of the model, is known after `warm_up`.
        """
        found = {
            "method": f"{self.name}/{self.method}",
            "prompt": f"{self._prompt.name} {self._prompt.fingerprint}",
            "model": self._model.name,
            "labels": _json(self._values),
            **self._options(),
        }
        if self._asker.way is not None:
            found["answers"] = self._asker.way.value
        return found

    @property
    def prompt_version(self) -> str | None:
        """The version that the judge's prompt says; its content goes into `made_from`."""
        return self._prompt.version

    @property
    def version(self) -> str:
        """The method's version, and a digest of what the judge is made from."""
        return f"{self.method}[{fingerprint(dict(self.made_from))[:_DIGITS]}]"

    async def identity(self) -> str:
        """The endpoint and the weights that answer; asks the network."""
        return await self._model.identity()

    async def warm_up(self) -> None:
        """Find out that the model is there and how it gives its label, before any case."""
        check = getattr(self._model, "check", None)
        if check is not None:
            await check(deadline=DEADLINE)
        await self._asker.settle()

    async def score(self, sample: Sample) -> Score:
        """The judge's score; unscored when the case lacks something or no label came out."""
        return await self.judge(sample)

    async def judge(
        self, sample: Sample, *, repeat: int = 0, temperature: float | None = None
    ) -> Score:
        """The same, asked once more: with another seed, and at another temperature."""
        reason = lacking(self.needs, sample)
        if reason is not None:
            return Score.unscored(reason)
        sampling = self._prompt.sampling
        sampling = replace(
            sampling,
            seed=sampling.seed + repeat,
            temperature=sampling.temperature if temperature is None else temperature,
        )
        try:
            return await self._look(sample, Turn(sampling=sampling, repeat=repeat))
        except UsageError as error:
            return Score.unscored(f"the judge's prompt does not take the case: {error.message}")
        except ContextTooLong as error:
            return Score.unscored(f"the case is too long for the judge: {error.message}")

    @abstractmethod
    async def _look(self, sample: Sample, turn: Turn) -> Score:
        """The score of a sample that has all that is needed.

        A `UsageError` or `ContextTooLong` leaves the case unscored.
        """

    def _options(self) -> dict[str, str]:
        """The options that decide on the score, beside those that all judges have."""
        found: dict[str, Any] = {}
        if self.criteria is not None:
            found["criteria"] = self.criteria
        if self.inputs:
            found["inputs"] = _json(self.inputs)
        if self.min_mass != MIN_MASS:
            found["min_mass"] = f"{self.min_mass:g}"
        return found

    def _unread(self, heard: Heard) -> str | None:
        """Why there is no label to go by; `None` if there is one."""
        if heard.mass is not None and heard.mass < self.min_mass:
            return (
                f"the judge put {heard.mass:.0%} on its labels and wanted to say something else "
                f"(`min_mass` is {self.min_mass:.0%})"
            )
        if not heard.weights:
            return f"the judge's answer is none of its labels: {_cut(heard.said)}"
        return None

    def _mean(self, heard: Heard) -> float:
        return sum(self._values[label] * share for label, share in heard.weights.items())

    async def _ask(self, messages: Messages, turn: Turn) -> Heard:
        request = ChatRequest(messages=messages, sampling=turn.sampling, repeat=turn.repeat)
        return await self._asker.ask(request)

    @cached_property
    def _prompt(self) -> Renderable:
        try:
            prompt = self.services.prompt(self.prompt)
        except NotFound as error:
            raise NotFound(
                error.message,
                hint=f"{error.hint}; `llmops init --judges` adds the standard judges",
            ) from None
        if prompt.output_schema is not None:
            raise UsageError(
                f"the prompt `{prompt.name}` declares outputs, and a judge answers with a label",
                hint="take `outputs` out, and ask for one of the labels",
            )
        return prompt

    @cached_property
    def _values(self) -> Mapping[str, float]:
        return read_labels(self.default_labels if self.labels is None else self.labels)

    @cached_property
    def _filling(self) -> Filling:
        declared = {each.name: each for each in self._prompt.inputs}
        fixed: dict[str, Any] = {"labels": list(self._values)} if "labels" in declared else {}
        own = set(self.fills)
        if self.criteria is not None:
            fixed["criteria"] = self.criteria
        elif "criteria" in declared:
            if must_be_given(declared["criteria"]):
                raise UsageError(
                    f"the prompt `{self._prompt.name}` judges by criteria, and none are given",
                    hint='write `options: {criteria: "…"}`',
                )
            own.add("criteria")  # the prompt's own default
        return Filling(self._prompt, self.inputs, fixed, own)

    @cached_property
    def _model(self) -> ChatModel:
        return self.services.chat_model(self.model or self._prompt.model)

    @cached_property
    def _asker(self) -> Asker:
        return Asker(self._model, list(self._values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How one judgement is asked for."""

    sampling: Sampling
    repeat: int


def details_of(heard: Heard) -> dict[str, float]:
    """What a report counts of every judgement: the mass, and answers that were no label."""
    unparsed = 0.0 if heard.weights or heard.mass is not None else 1.0
    return {"unparsed": unparsed, **({} if heard.mass is None else {"mass": heard.mass})}


def spelled(heard: Heard) -> str:
    """The labels with their shares, the likeliest first.

    >>> spelled(Heard(weights={"No": 0.2, "Yes": 0.8}, mass=0.97))
    'Yes 0.80, No 0.20'
    """
    ordered = sorted(heard.weights.items(), key=lambda each: -each[1])
    return ", ".join(f"{label} {share:.2f}" for label, share in ordered[:5])


def _cut(text: str, limit: int = 120) -> str:
    line = " ".join(text.split())
    return f"`{line if len(line) <= limit else line[: limit - 1] + '…'}`"


def _json(value: Any) -> str:
    return json.dumps(dict(value), sort_keys=True, ensure_ascii=False)
