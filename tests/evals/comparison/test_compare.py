"""Two runs, laid side by side: what becomes of each metric, each case and the decision."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.core.errors import ExitCode, NotFound, UsageError
from llmops.evals.comparison.compare import compare
from llmops.evals.comparison.rules import ComparisonRules, MarginRule
from llmops.evals.comparison.sides import Side, SideCheck
from llmops.evals.results import Change, Comparison, MetricComparison, Turn
from llmops.evals.statistics import mcnemar, tango

MakeSide = Callable[..., Side]
RIGHT = SideCheck(name="right", scorer="exact_match", version="1", rule="== 1")
F1 = SideCheck(name="f1", scorer="f1", version="1")
SECONDS = SideCheck(name="latency", scorer="latency", unit="s", higher_is_better=False)


def cases(values: list[Any], check: str = "right") -> dict[str, dict[str, Any]]:
    return {f"case-{index}": {check: value} for index, value in enumerate(values)}


def only(comparison: Comparison) -> MetricComparison:
    [metric] = [each for each in comparison.metrics if each.gates]
    return metric


def passes(count: int, of: int) -> list[bool]:
    return [True] * count + [False] * (of - count)


def test_more_lost_than_allowed_is_a_regression_and_fails(side: MakeSide) -> None:
    base = side(cases([True] * 200), label="main")
    head = side(cases([False] * 20 + [True] * 180), label="change")
    found = compare(base, head)
    metric = only(found)
    assert metric.verdict is Change.REGRESSION
    assert (metric.newly_failing, metric.newly_passing) == (20, 0)
    assert metric.p_value == pytest.approx(mcnemar(0, 20))
    assert metric.difference is not None
    assert metric.difference.low == pytest.approx(tango(0, 20, 200).low, abs=1e-3)
    assert found.decision.outcome == "failed"
    assert found.decision.exit_code is ExitCode.FAILED
    assert "20 cases fail now that passed before" in found.decision.reason
    [line] = found.decision.lines
    assert (line.check, line.aggregate, line.rule) == ("right", "drop", "<= 0.02")
    assert line.value == pytest.approx(0.1)


def test_many_cases_without_a_difference_are_the_same(side: MakeSide) -> None:
    both = cases(passes(270, 300))
    found = compare(side(both), side(both))
    assert only(found).verdict is Change.SAME
    assert found.decision.exit_code is ExitCode.PASSED


def test_few_cases_without_a_difference_say_how_many_it_would_take(side: MakeSide) -> None:
    both = cases(passes(45, 50))
    found = compare(side(both), side(both))
    metric = only(found)
    assert metric.verdict is Change.INCONCLUSIVE
    assert metric.needed == 189
    assert "about 190 cases would tell" in metric.reason
    assert found.decision.exit_code is ExitCode.INCONCLUSIVE


def test_few_cases_are_enough_when_both_sides_asked_the_same_and_nothing_differs(
    side: MakeSide,
) -> None:
    both, asked = cases(passes(4, 5)), {"prompt": "a sha256:1", "model": "m"}
    found = compare(side(both, subject=asked), side(both, subject=asked))
    assert found.same_subject
    assert only(found).verdict is Change.SAME
    assert "nothing that the model sees changed" in only(found).reason
    other = compare(side(both, subject=asked), side(both, subject={**asked, "model": "n"}))
    assert only(other).verdict is Change.INCONCLUSIVE


def test_what_is_gained_is_better(side: MakeSide) -> None:
    found = compare(side(cases([False] * 12 + [True] * 188)), side(cases([True] * 200)))
    assert only(found).verdict is Change.BETTER
    assert only(found).newly_passing == 12
    assert found.decision.exit_code is ExitCode.PASSED


@pytest.mark.parametrize(("higher", "change"), [(True, Change.REGRESSION), (False, Change.BETTER)])
def test_the_verdict_knows_which_way_is_better(
    side: MakeSide, higher: bool, change: Change
) -> None:
    check = replace(F1, higher_is_better=higher)
    draw = random.Random(1)
    scores = [draw.uniform(0.5, 1.0) for _ in range(200)]
    lower = [score - draw.uniform(0.1, 0.3) for score in scores]
    found = compare(
        side(cases(scores, "f1"), checks=[check]), side(cases(lower, "f1"), checks=[check])
    )
    metric = only(found)
    assert metric.verdict is change
    assert metric.difference is not None
    assert metric.difference.value < -0.1, "head minus base, whichever way is better"


def test_a_score_with_a_unit_may_lose_five_percent_of_what_the_base_has(side: MakeSide) -> None:
    draw = random.Random(2)
    slow = [draw.uniform(0.9, 1.1) for _ in range(100)]
    slower = [seconds * 1.2 + draw.uniform(-0.01, 0.01) for seconds in slow]
    rules = ComparisonRules(margins=(MarginRule(check="latency", margin=0.05, relative=True),))
    base = side(cases(slow, "latency"), checks=[SECONDS])
    found = compare(base, side(cases(slower, "latency"), checks=[SECONDS]), rules)
    metric = only(found)
    assert metric.base is not None
    assert metric.margin == pytest.approx(0.05 * metric.base.value)
    assert metric.verdict is Change.REGRESSION
    assert "ms" in metric.reason


def test_repeats_of_a_case_are_one_case(side: MakeSide) -> None:
    """Ten cases that fail five times each are no fifty."""
    base = side(cases([[True] * 5] * 60))
    head = side(cases([[False] * 5] * 4 + [[True] * 5] * 56))
    metric = only(compare(base, head))
    assert metric.pairs == 60
    assert metric.p_value == pytest.approx(mcnemar(0, 4))
    assert metric.verdict is Change.INCONCLUSIVE


def test_repeats_make_a_flicker_smaller(side: MakeSide) -> None:
    once = compare(
        side(cases([True] * 190 + [False] * 10)),
        side(cases([False] * 10 + [True] * 190)),
    )
    five = compare(
        side(cases([[True] * 5] * 190 + [[False, True, True, True, True]] * 10)),
        side(cases([[False, True, True, True, True]] * 10 + [[True] * 5] * 190)),
    )
    widths = []
    for found in (once, five):
        difference = only(found).difference
        assert difference is not None
        assert difference.low is not None
        assert difference.high is not None
        widths.append(difference.high - difference.low)
    assert widths[1] < widths[0]


def test_a_case_whose_repeats_disagree_is_flaky_and_not_blamed(side: MakeSide) -> None:
    base = side(cases([[True, True], [True, False], [True, True], [False, False]]))
    head = side(cases([[False, False], [False, False], [True, True], [True, True]]))
    found = compare(base, head)
    assert [(each.case, each.turn) for each in found.changes()] == [
        ("case-0", Turn.NEWLY_FAILING),
        ("case-1", Turn.FLAKY),
        ("case-3", Turn.NEWLY_PASSING),
    ]
    assert found.turns == {
        Turn.NEWLY_FAILING: 1,
        Turn.NEWLY_PASSING: 1,
        Turn.FLAKY: 1,
        Turn.BROKEN: 0,
    }


def test_an_answer_that_confirms_tells_a_flaky_case_and_moves_no_estimate(side: MakeSide) -> None:
    plain = compare(side(cases([True] * 50)), side(cases([False, *[True] * 49])))
    base = {**cases([True] * 50), "case-0": {"right": [True, False]}}
    head = {**cases([True] * 50), "case-0": {"right": [False, False]}}
    confirmed = compare(side(base, repeats=1), side(head, repeats=1))
    assert only(confirmed).difference == only(plain).difference
    assert only(plain).newly_failing == 1
    assert (only(confirmed).newly_failing, only(confirmed).flaky) == (0, 1)


def test_a_case_in_error_on_one_side_is_broken_and_no_failure(side: MakeSide) -> None:
    found = compare(side(cases([True] * 400)), side(cases([None, *[True] * 399])))
    assert [each.turn for each in found.changes()] == [Turn.BROKEN]
    metric = only(found)
    assert (metric.pairs, metric.unjudged) == (399, 1)
    assert metric.difference is not None
    assert metric.difference.value == 0
    assert metric.verdict is Change.SAME


def test_too_much_that_was_not_judged_is_an_error(side: MakeSide) -> None:
    found = compare(side(cases([True] * 100)), side(cases([None] * 6 + [True] * 94)))
    assert only(found).verdict is Change.ERROR
    assert "6 of 100 cases were not judged" in only(found).reason
    assert found.decision.exit_code is ExitCode.INCONCLUSIVE


def test_what_was_not_judged_cannot_hide_a_loss(side: MakeSide) -> None:
    """A change that breaks what it should answer would else look as good as before."""
    found = compare(side(cases([True] * 300)), side(cases([None] * 9 + [True] * 291)))
    metric = only(found)
    assert metric.verdict is Change.INCONCLUSIVE
    assert "9 of 300 cases were not judged on both sides" in metric.reason


def test_cases_that_neither_side_judged_take_nothing_away(side: MakeSide) -> None:
    both = cases([None] * 9 + [True] * 291)
    assert only(compare(side(both), side(both))).verdict is Change.SAME


def test_sides_may_be_in_another_order(side: MakeSide) -> None:
    draw = random.Random(3)
    base = cases([draw.random() < 0.9 for _ in range(80)])
    head = cases([draw.random() < 0.8 for _ in range(80)])
    shuffled = dict(sorted(head.items(), key=lambda _: draw.random()))
    plain, mixed = compare(side(base), side(head)), compare(side(base), side(shuffled))
    assert mixed.metrics == plain.metrics
    assert [each.case for each in mixed.changes()] == [each.case for each in plain.changes()]


def test_newly_failing_cases_come_first_with_all_their_results(side: MakeSide) -> None:
    base = side(cases([[False] * 3, [True] * 3, [True] * 3]))
    head = side(cases([[True] * 3, [True] * 3, [False] * 3]))
    changes = list(compare(base, head).changes())
    assert [(each.case, each.turn) for each in changes] == [
        ("case-2", Turn.NEWLY_FAILING),
        ("case-0", Turn.NEWLY_PASSING),
    ]
    assert [len(each.base) for each in changes] == [3, 3]
    assert changes[0].checks == ("right",)


def test_more_turned_cases_than_are_held_at_once_all_come(side: MakeSide) -> None:
    found = compare(side(cases([True] * 700)), side(cases([False] * 700)))
    assert [each.case for each in found.changes()] == [f"case-{index}" for index in range(700)]


def test_a_score_without_a_rule_turns_a_case_when_it_moves_by_half_its_range(
    side: MakeSide,
) -> None:
    base = side(cases([0.9, 0.9, 0.2], "f1"), checks=[F1])
    head = side(cases([0.3, 0.8, 0.9], "f1"), checks=[F1])
    assert [(each.case, each.turn) for each in compare(base, head).changes()] == [
        ("case-0", Turn.NEWLY_FAILING),
        ("case-2", Turn.NEWLY_PASSING),
    ]


def test_what_costs_effort_is_paired_too(side: MakeSide) -> None:
    found = compare(side(cases([True] * 5)), side(cases([True] * 5)))
    efforts = {each.name: each for each in found.effort}
    assert set(efforts) == {"input tokens", "output tokens", "latency"}
    assert efforts["input tokens"].base.value == 100
    assert efforts["latency"].difference.value == 0


# What gates


def test_a_check_with_a_rule_gates_and_what_only_measures_does_not(side: MakeSide) -> None:
    both = {f"case-{n}": {"right": True, "f1": 0.5} for n in range(5)}
    found = compare(side(both, checks=[RIGHT, F1]), side(both, checks=[RIGHT, F1]))
    assert {each.check: each.gates for each in found.metrics} == {"right": True, "f1": False}


def test_where_margins_are_written_only_they_gate(side: MakeSide) -> None:
    both = {f"case-{n}": {"right": True, "f1": 0.5} for n in range(5)}
    rules = ComparisonRules(margins=(MarginRule(check="f1", margin=0.3),))
    found = compare(side(both, checks=[RIGHT, F1]), side(both, checks=[RIGHT, F1]), rules)
    assert {each.check: each.gates for each in found.metrics} == {"right": False, "f1": True}
    assert {each.check: each.margin for each in found.metrics} == {"right": 0.02, "f1": 0.3}


def test_a_table_of_scores_without_any_rule_gates_all_the_same(side: MakeSide) -> None:
    base = side(cases([0.9] * 100, "f1"), checks=[F1])
    found = compare(base, side(cases([0.2] * 100, "f1"), checks=[F1]))
    assert found.decision.exit_code is ExitCode.FAILED


def test_a_loss_in_one_slice_is_not_hidden_by_the_others(side: MakeSide) -> None:
    base, head = cases([True] * 400), cases([False] * 20 + [True] * 380)
    languages = {
        f"case-{number}": {"language": "de" if number < 60 else "en"} for number in range(400)
    }
    rules = ComparisonRules(
        margins=(
            MarginRule(check="right", margin=0.1),
            MarginRule(check="right", margin=0.1, by="language"),
        )
    )
    found = compare(side(base, slices=languages), side(head, slices=languages), rules)
    verdicts = {each.slice: each.verdict for each in found.metrics if each.gates}
    assert verdicts == {
        None: Change.SAME,
        "language=de": Change.REGRESSION,
        "language=en": Change.SAME,
    }
    assert found.decision.exit_code is ExitCode.FAILED
    assert "where language=de" in found.decision.reason
    pairs = {each.slice: each.pairs for each in found.metrics if each.gates}
    assert pairs == {None: 400, "language=de": 60, "language=en": 340}


def test_of_many_metrics_each_needs_more_to_be_blamed(side: MakeSide) -> None:
    checks = [replace(RIGHT, name=f"check-{number}") for number in range(20)]
    names = [check.name for check in checks]
    base = {f"case-{n}": dict.fromkeys(names, True) for n in range(60)}
    head = {f"case-{n}": {**dict.fromkeys(names, True), "check-0": n >= 7} for n in range(60)}
    alone = only(compare(side(base, checks=checks[:1]), side(head, checks=checks[:1])))
    assert alone.verdict is Change.REGRESSION
    among = compare(side(base, checks=checks), side(head, checks=checks)).metrics[0]
    assert among.p_value == alone.p_value
    assert among.p_adjusted == pytest.approx(20 * mcnemar(0, 7))
    assert among.verdict is Change.INCONCLUSIVE


# What cannot be compared


def test_other_suites_and_datasets_are_refused_with_what_differs(side: MakeSide) -> None:
    both = cases([True])
    base = side(both, identity={"suite": "qa", "dataset": "sha256:aaaa"}, label="old")
    head = side(both, identity={"suite": "qa", "dataset": "sha256:bbbb"}, label="new")
    with pytest.raises(UsageError, match="another dataset") as refused:
        compare(base, head)
    assert "sha256:aaaa… on old, sha256:bbbb… on new" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": "2"}, "scored by `exact_match 1` on base and `exact_match 2` on head"),
        ({"rule": ">= 0.5"}, "passed at `== 1` on base and `>= 0.5` on head"),
        ({"unit": "s"}, "counted in `no unit` on base and `s` on head"),
        ({"higher_is_better": False}, "better `when higher` on base and `when lower` on head"),
    ],
)
def test_another_measure_under_the_same_name_is_refused(
    side: MakeSide, change: dict[str, Any], said: str
) -> None:
    both = cases([True])
    with pytest.raises(UsageError) as refused:
        compare(
            side(both, label="base"), side(both, checks=[replace(RIGHT, **change)], label="head")
        )
    assert said in str(refused.value)


def test_no_check_and_no_case_in_common_are_refused(side: MakeSide) -> None:
    with pytest.raises(UsageError, match="no check is on both sides"):
        compare(side(cases([True])), side(cases([0.5], "f1"), checks=[F1]))
    with pytest.raises(UsageError, match="no case is on both sides") as refused:
        compare(side({"a": {"right": True}}), side({"b": {"right": True}}))
    assert refused.value.hint is not None
    assert "`a`" in refused.value.hint
    assert "`b`" in refused.value.hint


def test_a_case_that_is_there_twice_is_refused(side: MakeSide) -> None:
    once = side(cases([True, True]))

    def twice() -> Any:
        yield from once.results()
        yield from once.results()

    with pytest.raises(UsageError, match="`case-0` is in side twice"):
        compare(once, replace(once, results=twice))


def test_a_margin_for_a_check_that_is_not_there_suggests_the_nearest(side: MakeSide) -> None:
    rules = ComparisonRules(margins=(MarginRule(check="rihgt"),))
    with pytest.raises(NotFound) as refused:
        compare(side(cases([True])), side(cases([True])), rules)
    assert refused.value.hint == "did you mean `right`?"


def test_a_slice_that_no_case_has_is_refused(side: MakeSide) -> None:
    rules = ComparisonRules(margins=(MarginRule(check="right", by="language"),))
    with pytest.raises(UsageError, match="slice `language`"):
        compare(side(cases([True])), side(cases([True])), rules)


def test_checks_on_one_side_only_are_named(side: MakeSide) -> None:
    both = {f"case-{n}": {"right": True, "f1": 0.5} for n in range(5)}
    found = compare(side(cases([True] * 5)), side(both, checks=[RIGHT, F1], label="head"))
    assert found.notes == ("on head only, and not compared: `f1`",)


def test_many_cases_on_one_side_only_make_the_verdict_open(side: MakeSide) -> None:
    base, head = cases([True] * 300), cases([True] * 250)
    found = compare(side(base), side(head))
    assert found.coverage.only_base == 50
    assert found.decision.exit_code is ExitCode.INCONCLUSIVE
    assert "50 of 300 cases are on one side only" in found.decision.reason
    asked = compare(side(base, selection="all"), side(head, selection="tag:smoke"))
    assert asked.decision.exit_code is ExitCode.PASSED
    assert any("one side only" in note for note in asked.notes)


# What holds whatever the results are

RESULTS = st.lists(
    st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None])),
    min_size=1,
    max_size=60,
).filter(lambda pairs: any(None not in pair for pair in pairs))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(RESULTS, st.sampled_from([0.0, 0.02, 0.2]))
def test_swapping_the_sides_mirrors_what_is_measured(
    side: MakeSide, pairs: list[tuple[bool | None, bool | None]], margin: float
) -> None:
    rules = ComparisonRules(margins=(MarginRule(check="right", margin=margin),), unjudged=1.0)
    base, head = (side(cases([pair[which] for pair in pairs])) for which in (0, 1))
    there, back = only(compare(base, head, rules)), only(compare(head, base, rules))
    assert there.p_value == pytest.approx(back.p_value, abs=1e-12)
    assert there.difference is not None
    assert back.difference is not None
    assert there.difference.value == pytest.approx(-back.difference.value, abs=1e-12)
    assert there.difference.low == pytest.approx(-(back.difference.high or 0), abs=1e-9)
    assert (there.newly_failing, there.newly_passing) == (back.newly_passing, back.newly_failing)
    assert {there.verdict, back.verdict} != {Change.REGRESSION}
    if margin == 0 and there.verdict is Change.REGRESSION:
        assert back.verdict is Change.BETTER
