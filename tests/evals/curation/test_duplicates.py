"""Near-duplicates: what was planted is found, what is different is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.evals.curation.duplicates import Sketches, duplicates, near_duplicates, overlap
from llmops.evals.curation.sketches import SHINGLE, shingles, similarity

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéñжщлф的是不了"


def text(random_: random.Random, words: int) -> str:
    return " ".join(
        "".join(random_.choices(LETTERS, k=random_.randint(2, 9))) for _ in range(words)
    )


def sketched(rows: list[list[str]]) -> Sketches:
    found = Sketches(len(rows[0]))
    for row in rows:
        found.add(row)
    return found


def exact(one: str, other: str) -> float:
    """The Jaccard index of the sets of five characters themselves."""
    left, right = (
        {each[i : i + SHINGLE] for i in range(max(1, len(each) - SHINGLE + 1))}
        for each in (" ".join(one.casefold().split()), " ".join(other.casefold().split()))
    )
    return len(left & right) / len(left | right)


@given(one=st.text("abc ", min_size=5, max_size=60), other=st.text("abc ", min_size=5, max_size=60))
def test_the_similarity_is_the_jaccard_index_of_five_characters_in_a_row(
    one: str, other: str
) -> None:
    assert similarity(shingles(one), shingles(other)) == pytest.approx(exact(one, other))


def test_the_similarity_of_long_texts_is_estimated_within_some_points() -> None:
    random_ = random.Random(5)
    parts = [text(random_, 400) for _ in range(3)]
    one, other = parts[0] + parts[1], parts[0] + parts[2]
    assert similarity(shingles(one), shingles(other)) == pytest.approx(exact(one, other), abs=0.07)


@given(seed=st.integers(0, 2**32), columns=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_planted_near_duplicates_are_found_and_nothing_else_is(seed: int, columns: int) -> None:
    random_ = random.Random(seed)
    rows = [[text(random_, 25) for _ in range(columns)] for _ in range(60)]
    planted = random_.sample(range(60), 10)
    for number in planted:
        rows.append([f"{each.upper()} x" for each in rows[number]])
    found = near_duplicates(sketched(rows), 0.8)
    assert [each.rows for each in found] == sorted(
        (number, 60 + position) for position, number in enumerate(planted)
    )
    assert all(0.8 <= each.similarity < 1 for each in found)
    assert duplicates(sketched(rows)) == []


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_rows_that_share_one_long_column_are_told_apart_by_the_other(seed: int) -> None:
    random_ = random.Random(seed)
    passage = text(random_, 300)
    rows = [[passage, text(random_, 8)] for _ in range(40)]
    rows.append([passage, rows[7][1] + "?"])
    assert [each.rows for each in near_duplicates(sketched(rows), 0.8)] == [(7, 40)]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_overlap_finds_each_planted_row_with_the_row_that_it_is(seed: int) -> None:
    random_ = random.Random(seed)
    here = [[text(random_, 20)] for _ in range(30)]
    there = [[text(random_, 20)] for _ in range(30)]
    there[4], there[9] = here[2], [here[11][0] + "!"]
    found = [(each.row, each.other) for each in overlap(sketched(here), sketched(there), 0.8)]
    assert found == [(2, 4), (11, 9)]


def orders(random_: random.Random, count: int) -> list[list[str]]:
    """Rows of one template: nearly alike enough to be near-duplicates, all of them."""
    numbers = random_.sample(range(10**11, 10**12), count)
    return [[f"A customer asks whether delivery {each} can be changed."] for each in numbers]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_planted_among_many_rows_of_one_template_is_found(seed: int) -> None:
    random_ = random.Random(seed)
    rows = orders(random_, 1_500)
    planted = sorted(random_.sample(range(1_500), 30))
    again = [[rows[number][0] + "!"] for number in planted]
    found = near_duplicates(sketched(rows + again), 0.8)
    expected = [(number, 1_500 + place) for place, number in enumerate(planted)]
    assert [each.rows for each in found] == expected
    met = overlap(sketched(again), sketched(rows), 0.8)
    assert [each.other for each in met] == planted


def test_many_equal_rows_are_one_group_and_quickly_so() -> None:
    rows = sketched([["the same text as all the others"]] * 3_000 + [["something else"]])
    (same,) = duplicates(rows)
    assert same.rows == tuple(range(3_000))
    assert near_duplicates(rows, 0.8) == []


def test_rows_of_one_group_are_alike_on_purpose() -> None:
    rows = Sketches(1)
    for group, each in [(0, "a nurse asks for her pay"), (0, "a nurse asks for her pay.")]:
        rows.add([each], group)
    rows.add(["a nurse asks for her pay!"], 1)
    (found,) = near_duplicates(rows, 0.7)
    assert 2 in found.rows
