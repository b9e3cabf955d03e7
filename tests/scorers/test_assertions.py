"""Assertions that stand with the case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmops.core.scoring import Sample, Score, Scorer
from llmops.scorers.assertions import Assertions
from llmops.testing.scorer_conformance import ScorerConformance, ask


def look(output: str, expected: Any, **sample: Any) -> Score:
    return ask(Assertions(), Sample(output=output, expected=expected, **sample))


def contains(text: str, **more: Any) -> dict[str, Any]:
    return {"scorer": "contains", "options": {"text": text}, **more}


def test_all_of_them_have_to_hold_and_each_that_does_not_is_named() -> None:
    assert look("Paris and Rome", [contains("Paris"), contains("Rome")]).value == 1.0
    score = look("Paris", [contains("Rome"), contains("Oslo"), contains("Paris")])
    assert score.value == 0.0
    assert score.rationale == (
        "contains: does not contain `Rome`; contains: does not contain `Oslo`"
    )


def test_a_rule_turns_an_assertion_round() -> None:
    assert look("Paris", [contains("sorry", **{"pass": "== 0"})]).value == 1.0


@pytest.mark.parametrize(("threshold", "value"), [(0.6, 1.0), (0.75, 1.0), (0.76, 0.0)])
def test_with_a_threshold_enough_of_the_weight_has_to_hold(threshold: float, value: float) -> None:
    listed = [contains("Paris", weight=3), contains("Rome")]
    assert look("Paris", {"all": listed, "threshold": threshold}).value == value


def test_what_cannot_be_told_leaves_the_case_unscored_unless_the_rest_decides() -> None:
    unknown = {"scorer": "latency", "pass": "<= 1"}
    assert look("Paris", [unknown, contains("Paris")]).value is None
    assert look("Paris", [unknown, contains("Rome")]).value == 0.0
    assert look("Paris", {"all": [unknown, contains("Paris")], "threshold": 0.5}).value == 1.0
    assert look("Paris", [unknown, contains("Paris")], latency=0.5).value == 1.0


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("Paris", "no list of assertions"),
        ({"all": []}, "no list of assertions"),
        ([{"scorer": "contains", "opt": {}}], "no key of an assertion is named `opt`"),
        ([{"options": {}}], "names no `scorer`"),
        ([{"scorer": "contain"}], "no built-in scorer is named `contain`"),
        ([{"scorer": "os:system"}], "no built-in scorer is named `os:system`"),
        ([{"scorer": "own.py:check"}], "no built-in scorer is named `own.py:check`"),
        ([{"scorer": "length"}], "needs a rule"),
        ([1], "an assertion is no mapping"),
        ([contains("Paris", weight=0)], "a number above 0"),
        ({"all": [contains("Paris")], "threshold": "x"}, "is no number"),
        (None, "the case has no expected value"),
    ],
)
def test_what_is_no_assertion_leaves_the_case_unscored_and_says_why(
    expected: Any, message: str
) -> None:
    score = look("Paris", expected)
    assert score.value is None
    assert message in score.rationale


class TestConformance(ScorerConformance):
    @pytest.fixture
    def scorer(self) -> Scorer:
        return Assertions()

    def ordinary(self) -> Sample:
        listed = [contains("Paris"), {"scorer": "length", "pass": "<= 10"}]
        return replace(super().ordinary(), expected=listed)
