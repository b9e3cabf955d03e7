"""The gate: passed, failed, and when it says that it cannot know."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.errors import ExitCode
from llmops.core.scoring import Outcome, Rule, Score, Verdict
from llmops.evals.gate import Aggregate, Gate, Threshold
from llmops.evals.results import Decision
from llmops.evals.tally import CheckTally

RULE = Rule.parse(">= 0.5")


def decide(
    scores: Sequence[float | None],
    rule: str,
    *,
    aggregate: Aggregate = "pass_rate",
    unjudged: float = 0.05,
    unit: str = "",
    error: bool = False,
) -> Decision:
    """What a gate with one threshold makes of these scores; `None` was not judged."""
    about = {
        "name": "f1",
        "scorer": "f1",
        "version": "1",
        "rule": str(RULE),
        "unit": unit,
        "higher_is_better": True,
    }
    tally = CheckTally(about, 1)
    for score in scores:
        outcome = Outcome.ERROR if error else Outcome.UNSCORED
        if score is not None:
            outcome = Outcome.PASSED if RULE.holds(score) else Outcome.FAILED
        tally.add_case([Verdict(check="f1", outcome=outcome, score=Score(value=score))])
    threshold = Threshold(check="f1", aggregate=aggregate, rule=Rule.parse(rule))
    return Gate(unjudged=unjudged, thresholds=(threshold,)).decide({"f1": tally.measured()})


def test_a_rate_that_holds_passes() -> None:
    decision = decide([1.0] * 9 + [0.0], ">= 0.9")
    assert (decision.outcome, decision.exit_code) == ("passed", ExitCode.PASSED)


def test_a_rate_that_does_not_hold_fails_and_says_by_how_much() -> None:
    decision = decide([1.0] * 8 + [0.0] * 2, ">= 0.9")
    assert (decision.outcome, decision.exit_code) == ("failed", ExitCode.FAILED)
    assert "the pass rate of `f1` is 0.8" in decision.reason
    assert "asks for `>= 0.9`" in decision.reason


@pytest.mark.parametrize("error", [False, True])
def test_too_much_unjudged_is_inconclusive(error: bool) -> None:
    decision = decide([1.0] * 90 + [None] * 10, ">= 0.5", error=error)
    assert (decision.outcome, decision.exit_code) == ("inconclusive", ExitCode.INCONCLUSIVE)
    assert ("10 in error" if error else "10 unscored") in decision.reason


def test_few_unjudged_that_could_not_turn_the_verdict_do_no_harm() -> None:
    assert decide([1.0] * 97 + [None] * 3, ">= 0.9").outcome == "passed"
    assert decide([0.0] * 97 + [None] * 3, ">= 0.9").outcome == "failed"


def test_few_unjudged_that_could_turn_the_verdict_are_inconclusive() -> None:
    decision = decide([1.0] * 97 + [None] * 3, ">= 0.98")
    assert decision.outcome == "inconclusive"
    assert "anything from 0.97 to 1" in decision.reason


def test_one_case_without_judgement_is_not_every_case_passed() -> None:
    assert decide([1.0] * 99 + [None], "== 1").outcome == "inconclusive"
    assert decide([1.0] * 98 + [0.0, None], "== 1").outcome == "failed"


def test_nothing_judged_is_inconclusive() -> None:
    assert decide([None, None], ">= 0", unjudged=1).outcome == "inconclusive"


def test_a_mean_of_ratios_is_bounded_by_0_and_1() -> None:
    scores = [0.8] * 97 + [None] * 3
    assert decide(scores, ">= 0.7", aggregate="mean").outcome == "passed"
    assert decide(scores, ">= 0.79", aggregate="mean").outcome == "inconclusive"


def test_a_mean_without_bounds_is_bounded_by_what_was_seen() -> None:
    scores = [1.0] * 48 + [3.0] * 49 + [None] * 3
    assert decide(scores, "<= 2.05", aggregate="mean", unit="s").outcome == "passed"
    assert decide(scores, "<= 2.02", aggregate="mean", unit="s").outcome == "inconclusive"


def test_binary_fractions_do_not_decide() -> None:
    assert decide([0.1, 0.2, 0.3], ">= 0.2", aggregate="mean").outcome == "passed"


def test_a_value_just_below_its_bound_is_not_shown_as_the_bound() -> None:
    decision = decide([0.19999, 0.2], ">= 0.2", aggregate="mean")
    assert decision.outcome == "failed"
    assert "is 0.199995 " in decision.reason


def test_one_failed_threshold_fails_the_gate_even_beside_an_inconclusive_one() -> None:
    about = {"scorer": "s", "version": "1", "rule": ">= 0.5", "unit": "", "higher_is_better": True}
    bad, unknown = (CheckTally({**about, "name": name}, 1) for name in ("bad", "unknown"))
    bad.add_case([Verdict(check="bad", outcome=Outcome.FAILED, score=Score(value=0.0))])
    unknown.add_case([Verdict(check="unknown", outcome=Outcome.ERROR, score=Score(value=None))])
    gate = Gate(
        unjudged=0.05,
        thresholds=tuple(
            Threshold(check=name, aggregate="pass_rate", rule=RULE) for name in ("unknown", "bad")
        ),
    )
    decision = gate.decide({"bad": bad.measured(), "unknown": unknown.measured()})
    assert decision.outcome == "failed"
    assert [line.outcome for line in decision.lines] == ["inconclusive", "failed"]


@given(
    judged=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=20),
    unjudged=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=4),
    rule=st.builds(
        "{} {}".format,
        st.sampled_from([">=", "<=", ">", "<", "==", "!="]),
        st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    ),
    aggregate=st.sampled_from(["mean", "pass_rate"]),
)
def test_a_verdict_never_depends_on_what_was_not_judged(
    judged: list[float], unjudged: list[float], rule: str, aggregate: Aggregate
) -> None:
    given_ = decide([*judged, *([None] * len(unjudged))], rule, aggregate=aggregate, unjudged=1)
    truth = decide([*judged, *unjudged], rule, aggregate=aggregate)
    assert given_.outcome in (truth.outcome, "inconclusive")
