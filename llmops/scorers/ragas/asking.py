"""The metrics of Ragas that ask a language model: through the project's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llmops.core.chat import Sampling
from llmops.core.errors import UsageError
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Sample, Score
from llmops.core.services import Services
from llmops.scorers.ragas import package
from llmops.scorers.ragas.parts import Lacking
from llmops.scorers.ragas.scorer import BROKEN, RagasScorer, raised, short
from llmops.scorers.ragas.telling import told

if TYPE_CHECKING:
    from llmops.scorers.ragas.talk import Talk

DEADLINE = 25.0
"""Seconds in which the model must answer before a run begins."""


@dataclass(frozen=True, kw_only=True)
class AskingScorer(RagasScorer):
    """Base of the scorers that ask a language model.

    `model` is a model of the project, by default its default one. `max_tokens`
    is the room for one answer: of it follow how many claims, names or
    questions a text is taken apart into, and how long a reason may be. The
    first acceptable text is the reference. A provider that fails is an error,
    an answer of no use leaves the case unscored.
    """

    model: str | None = None
    seed: int = 0
    max_tokens: int = 512
    services: Services = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_tokens < 128:
            raise UsageError(f"`max_tokens` of `{self.name}` must be at least 128")

    @property
    def made_from(self) -> Mapping[str, str]:
        """The same, with the model's name and the text of the prompts."""
        from llmops.scorers.ragas.prompts import texts

        chat_model = self.services.chat_model(self.model)
        return {
            **super().made_from,
            "model": chat_model.name,
            "prompts": fingerprint(texts(self._asking(self._talk()))),
        }

    async def identity(self) -> str:
        """The endpoint and the weights that answer; asks the network."""
        return await self.services.chat_model(self.model).identity()

    async def warm_up(self) -> None:
        """Import Ragas, and find out that the model is there, before any case."""
        super().warm_up()
        check = getattr(self.services.chat_model(self.model), "check", None)
        if check is not None:
            await check(deadline=DEADLINE)

    async def look(self, sample: Sample) -> Score:
        """The metric's value for the sample, with what its calls cost."""
        if "response" in self.metric.inputs and not sample.output.strip():
            if self.metric.higher_is_better:
                return Score(value=self.metric.lowest, rationale="the answer is empty")
            return Score.unscored("the answer is empty")
        try:
            given = self._given(sample)
        except Lacking as error:
            return Score.unscored(str(error))
        package.collections()
        talk = self._talk()
        score = await self._asked(talk, given)
        return replace(score, usage=talk.usage, details={"calls": float(talk.calls)})

    async def _asked(self, talk: Talk, given: dict[str, Any]) -> Score:
        from llmops.scorers.ragas.talk import Stop

        metric = self._asking(talk)
        if self.metric.kind.startswith("ContextPrecision"):
            answer = given.get("reference", given.get("response"))
            talk.begin(
                metric.prompt,
                [
                    {"question": given["user_input"], "answer": answer, "context": context}
                    for context in given["retrieved_contexts"]
                ],
            )
        try:
            result = await metric.ascore(**given)
        except Stop as stop:
            if stop.error is not None:
                raise stop.error from None
            return Score.unscored(short(stop.reason))
        except BROKEN as error:
            return Score.unscored(raised(error))
        finally:
            await talk.end()
        found = self._score(result)
        if found.value is None:
            return Score.unscored("the metric has no value: the model found nothing to judge")
        return replace(found, rationale=short(told(talk.answers) or found.rationale))

    def _asking(self, talk: Talk) -> Any:
        """A new object of Ragas' class, whose calls go through `talk`."""
        from llmops.scorers.ragas.talk import Embeddings

        handed: dict[str, Any] = {"llm": talk}
        if self.metric.embeddings:
            handed["embeddings"] = Embeddings(self._encoder)
        metric = self._metric(**handed)
        talk.listen(metric)
        return metric

    def _talk(self) -> Talk:
        package.collections()
        from llmops.scorers.ragas.talk import Talk

        temperature: float = getattr(self, "temperature")  # noqa: B009 - of every subclass
        return Talk(
            self.services.chat_model(self.model),
            Sampling(temperature=temperature, seed=self.seed),
            self.max_tokens,
            {"rubrics": rubrics} if (rubrics := getattr(self, "rubrics", None)) else {},
        )
