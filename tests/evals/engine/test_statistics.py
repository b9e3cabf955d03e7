"""Statistics: against published values, and properties that hold for any data."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.evals.statistics import (
    clustered_rate,
    histogram,
    mean_interval,
    quantile,
    quantiles,
    t_distribution,
    t_quantile,
    wilson,
)

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [  # NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 5, 2.571),
        (0.95, 10, 1.812),
        (0.995, 20, 2.845),
        (0.975, 30, 2.042),
        (0.999, 60, 3.232),
        (0.975, 100, 1.984),
    ],
)
def test_quantiles_of_student_are_those_of_the_tables(
    probability: float, freedom: int, expected: float
) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(expected, abs=5e-4)


def test_with_one_degree_student_is_cauchy_and_with_two_it_has_a_closed_form() -> None:
    for t in (0.1, 1.0, 3.0, 50.0):
        assert t_distribution(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-13)
        assert t_distribution(t, 2) == pytest.approx(
            0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-13
        )


@given(st.floats(0.5, 0.9999), st.integers(1, 100_000))
def test_the_quantile_inverts_the_distribution(probability: float, freedom: int) -> None:
    found = t_quantile(probability, freedom)
    assert t_distribution(found, freedom) == pytest.approx(probability, abs=1e-9)


def test_wilson_gives_the_published_interval() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3
    for successes, trials, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        found = wilson(successes, trials)
        assert found.low == pytest.approx(low, abs=5e-5)
        assert found.high == pytest.approx(high, abs=5e-5)
    assert wilson(0, 20).high == pytest.approx(0.1611, abs=5e-5)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_rate_and_stays_within_0_and_1(successes: int, more: int) -> None:
    trials = successes + more
    found = wilson(successes, trials)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    mirrored = wilson(more, trials)
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-12)


@given(st.lists(FINITE, min_size=2, max_size=50))
def test_the_interval_of_a_mean_holds_the_mean_and_moves_with_the_data(
    values: list[float],
) -> None:
    found = mean_interval(values)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    moved = mean_interval([value + 1000 for value in values])
    assert moved.value == pytest.approx(found.value + 1000, abs=1e-3)


def test_one_value_has_no_interval() -> None:
    assert mean_interval([0.5]).low is None


@pytest.mark.parametrize(("size", "rate"), [(30, 0.9), (100, 0.5), (100, 0.95)])
def test_95_percent_of_the_intervals_of_rates_hold_the_truth(size: int, rate: float) -> None:
    draw = random.Random(7)
    held = 0
    for _ in range(2000):
        found = wilson(sum(draw.random() < rate for _ in range(size)), size)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= rate <= found.high
    assert 0.93 <= held / 2000 <= 0.98


def test_95_percent_of_the_intervals_of_clustered_rates_hold_the_truth() -> None:
    draw = random.Random(7)
    held = naive = 0
    for _ in range(2000):
        passed = []
        for _ in range(60):  # each case has a rate of its own: half of them nearly always pass
            rate = 0.95 if draw.random() < 0.5 else 0.05
            passed.append(sum(draw.random() < rate for _ in range(5)))
        found, plain = clustered_rate(passed, [5] * 60), wilson(sum(passed), 300)
        assert found.low is not None
        assert found.high is not None
        assert plain.low is not None
        assert plain.high is not None
        held += found.low <= 0.5 <= found.high
        naive += plain.low <= 0.5 <= plain.high
    assert 0.93 <= held / 2000 <= 0.98
    assert naive / 2000 < 0.75, "what is avoided: repeats counted as independent"


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_repeats_never_make_an_interval_wider_than_one_repeat_a_case(passed: list[int]) -> None:
    cases = len(passed)
    found = clustered_rate(passed, [5] * cases)
    widest = wilson(sum(passed) / 5, cases)
    assert found.value == pytest.approx(widest.value)
    assert found.low is not None
    assert widest.low is not None
    assert found.low >= widest.low - 1e-9


@given(st.lists(FINITE, min_size=1, max_size=60))
def test_quantiles_rise_and_end_at_the_extremes(values: list[float]) -> None:
    found = list(quantiles(values).values())
    assert found == sorted(found)
    assert (found[0], found[-1]) == (min(values), max(values))


def test_the_median_of_two_lies_between() -> None:
    assert quantile([1.0, 2.0], 0.5) == 1.5


@given(st.lists(FINITE, min_size=1, max_size=60), st.booleans())
def test_every_value_falls_into_one_bin(values: list[float], ratio: bool) -> None:
    bins = histogram(values, ratio=ratio)
    assert sum(count for _, _, count in bins) == len(values)
    assert bins[0][0] <= min(values)
    assert bins[-1][1] >= max(values)
    assert all(left[1] == right[0] for left, right in pairwise(bins))


def test_ratios_get_ten_bins_over_the_whole_range() -> None:
    bins = histogram([0.0, 0.05, 0.3, 1.0], ratio=True)
    assert len(bins) == 10
    assert [count for _, _, count in bins] == [2, 0, 0, 1, 0, 0, 0, 0, 0, 1]
