"""A judge that prefers one of two answers, asked in both orders."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers.judges.asking import Heard
from llmops.scorers.judges.filling import PARTS, shaped
from llmops.scorers.judges.judge import ModelJudge, Turn, details_of
from llmops.scorers.references import references

FIRST, SECOND = "A", "B"


@dataclass(frozen=True, kw_only=True)
class JudgePairwise(ModelJudge):
    """How likely a model prefers the answer to a rival: 0.5 is a tie.

    The rival is what is expected (of several texts the first), or with
    `against: NAME` the case's input of that name. The prompt has the inputs
    `first` and `second` and asks for `A` or `B`. Both orders are asked and
    averaged, which takes a constant preference for a position out (Zheng et
    al., "Judging LLM-as-a-judge", NeurIPS 2023). Where the two orders prefer
    different answers, the rationale says so and `inconsistent` counts it;
    `first` is the mean probability of whatever stands first, 0.5 without bias.

    >>> import asyncio
    >>> from llmops.testing import ScriptedModel, ScriptedServices
    >>> services = ScriptedServices(ScriptedModel("", probabilities={"A": 0.9, "B": 0.1}))
    >>> judge = JudgePairwise(services=services)
    >>> score = asyncio.run(judge.score(Sample(output="Paris.", expected="Rome.")))
    >>> round(score.value, 2), score.details["inconsistent"]
    (0.5, 1.0)
    """

    name: ClassVar[str] = "judge_pairwise"
    fills: ClassVar[tuple[str, ...]] = ("first", "second")
    default_labels: ClassVar[Mapping[str, float]] = {FIRST: 1.0, SECOND: 0.0}

    prompt: str = "judges/pairwise"
    against: str = "expected"

    def __post_init__(self) -> None:
        if self.labels is not None:
            raise UsageError(f"`judge_pairwise` asks for `{FIRST}` or `{SECOND}`: it has no labels")
        if self.against in ("output", "contexts"):
            raise UsageError(f"`against: {self.against}` is no rival of the answer")
        super().__post_init__()

    @property
    def values(self) -> Mapping[str, float]:
        """What a preference is worth: for the answer 1, for its rival 0."""
        return {"output": 1.0, "rival": 0.0}

    @property
    def needs(self) -> frozenset[str]:
        """What the prompt asks for, and the rival."""
        return super().needs | ({self.against} & set(PARTS))

    @property
    def needs_inputs(self) -> frozenset[str]:
        """What the prompt asks for, and the rival."""
        return super().needs_inputs | ({self.against} - set(PARTS))

    async def _look(self, sample: Sample, turn: Turn) -> Score:
        values = self._filling.values(sample)
        answer = shaped(sample.output, "string")
        rival = self._rival(sample)
        shown = [(answer, rival), (rival, answer)]
        heard = await asyncio.gather(
            *(
                self._ask(self._prompt.render(**values, first=first, second=second), turn)
                for first, second in shown
            )
        )
        usage = heard[0].usage + heard[1].usage
        details = _worst(*heard)
        reason = self._unread(heard[0]) or self._unread(heard[1])
        if reason is not None:
            return Score.unscored(reason, usage=usage, details=details)
        ahead, behind = (each.weights.get(FIRST, 0.0) for each in heard)
        inconsistent = (ahead - 0.5) * (0.5 - behind) < 0
        rationale = f"preferred with {ahead:.2f} when shown first, {1 - behind:.2f} when second"
        if inconsistent:
            rationale += "; the order decides, not the answer"
        details |= {"inconsistent": float(inconsistent), "first": (ahead + behind) / 2}
        return Score(
            value=(ahead + 1 - behind) / 2, rationale=rationale, usage=usage, details=details
        )

    def _rival(self, sample: Sample) -> str:
        found: Any = (
            sample.expected if self.against == "expected" else sample.input.get(self.against)
        )
        texts = references(found)
        if not texts:
            raise UsageError(f"the case has no text in `{self.against}` to compare with")
        return str(shaped(texts[0], "string"))

    def _options(self) -> dict[str, str]:
        return super()._options() | {"against": self.against}


def _worst(one: Heard, other: Heard) -> dict[str, float]:
    """The details of the order that went worse."""
    both = (details_of(one), details_of(other))
    details = {"unparsed": max(each["unparsed"] for each in both)}
    if all("mass" in each for each in both):
        details["mass"] = min(each["mass"] for each in both)
    return details
