"""Holm, and what a number of cases can show, against other implementations and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from llmops.evals.comparison.evidence import evidence_of_counts
from llmops.evals.comparison.verdicts import judge
from llmops.evals.results import Change
from llmops.evals.statistics import (
    Spread,
    cases_needed,
    cases_needed_for_mean,
    detectable_drop,
    flaky,
    holm,
    kept_margin,
)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(max_examples=20, deadline=None)  # statsmodels takes its time
@given(P_VALUES)
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@settings(deadline=None)
@given(P_VALUES)
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    for one, other in itertools.combinations(range(len(p_values)), 2):
        if p_values[one] <= p_values[other]:
            assert adjusted[one] <= adjusted[other]


def verdicts(cases: int, flake: float, drop: float, margin: float, runs: int = 400) -> list[Change]:
    """The gate's verdicts on simulated runs, each case asked once on both sides."""
    random = np.random.default_rng(int(cases + 1e6 * flake + 1e3 * drop))
    right = 0.9 - np.zeros((runs, cases))
    stable = random.random((runs, cases)) < right
    turned = random.random((runs, cases)) < drop / (0.9 * (1 - 2 * flake))
    base = stable ^ (random.random((runs, cases)) < flake)
    head = (stable & ~turned) ^ (random.random((runs, cases)) < flake)
    found = []
    for before, after in zip(base, head, strict=True):
        gained, lost = int((~before & after).sum()), int((before & ~after).sum())
        evidence = evidence_of_counts(
            {1: gained, -1: lost, 0: cases - gained - lost}, 1, confidence=0.95
        )
        found.append(judge(evidence, margin=margin, p_adjusted=evidence.p_value).change)
    return found


@pytest.mark.parametrize(("cases", "flake"), [(200, 0.0), (200, 0.05), (500, 0.02)])
def test_a_drop_that_is_called_detectable_is_detected_in_four_runs_of_five(
    cases: int, flake: float
) -> None:
    drop = detectable_drop(cases, flaky(flake), margin=0.02)
    assert drop is not None
    found = verdicts(cases, flake, drop, 0.02).count(Change.REGRESSION) / 400
    assert 0.72 <= found <= 0.95


@pytest.mark.parametrize("flake", [0.0, 0.02, 0.05])
def test_the_cases_that_are_needed_show_a_kept_margin_in_four_runs_of_five(flake: float) -> None:
    cases = cases_needed(0.05, flaky(flake))
    assert cases is not None
    found = verdicts(cases, flake, 0.0, 0.05)
    kept = (found.count(Change.SAME) + found.count(Change.BETTER)) / 400
    assert kept >= 0.72
    assert kept_margin(cases, flaky(flake)) < 0.05 <= kept_margin(cases - 1, flaky(flake))


def test_no_number_of_cases_shows_a_margin_of_zero() -> None:
    assert cases_needed(0.0, flaky(0.02)) is None
    assert cases_needed_for_mean(0.0, 1.0) is None
    assert cases_needed_for_mean(1e-6, 1.0) is None


@settings(deadline=None)
@given(st.integers(20, 3000), st.floats(0, 0.3))
def test_more_cases_and_less_flake_see_more(cases: int, flake: float) -> None:
    assert kept_margin(2 * cases, flaky(flake)) < kept_margin(cases, flaky(flake))
    assert kept_margin(cases, flaky(flake)) <= kept_margin(cases, flaky(flake + 0.05))
    once, again = flaky(flake), flaky(flake).with_repeats(5)
    assert kept_margin(cases, again) <= kept_margin(cases, once) + 1e-12


def test_repeats_divide_the_variance_and_cannot_turn_more_than_one() -> None:
    spread = Spread(turned=0.1, squares=0.1).with_repeats(4)
    assert spread.squares == pytest.approx(0.025)
    assert spread.turned <= 0.1
