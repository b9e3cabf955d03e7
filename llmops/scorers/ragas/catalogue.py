"""Which metrics of Ragas there are as scorers, what each needs, and which are left out.

Told without importing Ragas; a test compares it with the installed package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PREFIX = "ragas."


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One class of `ragas.metrics.collections`."""

    kind: str
    """The class."""
    inputs: tuple[str, ...]
    """What it looks at, by the names that Ragas has for a sample's parts."""
    optional: tuple[str, ...] = ()
    """What it is shown as well where a case has it."""
    calls: str = ""
    """Calls of the model for a case; empty for a metric that asks none."""
    embeddings: bool = False
    options: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Ragas' own options that a suite may set: type and default."""
    temperature: float = 0.0
    lowest: float = 0.0
    highest: float = 1.0
    higher_is_better: bool = True

    @property
    def asks_model(self) -> bool:
        """Whether it calls a language model."""
        return bool(self.calls)

    @property
    def needs(self) -> frozenset[str]:
        """What a case must have, as every scorer says it."""
        expected = {"reference", "reference_tool_calls"} & set(self.inputs)
        contexts = {"retrieved_contexts"} & set(self.inputs)
        return frozenset(
            {*(("expected",) if expected else ()), *(("contexts",) if contexts else ())}
        )


QUESTION, ANSWER, REFERENCE = "user_input", "response", "reference"
CONTEXTS, SOURCES, TALK = "retrieved_contexts", "reference_contexts", "conversation"
Share = Literal["precision", "recall", "f1"]
Detail = Literal["low", "high"]
Rubric = dict[str, str] | None

_TEXTS = (ANSWER, REFERENCE)
_SHOWN_TO_RUBRICS = (QUESTION, CONTEXTS, SOURCES)

