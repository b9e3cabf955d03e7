"""What the rules of a comparison do to its verdicts: untouched cases, and several margins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.evals.comparison.compare import compare
from llmops.evals.comparison.evidence import evidence_of_counts
from llmops.evals.comparison.rules import ComparisonRules, MarginRule
from llmops.evals.comparison.sides import Side, SideCheck
from llmops.evals.comparison.verdicts import beyond
from llmops.evals.results import Change
from llmops.evals.statistics import mcnemar

MakeSide = Callable[..., Side]
RIGHT = SideCheck(name="right", scorer="exact_match", version="1", rule="== 1")


def cases(passes: int, fails: int) -> dict[str, dict[str, bool]]:
    return {f"case-{n}": {"right": n >= fails} for n in range(passes + fails)}


def test_cases_that_the_change_does_not_touch_count_as_unchanged(side: MakeSide) -> None:
    base, head = side(cases(40, 0)), side(cases(39, 1))
    alone = compare(base, head).metrics[0]
    found = compare(base, head, ComparisonRules(untouched=360))
    among = found.metrics[0]
    assert alone.verdict is Change.INCONCLUSIVE
    assert among.verdict is Change.SAME
    assert among.difference is not None
    assert among.difference.value == pytest.approx(-1 / 400)
    assert (found.coverage.pairs, found.coverage.untouched) == (40, 360)
    assert among.base is not None
    assert among.base.value == 1.0
    assert any("360 cases that the change does not touch were not run" in n for n in found.notes)


def test_untouched_cases_take_nothing_from_the_test_of_those_that_were_run(side: MakeSide) -> None:
    base, head = side(cases(40, 0)), side(cases(30, 10))
    found = compare(base, head, ComparisonRules(untouched=160)).metrics[0]
    assert found.p_value == pytest.approx(mcnemar(0, 10))
    assert found.verdict is Change.REGRESSION


def test_what_was_not_judged_counts_at_its_worst_beside_untouched_cases(side: MakeSide) -> None:
    def broken(errors: int) -> Side:
        return side({f"case-{n}": {"right": None if n < errors else True} for n in range(40)})

    base = side(cases(40, 0))
    few, many = (
        compare(base, broken(errors), ComparisonRules(untouched=1000)).metrics[0]
        for errors in (4, 30)
    )
    assert (few.verdict, few.unjudged) == (Change.SAME, 4)
    assert (many.verdict, many.unjudged) == (Change.INCONCLUSIVE, 30)
    assert "30 of 1,040 cases were not judged on both sides" in many.reason


def test_of_many_metrics_that_lose_near_the_margin_one_is_not_blamed(side: MakeSide) -> None:
    # 27 of 500 are 5.4 points: beyond the margin of 3 alone, not as one of twelve such.
    checks = [replace(RIGHT, name=f"check-{number}") for number in range(12)]
    margins = tuple(MarginRule(check=check.name, margin=0.03) for check in checks)
    names = [check.name for check in checks]
    base = {f"case-{n}": dict.fromkeys(names, True) for n in range(500)}
    lost = {
        f"case-{n}": {name: n >= (27 if name == "check-0" else 20) for name in names}
        for n in range(500)
    }
    one = compare(
        side(base, checks=checks), side(lost, checks=checks), ComparisonRules(margins=margins[:1])
    )
    assert one.metrics[0].verdict is Change.REGRESSION
    found = compare(
        side(base, checks=checks), side(lost, checks=checks), ComparisonRules(margins=margins)
    ).metrics[0]
    assert found.p_adjusted is not None
    assert found.p_adjusted < 1e-4
    assert found.verdict is Change.INCONCLUSIVE
    assert "among the metrics of this gate one may lose so much by chance" in found.reason


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 400), st.floats(0, 0.1))
def test_the_margins_own_test_and_the_interval_agree(
    gained: int, lost: int, unchanged: int, margin: float
) -> None:
    counts = {1: gained, -1: lost, 0: unchanged + 1}
    evidence = evidence_of_counts(counts, 1, confidence=0.95)
    assert evidence.difference.high is not None
    if math.isclose(evidence.difference.high, -margin, abs_tol=1e-9):
        return
    assert (beyond(evidence, margin) < 0.05) is (evidence.difference.high < -margin)
    assert beyond(evidence, margin) <= beyond(evidence, margin + 0.01)
