"""A judge that writes its reasoning first and then gives a score from 1 to 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from llmops.core.chat import ChatRequest
from llmops.core.scoring import Sample, Score
from llmops.scorers.judges.judge import ModelJudge, Turn, details_of, spelled
from llmops.scorers.judges.labels import ONE_TO_FIVE

SHOWN = 1_500
"""Characters of the reasoning that a rationale holds."""


@dataclass(frozen=True, kw_only=True)
class JudgeGEval(ModelJudge):
    """The probability-weighted mean of the scores 1 to 5, given after a written reasoning.

    Source: Liu et al., "G-Eval: NLG evaluation using GPT-4 with better human
    alignment" (EMNLP 2023): criteria, reasoning, then the sum of each score
    times its probability, which here is exact and not estimated from samples.
    The prompt has an input `reasoning` that is not required: rendered without
    it, it asks for the reasoning; with it, for the score. The rationale holds
    the reasoning. Two calls a case.

    >>> import asyncio
    >>> from llmops.testing import ScriptedModel, ScriptedServices
    >>> model = ScriptedModel("It is short.", probabilities={"3": 0.5, "4": 0.5})
    >>> judge = JudgeGEval(criteria="Brevity.", services=ScriptedServices(model))
    >>> score = asyncio.run(judge.score(Sample(output="Paris.")))
    >>> score.value, score.rationale
    (3.5, '3 0.50, 4 0.50, 1 0.00, 2 0.00, 5 0.00: It is short.')
    """

    name: ClassVar[str] = "judge_geval"
    fills: ClassVar[tuple[str, ...]] = ("reasoning",)
    default_labels: ClassVar[Mapping[str, float]] = ONE_TO_FIVE

    prompt: str = "judges/geval"

    async def _look(self, sample: Sample, turn: Turn) -> Score:
        values = self._filling.values(sample)
        thought = await self._model.chat(
            ChatRequest(
                messages=self._prompt.render(**values),
                sampling=turn.sampling,
                repeat=turn.repeat,
            )
        )
        reasoning = thought.text.strip() or "(none)"
        heard = await self._ask(self._prompt.render(**values, reasoning=reasoning), turn)
        usage = heard.usage if thought.cached else thought.usage + heard.usage
        details = details_of(heard)
        reason = self._unread(heard)
        if reason is not None:
            return Score.unscored(reason, usage=usage, details=details)
        shown = reasoning if len(reasoning) <= SHOWN else reasoning[: SHOWN - 1] + "…"
        return Score(
            value=self._mean(heard),
            rationale=f"{spelled(heard)}: {shown}",
            usage=usage,
            details=details,
        )
