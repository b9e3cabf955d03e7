"""Paired tests and intervals: against published values, other implementations, and their laws."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from llmops.evals.results import Estimate
from llmops.evals.statistics import (
    Lattice,
    binomial_tail,
    mcnemar,
    normal_quantile,
    paired_rate,
    sign_flip,
    t_two_sided,
    tango,
)

COUNTS = st.integers(0, 60)


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_mcnemar_is_the_exact_test_of_statsmodels_and_the_binomial_test_of_scipy(
    gained: int, lost: int
) -> None:
    found = mcnemar(gained, lost)
    table = [[5, gained], [lost, 5]]
    assert found == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, abs=1e-12)
    if gained + lost:
        assert found == pytest.approx(stats.binomtest(gained, gained + lost).pvalue, abs=1e-12)
    assert found == mcnemar(lost, gained)


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.01, 0.99))
def test_the_binomial_tail_is_that_of_scipy(hits: int, more: int, rate: float) -> None:
    trials = hits + more
    expected = stats.binom.sf(hits - 1, trials, rate)
    assert binomial_tail(hits, trials, rate) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@settings(deadline=None)
@given(st.floats(-40, 40), st.integers(1, 10_000))
def test_students_p_value_is_that_of_scipy_in_the_far_tail_too(t: float, freedom: int) -> None:
    expected = 2 * stats.t.sf(abs(t), freedom)
    assert t_two_sided(t, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-300)


@pytest.mark.parametrize(
    ("gained", "lost", "cases", "low", "high"),
    [
        # Bentur et al. 2009 in M. W. Fagerland, S. Lydersen, P. Laake, Statistics in Medicine 33
        # (2014), 2850-2875: hyper-responsiveness before and after a transplantation.
        (1, 7, 21, -0.517, -0.026),
        # Nothing discordant: z²/(n + z²), T. Tango, Statistics in Medicine 17 (1998), 891-908.
        (0, 0, 44, -0.0803, 0.0803),
    ],
)
def test_tango_gives_the_published_interval(
    gained: int, lost: int, cases: int, low: float, high: float
) -> None:
    found = ends(tango(gained, lost, cases))
    assert found == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def score_test(gained: float, lost: float, cases: float, difference: float) -> float:
    """Tango's statistic the long way round: the most likely rates are searched for."""

    def unlikely(rate: float) -> float:
        on_gained, on_lost, rest = rate + difference, rate, 1 - 2 * rate - difference
        told = 0.0
        for count, share in ((gained, on_gained), (lost, on_lost), (cases - gained - lost, rest)):
            told -= count * math.log(share) if count else 0.0
        return told

    low, high = max(0.0, -difference) + 1e-12, (1 - difference) / 2 - 1e-12
    rate = optimize.minimize_scalar(
        unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    ).x
    variance = cases * (2 * rate + difference - difference**2)
    return float((gained - lost - cases * difference) / math.sqrt(variance))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(5, 300))
def test_at_the_ends_of_tangos_interval_the_score_test_is_at_its_bound(
    gained: int, lost: int, more: int
) -> None:
    cases = gained + lost + more
    low, high = ends(tango(gained, lost, cases))
    z = normal_quantile(0.95)
    assert score_test(gained, lost, cases, low) == pytest.approx(z, abs=2e-4)
    assert score_test(gained, lost, cases, high) == pytest.approx(-z, abs=2e-4)


FRACTIONS = st.floats(0, 40).map(lambda value: value if value > 1e-6 else 0.0)


@settings(deadline=None)
@given(FRACTIONS, FRACTIONS, st.floats(0.5, 1000), st.floats(0.5, 0.999))
def test_tangos_interval_holds_the_estimate_lies_within_reach_and_mirrors(
    gained: float, lost: float, more: float, confidence: float
) -> None:
    cases = gained + lost + more
    found = tango(gained, lost, cases, confidence=confidence)
    low, high = ends(found)
    assert -1 <= low <= found.value <= high <= 1
    mirrored = ends(tango(lost, gained, cases, confidence=confidence))
    assert mirrored == (pytest.approx(-high, abs=1e-9), pytest.approx(-low, abs=1e-9))
    wider = ends(tango(gained, lost, cases, confidence=(1 + confidence) / 2))
    assert wider[0] <= low + 1e-9
    assert wider[1] >= high - 1e-9


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(10, 400))
def test_with_one_answer_a_case_the_gates_interval_is_tangos_or_a_little_wider(
    gained: int, lost: int, more: int
) -> None:
    cases = gained + lost + more
    low, high = ends(tango(gained, lost, cases))
    ours = ends(paired_rate(gained, lost, gained + lost, cases))
    assert ours[0] <= low + 1e-9
    assert ours[1] >= high - 1e-9
    assert ours[1] - ours[0] <= 1.35 * (high - low)


