"""Judges that look at one answer: by a rubric, or against the expected one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers.judges.judge import ModelJudge, Turn, details_of, spelled


@dataclass(frozen=True, kw_only=True)
class Judge(ModelJudge):
    """What a model says of the answer: the mean worth of its labels.

    `prompt` is a prompt of the project that asks for one of `labels` (by
    default `Yes`, worth 1, and `No`, worth 0). Its inputs `output`, `expected`
    and `contexts` are filled with those of the case, `criteria` with the
    option, and any other with the case's input of that name; `inputs: {claim:
    output}` fills one from another. `model` is a model of `llmops.toml`, by
    default the prompt's, else the project's.

    On vLLM the score is the sum of probability times worth over the labels,
    divided by their sum (exact, from one token; the idea is that of G-Eval: Liu
    et al., EMNLP 2023). A case on whose labels the model puts less than
    `min_mass` is unscored. Elsewhere decoding is held to the labels, and the
    score is the worth of the one that came out; where nothing can be held, an
    answer that is no label leaves the case unscored and is counted.

    >>> import asyncio
    >>> from llmops.testing import ScriptedModel, ScriptedServices
    >>> services = ScriptedServices(ScriptedModel("", probabilities={"Yes": 0.6, "No": 0.2}))
    >>> judge = Judge(prompt="judges/harmlessness", services=services)
    >>> score = asyncio.run(judge.score(Sample(output="Thank you.")))
    >>> round(score.value, 2), score.rationale
    (0.75, 'Yes 0.75, No 0.25')
    """

    name: ClassVar[str] = "judge"

    async def _look(self, sample: Sample, turn: Turn) -> Score:
        heard = await self._ask(self._prompt.render(**self._filling.values(sample)), turn)
        details = details_of(heard)
        reason = self._unread(heard)
        if reason is not None:
            return Score.unscored(reason, usage=heard.usage, details=details)
        return Score(
            value=self._mean(heard), rationale=spelled(heard), usage=heard.usage, details=details
        )


@dataclass(frozen=True, kw_only=True)
class JudgeReference(Judge):
    """What a model says of the answer beside the expected one.

    A `judge` whose prompt has to ask for `expected`; a case without it is
    unscored.

    >>> import asyncio
    >>> from llmops.testing import ScriptedModel, ScriptedServices
    >>> services = ScriptedServices(ScriptedModel("", probabilities={"Yes": 0.9, "No": 0.1}))
    >>> judge = JudgeReference(services=services)
    >>> asyncio.run(judge.score(Sample(output="Paris.", expected="in Paris"))).value
    0.9
    """

    name: ClassVar[str] = "judge_reference"

    prompt: str = "judges/correctness"

    def __post_init__(self) -> None:
        super().__post_init__()
        if "expected" not in self.needs:
            raise UsageError(
                f"the prompt `{self.prompt}` does not ask for what is expected",
                hint="declare an input `expected`, or use `judge`",
            )
