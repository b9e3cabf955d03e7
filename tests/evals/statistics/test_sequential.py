"""Several looks: against published bounds, and by walking."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.evals.statistics import LOOKS, bounds, look_confidence, normal_quantile, spent_until
from llmops.evals.statistics.distributions import normal_cdf, normal_inverse


def shares(spending: object, looks: int = 5) -> tuple[float, ...]:
    until = [0.0, *(spending(look / looks) for look in range(1, looks + 1))]  # type: ignore[operator]
    return tuple(after - before for before, after in pairwise(until))


def test_the_bounds_are_those_published_for_five_looks() -> None:
    # D. M. Reboussin, D. L. DeMets, K. Kim and K. K. G. Lan, "Computations for group sequential
    # boundaries using the Lan-DeMets spending function method", Controlled Clinical Trials 21
    # (2000), 190-207: both functions of Lan and DeMets (1983), 2.5 % a side.
    pocock = shares(lambda t: 0.025 * math.log(1 + (math.e - 1) * t))
    assert bounds(pocock) == pytest.approx((2.438, 2.427, 2.410, 2.397, 2.386), abs=6e-4)
    late = normal_inverse(1 - 0.0125)
    obrien_fleming = shares(lambda t: 2 * (1 - normal_cdf(late / math.sqrt(t))))
    assert bounds(obrien_fleming) == pytest.approx((4.877, 3.357, 2.680, 2.290, 2.031), abs=6e-4)


@given(st.floats(0.001, 0.4))
@settings(max_examples=20, deadline=None)
def test_one_look_spends_all_and_has_the_usual_bound(alpha: float) -> None:
    assert look_confidence(1, looks=1, alpha=alpha) == pytest.approx(1 - alpha, abs=1e-6)
    assert look_confidence(1, alpha=alpha, last=True) == pytest.approx(1 - alpha, abs=1e-6)


@given(st.integers(1, LOOKS), st.floats(0.001, 0.4))
@settings(max_examples=30, deadline=None)
def test_what_the_looks_spend_adds_up_to_alpha(looks: int, alpha: float) -> None:
    spent = [spent_until(look, looks, alpha) for look in range(looks + 1)]
    assert (spent[0], spent[-1]) == (0.0, pytest.approx(alpha))
    assert spent == sorted(spent)
    assert all(0 < 1 - look_confidence(each, looks=looks, alpha=alpha) <= alpha + 1e-6
               for each in range(1, looks + 1))  # fmt: skip


def test_a_last_look_may_err_more_than_one_that_others_follow() -> None:
    for look in range(1, LOOKS):
        assert look_confidence(look, last=True) < look_confidence(look)
    assert look_confidence(LOOKS, last=True) == pytest.approx(look_confidence(LOOKS))


def test_there_is_no_look_after_the_last() -> None:
    with pytest.raises(ValueError, match="look 6 is none of 5"):
        spent_until(6)


@pytest.mark.parametrize("between", [0.0, 0.5, 5.0])
def test_all_looks_together_err_as_often_as_one_whatever_the_cases_share(between: float) -> None:
    # The mean over rounds of n cases: the cases' own differences stay, chance averages out.
    random = np.random.default_rng(11)
    runs, rounds = 40_000, np.arange(1, LOOKS + 1)
    steady = random.normal(0, math.sqrt(between), (runs, 1))
    noise = random.normal(0, 1, (runs, LOOKS)).cumsum(axis=1) / rounds
    scores = (steady + noise) / np.sqrt(between + 1 / rounds)
    limits = [normal_quantile(look_confidence(int(look))) for look in rounds]
    erred = (scores > limits).any(axis=1).mean()
    assert erred <= 0.025 + 3 * math.sqrt(0.025 / runs)
    if not between:
        assert erred == pytest.approx(0.025, abs=3 * math.sqrt(0.025 / runs))