METRICS: Mapping[str, Metric] = {
    "agent_goal_accuracy": Metric(
        kind="AgentGoalAccuracyWithReference", inputs=(TALK, REFERENCE), calls="2"
    ),
    "agent_goal_accuracy_without_reference": Metric(
        kind="AgentGoalAccuracyWithoutReference", inputs=(TALK,), calls="2"
    ),
    "answer_accuracy": Metric(kind="AnswerAccuracy", inputs=(QUESTION, *_TEXTS), calls="2"),
    "answer_correctness": Metric(
        kind="AnswerCorrectness",
        inputs=(QUESTION, *_TEXTS),
        calls="3",
        embeddings=True,
        options={"weights": (tuple[float, float], (0.75, 0.25)), "beta": (float, 1.0)},
    ),
    # Three questions are asked for; at temperature 0 they would be the same one.
    "answer_relevancy": Metric(
        kind="AnswerRelevancy",
        inputs=(QUESTION, ANSWER),
        calls="`strictness` (3)",
        embeddings=True,
        options={"strictness": (int, 3)},
        temperature=0.3,
    ),
    "bleu_score": Metric(kind="BleuScore", inputs=_TEXTS),
    "chrf_score": Metric(kind="CHRFScore", inputs=_TEXTS),
    "context_entity_recall": Metric(
        kind="ContextEntityRecall", inputs=(REFERENCE, CONTEXTS), calls="2"
    ),
    "context_precision": Metric(
        kind="ContextPrecisionWithReference",
        inputs=(QUESTION, REFERENCE, CONTEXTS),
        calls="1 a context",
    ),
    "context_recall": Metric(
        kind="ContextRecall", inputs=(QUESTION, CONTEXTS, REFERENCE), calls="1"
    ),
    "context_relevance": Metric(kind="ContextRelevance", inputs=(QUESTION, CONTEXTS), calls="2"),
    "context_utilization": Metric(
        kind="ContextPrecisionWithoutReference",
        inputs=(QUESTION, ANSWER, CONTEXTS),
        calls="1 a context",
    ),
    "domain_specific_rubrics": Metric(
        kind="DomainSpecificRubrics",
        inputs=(ANSWER,),
        optional=_SHOWN_TO_RUBRICS,
        calls="1",
        options={"rubrics": (Rubric, None)},
        lowest=1.0,
        highest=5.0,
    ),
    "domain_specific_rubrics_with_reference": Metric(
        kind="RubricsScoreWithReference",
        inputs=_TEXTS,
        optional=_SHOWN_TO_RUBRICS,
        calls="1",
        options={"rubrics": (Rubric, None)},
        lowest=1.0,
        highest=5.0,
    ),
    "exact_match": Metric(kind="ExactMatch", inputs=_TEXTS),
    "factual_correctness": Metric(
        kind="FactualCorrectness",
        inputs=_TEXTS,
        calls="2 for precision, else 4",
        options={
            "mode": (Share, "f1"),
            "beta": (float, 1.0),
            "atomicity": (Detail, "low"),
            "coverage": (Detail, "low"),
        },
    ),
    "faithfulness": Metric(kind="Faithfulness", inputs=(QUESTION, ANSWER, CONTEXTS), calls="2"),
    "instance_specific_rubrics": Metric(
        kind="InstanceSpecificRubrics",
        inputs=("rubrics", ANSWER),
        optional=(*_SHOWN_TO_RUBRICS, REFERENCE),
        calls="1",
        lowest=1.0,
        highest=5.0,
    ),
    "noise_sensitivity": Metric(
        kind="NoiseSensitivity",
        inputs=(QUESTION, *_TEXTS, CONTEXTS),
        calls="3, and 2 a context",
        options={"mode": (Literal["relevant", "irrelevant"], "relevant")},
        higher_is_better=False,
    ),
    "non_llm_string_similarity": Metric(
        kind="NonLLMStringSimilarity",
        inputs=_TEXTS,
        options={
            "distance_measure": (
                Literal["levenshtein", "hamming", "jaro", "jaro_winkler"],
                "levenshtein",
            )
        },
    ),
    "quoted_spans_alignment": Metric(
        kind="QuotedSpansAlignment",
        inputs=(ANSWER, CONTEXTS),
        options={"casefold": (bool, True), "min_span_words": (int, 3)},
    ),
    "response_groundedness": Metric(
        kind="ResponseGroundedness", inputs=(ANSWER, CONTEXTS), calls="2"
    ),
    "rouge_score": Metric(
        kind="RougeScore",
        inputs=_TEXTS,
        options={
            "rouge_type": (Literal["rouge1", "rougeL"], "rougeL"),
            "mode": (Literal["fmeasure", "precision", "recall"], "fmeasure"),
        },
    ),
    "semantic_similarity": Metric(
        kind="SemanticSimilarity",
        inputs=_TEXTS,
        embeddings=True,
        options={"threshold": (float | None, None)},
    ),
    "sql_semantic_equivalence": Metric(
        kind="SQLSemanticEquivalence", inputs=_TEXTS, optional=(SOURCES,), calls="1"
    ),
    "string_presence": Metric(kind="StringPresence", inputs=_TEXTS),
    "summary_score": Metric(
        kind="SummaryScore",
        inputs=(SOURCES, ANSWER),
        calls="3",
        options={"length_penalty": (bool, True), "coeff": (float, 0.5)},
    ),
    "tool_call_accuracy": Metric(
        kind="ToolCallAccuracy",
        inputs=(TALK, "reference_tool_calls"),
        options={"strict_order": (bool, True)},
    ),
    "tool_call_f1": Metric(kind="ToolCallF1", inputs=(TALK, "reference_tool_calls")),
    "topic_adherence": Metric(
        kind="TopicAdherence",
        inputs=(TALK, "reference_topics"),
        calls="2, and 1 a topic",
        options={"mode": (Share, "f1")},
    ),
}
"""By the name that follows `ragas.`."""

SAME: Mapping[str, str] = {
    "AgentGoalAccuracy": "agent_goal_accuracy",
    "ContextPrecision": "context_precision",
    "ContextUtilization": "context_utilization",
    "RubricsScoreWithoutReference": "domain_specific_rubrics",
}
"""Second names that Ragas has for a metric, and the one that it has here."""

LEFT_OUT: Mapping[str, str] = {
    "DataCompyScore": "imports a class that datacompy 1 no longer has; datacompy 0 pins pandas 2",
    "MultiModalFaithfulness": "shows the model images, past the interface that all others use",
    "MultiModalRelevance": "shows the model images, past the interface that all others use",
}
"""The metrics that are no scorers, and why."""


def names() -> list[str]:
    """The scorers' names, with the prefix.

    >>> "ragas.faithfulness" in names()
    True
    """
    return [f"{PREFIX}{name}" for name in METRICS]
