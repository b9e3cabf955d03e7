"""What slices come to: the same figures as Fairlearn's, and intervals that hold together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.core.scoring import Outcome, Rule, Score, Verdict
from llmops.evals.results import CaseResult
from llmops.evals.slice_counts import SliceCounts, Sliced
from llmops.evals.slices.rules import NONE, SliceRule

RULED = {"name": "right", "scorer": "s", "version": "1", "rule": ">= 0.5", "unit": "",
         "higher_is_better": True}  # fmt: skip
MEASURED = {**RULED, "name": "score", "rule": None}


def counted(
    cases: Sequence[tuple[dict[str, str], float]],
    *,
    about: dict[str, Any] = RULED,
    rules: Sequence[SliceRule] = (),
    groups: Sequence[str | None] | None = None,
) -> Sliced:
    """What cases with these slices and scores come to; each is asked once."""
    names = sorted({name for slices, _ in cases for name in slices})
    counts = SliceCounts(names, [about], 1)
    for number, (slices, value) in enumerate(cases):
        passed = about["rule"] is None or value >= 0.5
        outcome = Outcome.PASSED if passed else Outcome.FAILED
        verdict = Verdict(check=about["name"], outcome=outcome, score=Score(value=value))
        case = CaseResult(
            case=str(number), slices=slices, counterfactual=groups[number] if groups else None
        )
        counts.add_case(case, [[verdict]])
    return counts.summed(rules, 0.05)


CASES = st.lists(
    st.tuples(st.sampled_from(["de", "en", "tr"]), st.sampled_from([0.0, 0.25, 0.6, 1.0])),
    min_size=4,
    max_size=60,
)


@given(cases=CASES, ruled=st.booleans())
@settings(deadline=None, max_examples=40)
def test_the_values_and_the_gap_are_those_of_fairlearns_metric_frame(
    cases: list[tuple[str, float]], ruled: bool
) -> None:
    about = RULED if ruled else MEASURED
    values = [float(value >= 0.5) if ruled else value for _, value in cases]
    languages = [language for language, _ in cases]
    frame = MetricFrame(
        metrics=lambda y_true, y_pred: float(np.mean(y_pred)),
        y_true=values,
        y_pred=values,
        sensitive_features=languages,
    )
    found = counted([({"language": each}, value) for each, value in cases], about=about)
    estimates = {each.value: each.pass_rate if ruled else each.mean for each in found.summaries}
    assert {name: each.value for name, each in estimates.items() if each} == pytest.approx(
        frame.by_group.to_dict()
    )
    enough = [each for each in set(languages) if ruled or languages.count(each) > 1]
    if ruled and len(enough) > 1:
        (gap,) = found.gaps
        assert gap.difference.value == pytest.approx(frame.difference())
        assert gap.difference.low is not None
        assert gap.difference.high is not None
        assert 0 <= gap.difference.low <= gap.difference.value <= gap.difference.high


def test_equal_slices_seldom_seem_apart() -> None:
    random_ = np.random.default_rng(7)
    rule = SliceRule(check="right", aggregate="pass_rate", rule=Rule("<=", 0.0), by="language",
                     gap=True)  # fmt: skip
    failed = 0
    for _ in range(200):
        cases = [
            ({"language": language}, float(random_.random() < 0.7))
            for language in ("de", "en", "tr", "zh")
            for _ in range(40)
        ]
        (line,) = counted(cases, rules=[rule]).lines
        failed += line.outcome == "failed"
    assert failed <= 16  # at most 5 % of 200, give or take three standard errors


def test_paired_cases_see_what_unpaired_ones_do_not() -> None:
    # Half of the questions are hard for everybody; each tenth fails for men only.
    scores = [(float(number % 2), float(number % 2 and number % 10 != 1)) for number in range(120)]
    cases = [
        ({"gender": gender}, value)
        for pair in scores
        for gender, value in zip(("woman", "man"), pair, strict=True)
    ]
    groups = [str(number // 2) for number in range(len(cases))]
    (paired,) = counted(cases, groups=groups).gaps
    (unpaired,) = counted(cases).gaps
    assert [paired.difference.value, unpaired.difference.value] == pytest.approx([0.1, 0.1])
    assert (paired.paired, unpaired.paired) == (True, False)
    assert paired.difference.low is not None
    assert paired.difference.low > 0
    assert unpaired.difference.low == 0
    assert paired.contrasts[0].pairs == 120


def test_two_attributes_are_each_compared_with_the_other_held() -> None:
    cases = [
        ({"gender": gender, "origin": origin}, float(origin == "near"))
        for gender in ("woman", "man")
        for origin in ("near", "far")
        for _ in range(10)
    ]
    groups = [str(number % 10) for number in range(len(cases))]
    gaps = {gap.slice: gap for gap in counted(cases, groups=groups).gaps}
    assert gaps["origin"].difference.value == 1.0
    assert gaps["gender"].difference.value == 0.0
    assert gaps["gender"].contrasts[0].pairs == 20


def test_cases_without_a_value_stand_in_no_gap() -> None:
    cases = [({"language": each}, 1.0) for each in ("de", "en", NONE) for _ in range(6)]
    (gap,) = counted(cases).gaps
    assert {gap.highest, gap.lowest} == {"de", "en"}
    assert len(gap.contrasts) == 1