def test_no_difference_in_many_cases_is_not_certainty() -> None:
    z = normal_quantile(0.95)
    for cases in (10, 200, 5000):
        bound = z * z / (cases + z * z)
        assert ends(paired_rate(0, 0, 0, cases)) == (
            pytest.approx(-bound, abs=1e-9),
            pytest.approx(bound, abs=1e-9),
        )


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=2, max_size=200))
def test_repeats_make_the_interval_narrower_than_turns_of_the_same_sums_and_never_a_point(
    differences: list[int],
) -> None:
    values = [each / 5 for each in differences]
    gained = sum(each for each in values if each > 0)
    lost = -sum(each for each in values if each < 0)
    low, high = ends(paired_rate(gained, lost, sum(v * v for v in values), len(values)))
    whole = ends(paired_rate(gained, lost, gained + lost, len(values)))
    assert high - low <= whole[1] - whole[0] + 1e-6
    mean = (gained - lost) / len(values)
    assert low <= mean + 1e-9
    assert mean - 1e-9 <= high
    assert high - low > 0.9 * normal_quantile(0.95) ** 2 / (len(values) + 4)


def flipped(values: list[int]) -> float:
    """The sign-flip test by writing out every way to set the signs."""
    total = abs(sum(values))
    ways = [
        abs(sum(sign * value for sign, value in zip(signs, values, strict=True))) >= total
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    return sum(ways) / len(ways)


@settings(deadline=None)
@given(st.lists(st.integers(-5, 5), max_size=11))
def test_the_exact_sign_flip_test_is_the_enumeration_of_all_signs(values: list[int]) -> None:
    counts = {each: values.count(each) for each in set(values)}
    found = sign_flip(Lattice(counts=counts, steps=5))
    assert found == pytest.approx(flipped([each for each in values if each]), abs=1e-12)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_with_one_answer_a_case_the_sign_flip_test_is_mcnemars(gained: int, lost: int) -> None:
    for size in (1, 3):
        found = sign_flip(Lattice(counts={size: gained, -size: lost, 0: 7}, steps=3))
        assert found == pytest.approx(mcnemar(gained, lost), abs=1e-12)


@settings(deadline=None)
@given(st.dictionaries(st.integers(-5, 5), st.integers(0, 40), max_size=11))
def test_the_sign_flip_test_does_not_care_which_side_is_base(counts: dict[int, int]) -> None:
    found = sign_flip(Lattice(counts=counts, steps=5))
    mirrored = sign_flip(Lattice(counts={-k: n for k, n in counts.items()}, steps=5))
    assert found is not None
    assert 0 <= found <= 1
    assert mirrored == pytest.approx(found, rel=1e-9)


def test_too_large_a_lattice_is_left_to_sampling() -> None:
    assert sign_flip(Lattice(counts=dict.fromkeys(range(1, 6), 5000), steps=5)) is None


@pytest.mark.parametrize("cases", [100, 200])
@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_a_loss_of_exactly_the_margin_is_blamed_or_passed_in_few_runs(
    cases: int, margin: float
) -> None:
    """Exact probabilities, where every case that turns is lost: the most skewed of all."""
    blamed = passed = by_tango = 0.0
    for lost in range(cases + 1):
        likely = float(stats.binom.pmf(lost, cases, margin))
        low, high = ends(paired_rate(0, lost, lost, cases))
        told = mcnemar(0, lost) < 0.05
        blamed += likely * (told and high < -margin)
        passed += likely * (low > -margin)
        by_tango += likely * (told and ends(tango(0, lost, cases))[1] < -margin)
    assert blamed <= 0.033
    assert passed <= 0.026
    assert by_tango >= blamed
