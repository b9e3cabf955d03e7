"""Every built-in scorer, and scorers made from functions, pass the conformance suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmops.core.scoring import Sample, Scorer
from llmops.scorers import BUILT_IN, build, scorer
from llmops.testing.scorer_conformance import ScorerConformance

CONFIGURED: dict[str, list[dict[str, Any]]] = {
    "bleu": [{}, {"tokenize": "intl", "lowercase": True}],
    "chrf": [{}, {"word_order": 2}],
    "contains": [{}, {"any": ["Paris", "x"], "ignore_case": True}, {"all": ["Paris", "Tower"]}],
    "exact_match": [{}, {"ignore_case": True, "collapse_space": True}],
    "json_schema": [
        {"schema": {"type": "object", "additionalProperties": False}},
        {"schema": {"type": "string", "pattern": "^(a|aa)+$"}, "fenced": True},
    ],
    "length": [{"unit": "words"}, {"unit": "characters"}, {"unit": "tokens"}],
    "regex": [{"pattern": r"\bParis\b"}, {"pattern": r"(\w|\s)+\.", "full": True}],
}
CASES = [
    pytest.param(name, options, id=f"{name}-{number}")
    for name in BUILT_IN
    # A judge is handed a model, assertions stand in the case: they have tests of their own.
    if not name.startswith(("judge", "ragas.", "assertions"))
    for number, options in enumerate(CONFIGURED.get(name, [{}]))
]


class TestBuiltIn(ScorerConformance):
    @pytest.fixture(params=[case.values for case in CASES], ids=[case.id for case in CASES])
    def scorer(self, request: pytest.FixtureRequest) -> Scorer:
        name, options = request.param
        return build(name, options, base=Path())


class TestFunction(ScorerConformance):
    @pytest.fixture
    def scorer(self) -> Scorer:
        @scorer(version="1", needs=["contexts"])
        def cites(sample: Sample, *, mark: str = "[doc:") -> bool:
            return mark in sample.output

        return cites


class TestAsyncFunction(ScorerConformance):
    @pytest.fixture
    def scorer(self) -> Scorer:
        @scorer(version="1")
        async def polite(sample: Sample) -> float:
            return float("please" in sample.output)

        return polite
