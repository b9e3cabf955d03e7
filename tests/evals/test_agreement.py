"""The statistics of calibration, against scikit-learn, SciPy, statsmodels and krippendorff."""

from __future__ import annotations

import math
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from llmops.evals.calibration import agreement

RATINGS = np.array(
    [
        [1, 1, np.nan, 1],
        [2, 2, 3, 2],
        [3, 3, 3, 3],
        [3, 3, 3, 3],
        [2, 2, 2, 2],
        [1, 2, 3, 4],
        [4, 4, 4, 4],
        [1, 1, 2, 1],
        [2, 2, 2, 2],
        [np.nan, 5, 5, 5],
        [np.nan, np.nan, 1, 1],
        [np.nan, np.nan, 3, np.nan],
    ]
)
"""The worked example of Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), E."""


def codes(size: int, labels: int) -> st.SearchStrategy[Any]:
    return arrays.arrays(np.intp, size, elements=st.integers(0, labels - 1))


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_the_published_one(level: Any, published: float) -> None:
    assert agreement.krippendorff_alpha(RATINGS, level) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_alpha_is_that_of_the_krippendorff_package(level: Any, data: st.DataObject) -> None:
    cell = st.one_of(st.integers(1, 5).map(float), st.just(math.nan))
    table = data.draw(arrays.arrays(float, (12, 3), elements=cell))
    ours = agreement.krippendorff_alpha(table, level) if (~np.isnan(table)).any() else math.nan
    paired = table[(~np.isnan(table)).sum(axis=1) >= 2]
    if len(np.unique(paired[~np.isnan(paired)])) < 2:
        assert math.isnan(ours)
    else:
        theirs = krippendorff.alpha(reliability_data=table.T, level_of_measurement=level)
        assert ours == pytest.approx(theirs, abs=1e-9)


@given(data=st.data(), labels=st.integers(2, 5), weighted=st.booleans())
@settings(max_examples=60, deadline=None)
def test_kappa_is_that_of_scikit_learn(data: st.DataObject, labels: int, weighted: bool) -> None:
    one, other = data.draw(codes(40, labels)), data.draw(codes(40, labels))
    ours = agreement.cohen_kappa(agreement.confusion(one, other, labels), weighted=weighted)
    if len({*one.tolist(), *other.tolist()}) < 2:
        assert math.isnan(ours)
    else:
        theirs = cohen_kappa_score(
            one, other, labels=range(labels), weights="quadratic" if weighted else None
        )
        assert ours == pytest.approx(theirs, abs=1e-9)


@given(
    scores=arrays.arrays(float, 30, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])),
    truth=arrays.arrays(bool, 30),
)
@settings(max_examples=60, deadline=None)
def test_auroc_is_that_of_scikit_learn_ties_and_all(scores: Any, truth: Any) -> None:
    ours = agreement.auroc(scores, truth)
    if truth.all() or not truth.any():
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(roc_auc_score(truth, scores), abs=1e-9)


@given(values=arrays.arrays(float, 25, elements=st.integers(0, 6).map(float)))
@settings(max_examples=40, deadline=None)
def test_ranks_are_those_of_scipy(values: Any) -> None:
    assert agreement.ranks(values).tolist() == stats.rankdata(values).tolist()


def test_correlations_are_those_of_scipy() -> None:
    draw = np.random.default_rng(1)
    label = draw.integers(0, 2, 300).astype(float)
    length = draw.normal(size=300)
    score = label + 0.5 * length + draw.normal(size=300)
    expected = stats.spearmanr(score, length).statistic
    assert agreement.correlation(score, length) == pytest.approx(expected)
    # A partial correlation is that of what two regressions on the third leave over.
    a, b, c = (stats.rankdata(each) for each in (score, length, label))
    rest = [each - np.polyval(np.polyfit(c, each, 1), c) for each in (a, b)]
    expected = np.corrcoef(*rest)[0, 1]
    found = agreement.partial_correlation(score, length, label)
    assert found == pytest.approx(expected, abs=1e-9)


def test_length_tells_nothing_once_the_label_is_known() -> None:
    draw = np.random.default_rng(2)
    label = draw.integers(0, 2, 4_000).astype(float)
    length = label * 10 + draw.normal(size=4_000)  # good answers are longer
    score = label + draw.normal(size=4_000) / 10  # and the judge looks at the label only
    assert agreement.correlation(score, length) > 0.7
    assert abs(agreement.partial_correlation(score, length, label)) < 0.05


def test_a_threshold_chosen_on_noise_is_found_out_on_other_cases() -> None:
    draw = np.random.default_rng(3)
    chosen, honest = [], []
    for seed in range(40):
        scores, truth = draw.random(60), draw.random(60) < 0.5
        chosen.append(agreement.best_threshold(scores, truth)[1])
        honest.append(agreement.cross_validated(scores, truth, seed))
    assert np.mean(chosen) > 0.57
    assert np.mean(honest) == pytest.approx(0.5, abs=0.04)


def test_no_threshold_is_tried_with_fewer_cases_of_a_kind_than_parts() -> None:
    truth = np.array([True] * 4 + [False] * 20)
    assert agreement.cross_validated(np.linspace(0, 1, 24), truth, 0) is None


def test_the_intervals_of_kappa_cover_the_truth_as_often_as_they_say() -> None:
    draw = np.random.default_rng(4)
    # A judge that is right in 80 % of cases of which a half is good has a kappa of 0.6.
    covered = 0
    for trial in range(200):
        people = draw.integers(0, 2, 150)
        judge = np.where(draw.random(150) < 0.8, people, 1 - people)

        def kappa(rows: Any, people: Any = people, judge: Any = judge) -> float:
            return agreement.cohen_kappa(agreement.confusion(people[rows], judge[rows], 2))

        found = agreement.bootstrap(150, kappa, 300, trial)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.6 <= found.high
    assert 178 <= covered <= 199  # 95 % of 200 is 190


def test_a_judge_that_always_says_one_thing_has_no_agreement_beyond_chance() -> None:
    people, judge = np.array([0, 1] * 20), np.zeros(40, dtype=np.intp)
    assert agreement.cohen_kappa(agreement.confusion(people, judge, 2)) == 0.0


def test_nothing_is_claimed_where_nothing_is_defined() -> None:
    assert agreement.bootstrap(0, lambda _: 1.0, 200, 0) is None
    assert agreement.bootstrap(10, lambda _: math.nan, 200, 0) is None
    rare = agreement.bootstrap(10, lambda rows: 1.0 if len(set(rows)) == 10 else math.nan, 200, 0)
    assert rare is not None
    assert rare.low is None
