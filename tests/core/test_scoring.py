from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.errors import UsageError
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Outcome, Rule, Score


@pytest.mark.parametrize("operator", [">=", "<=", ">", "<", "==", "!="])
@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    bound=st.integers(min_value=-1000, max_value=1000),
)
def test_a_rule_holds_when_python_says_so(operator: str, value: float, bound: int) -> None:
    rule = Rule.parse(f"{operator} {bound}")
    assert rule.holds(value) is eval(f"{value!r} {operator} {bound}")
    assert Rule.parse(str(rule)) == rule


@pytest.mark.parametrize("text", ["0.7", ">= ", "=> 1", ">= nan", "> 1 or 1", ""])
def test_what_is_no_rule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Rule.parse(text)
    assert caught.value.hint == "write a comparison and a number: `>= 0.7`"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_unscored_with_the_reason(value: float) -> None:
    score = Score(value=value)
    assert score.value is None
    assert str(value) in score.rationale


def test_a_fingerprint_names_its_algorithm_and_ignores_key_order() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1}).startswith("sha256:")
    assert fingerprint({"a": [2, 1]}) != fingerprint({"a": [1, 2]})


def test_outcomes_are_spelled_as_in_the_report() -> None:
    assert [str(each) for each in Outcome] == ["passed", "failed", "unscored", "error"]
