"""What Ragas' prompts say about an answer, and its response models do not.

By the titles of the models and the names of their fields; a model that is not
named here gets the general bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ALLOWED: Mapping[str, Sequence[Any]] = {
    "verdict": (0, 1),
    "attributed": (0, 1),
    "noncommittal": (0, 1),
    "rating": (0, 1, 2),
    "AnswerAccuracyOutput.rating": (0, 2, 4),
    "AnswersGenerated.answers": ("0", "1"),
    "score": (1, 2, 3, 4, 5),
}
"""What Ragas' prompts allow where its models say no more than `int` or `str`."""

ONE_EACH: Mapping[str, str] = {
    "NLIStatementOutput": "statements",
    "StatementFaithfulnessOutput": "statements",
    "AnswersGenerated": "questions",
    "TopicClassificationOutput": "topics",
}
"""Models that answer one by one what this field of the prompt's input lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """A list that the model draws from a part of the prompt's input."""

    source: str
    words: int
    """Words of the source for one item."""
    tokens: int
    """Room for one item, and for what is asked about it later."""
    characters: int
    """The longest item."""
    least: int = 1


_CLAIMS = {"words": 5, "tokens": 100, "characters": 128}
_NAMES = {"words": 3, "tokens": 24, "characters": 48}

EXTRACTS: Mapping[str, Extract] = {
    "ClaimDecompositionOutput": Extract(source="response", **_CLAIMS),
    "ContextRecallOutput": Extract(source="answer", **_CLAIMS),
    "EntitiesList": Extract(source="text", least=0, **_NAMES),
    "ExtractedKeyphrases": Extract(source="text", **_NAMES),
    "QuestionsGenerated": Extract(source="keyphrases", words=1, tokens=48, characters=96),
    "StatementGeneratorOutput": Extract(source="answer", **_CLAIMS),
    "TopicExtractionOutput": Extract(source="user_input", words=20, tokens=100, characters=64),
}
ANY_LIST = Extract(source="", **_CLAIMS)
