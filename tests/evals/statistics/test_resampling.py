"""Bootstrap and permutation: against scipy, and what holds for any data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmops.evals.results import Estimate
from llmops.evals.statistics import Lattice, mean_interval, sign_flip
from llmops.evals.statistics.resampling import (
    MANY,
    bootstrap_mean,
    mean_difference,
    sign_flip_exact,
    sign_flip_sampled,
)

SAMPLES = {
    "skewed": np.random.default_rng(1).gamma(1.0, 1.0, 80) - 0.7,
    "normal": np.random.default_rng(2).normal(0.2, 1.0, 200),
    "few": np.array([0.0] * 40 + [0.3, -0.9, 0.4, 0.2, 0.7, -0.1, 0.5, 0.6]),
}
VALUES = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=3, max_size=40)


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@pytest.mark.parametrize("name", SAMPLES)
def test_the_bootstrap_interval_is_scipys_bca(name: str) -> None:
    sample = SAMPLES[name]
    low, high = ends(bootstrap_mean(sample))
    scipys = stats.bootstrap(
        (sample,), np.mean, method="BCa", n_resamples=50_000, rng=np.random.default_rng(3)
    ).confidence_interval
    width = scipys.high - scipys.low
    assert low == pytest.approx(scipys.low, abs=0.03 * width)
    assert high == pytest.approx(scipys.high, abs=0.03 * width)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sampled_sign_flip_test_is_scipys_permutation_test(name: str) -> None:
    sample = SAMPLES[name]
    expected = stats.permutation_test(
        (sample,),
        np.mean,
        permutation_type="samples",
        n_resamples=50_000,
        rng=np.random.default_rng(3),
    ).pvalue
    assert sign_flip_sampled(sample) == pytest.approx(expected, abs=0.012)


def test_the_sampled_test_comes_near_the_exact_one() -> None:
    draw = np.random.default_rng(5).integers(-5, 7, 60)
    values, counts = np.unique(draw, return_counts=True)
    lattice = Lattice(counts=dict(zip(values.tolist(), counts.tolist(), strict=True)), steps=5)
    assert sign_flip(lattice) == pytest.approx(sign_flip_sampled(draw / 5), abs=0.012)


def test_a_p_value_is_never_zero() -> None:
    assert sign_flip_sampled(np.full(300, 1.0) + np.arange(300) / 1000) == pytest.approx(1e-4)


def test_no_difference_at_all_says_nothing_against_no_change() -> None:
    assert sign_flip_sampled(np.zeros(20)) == 1.0
    assert sign_flip_exact({1: 4}, 0) == 1.0


def test_above_many_cases_both_are_students() -> None:
    sample = np.random.default_rng(4).normal(0.02, 1.0, MANY + 1)
    found = mean_difference(sample)
    assert found.low == pytest.approx(mean_interval(sample.tolist()).low)
    assert sign_flip_sampled(sample) == pytest.approx(stats.ttest_1samp(sample, 0).pvalue)


def test_where_student_takes_over_he_and_the_bootstrap_agree() -> None:
    sample = np.random.default_rng(6).gamma(0.5, 1.0, MANY)
    low, high = ends(bootstrap_mean(sample))
    student = ends(mean_interval(sample.tolist()))
    width = high - low
    assert (low, high) == (
        pytest.approx(student[0], abs=0.04 * width),
        pytest.approx(student[1], abs=0.04 * width),
    )


@settings(max_examples=25, deadline=None)
@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_cases_does_not_matter(values: list[float], shuffler: object) -> None:
    shuffled = sorted(values, key=lambda _: shuffler.random())  # type: ignore[attr-defined]
    one, other = np.array(values), np.array(shuffled)
    assert ends(mean_difference(one)) == pytest.approx(ends(mean_difference(other)), abs=1e-9)
    assert sign_flip_sampled(one) == sign_flip_sampled(other)


@settings(max_examples=25, deadline=None)
@given(VALUES)
def test_the_interval_holds_the_mean_and_moves_with_the_data(values: list[float]) -> None:
    sample = np.array(values)
    found = mean_difference(sample)
    low, high = ends(found)
    assert low <= found.value <= high
    moved = ends(mean_difference(sample + 50))
    assert moved == pytest.approx((low + 50, high + 50), abs=1e-6)


@pytest.mark.parametrize("cases", [5, 10, 30])
def test_in_few_cases_either_limit_misses_the_mean_seldom(cases: int) -> None:
    """What is avoided: the bootstrap alone, which takes few cases for all there are."""
    random = np.random.default_rng(cases)
    missed = alone = 0
    for _ in range(400):
        sample = random.normal(0.0, 1.0, cases)
        low, high = ends(mean_difference(sample, draws=999))
        missed += low > 0 or high < 0
        low, high = ends(bootstrap_mean(sample, draws=999))
        alone += low > 0 or high < 0
    assert missed / 400 <= 0.075
    assert alone >= missed
    if cases == 5:
        assert alone / 400 > 0.1


def test_one_difference_has_no_interval() -> None:
    assert mean_difference(np.array([0.3])).low is None
