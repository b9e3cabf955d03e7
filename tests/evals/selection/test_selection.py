"""What a selection takes: the words, and the laws of samples and shards."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.errors import UsageError
from llmops.evals.dataset import Case
from llmops.evals.selection import Sampled, Selection, Shard, SuiteFacts

QA = SuiteFacts(
    name="qa/xquad",
    tags=("nightly",),
    paths=("evals/qa/xquad.yaml", "evals/data/xquad.jsonl", "prompts/qa/answer.prompty"),
)
OTHER = SuiteFacts(name="support", paths=("evals/support.yaml", "data/support.csv"))


def case(id_: str, *tags: str) -> Case:
    return Case(id=id_, line=1, inputs={}, tags=tags)


CASES = [case("q1", "smoke"), case("q2", "slow", "smoke"), case("a1", "slow"), case("a:2")]


class Changed:
    """States in which some cases are modified, and some of those new."""

    def __init__(self, modified: Sequence[str], new: Sequence[str] = ()):
        self._ids = {"modified": modified, "new": new}

    def has_state(self, case: str, state: str) -> bool:
        return case in self._ids[state]


@pytest.mark.parametrize(
    ("select", "exclude", "expected"),
    [
        (None, None, "q1 q2 a1 a:2"),
        ("q*", None, "q1 q2"),
        ("case:a:2", None, "a:2"),
        ("tag:smoke,tag:slow", None, "q2"),
        ("tag:smoke tag:slow", None, "q1 q2 a1"),
        ("tag:smoke", "tag:slow", "q1"),
        (None, "tag:slow", "q1 a:2"),
        (None, "tag:slow,q*", "q1 a1 a:2"),
        (None, "tag:slow q1", "a:2"),
        ("suite:qa/*", None, "q1 q2 a1 a:2"),
        ("suite:support", None, ""),
        ("suite:support q1", None, "q1"),
        ("suite:qa/xquad,tag:smoke", None, "q1 q2"),
        ("suite:support,tag:smoke a1", None, "a1"),
        ("tag:nightly", None, "q1 q2 a1 a:2"),
        ("tag:nightly,tag:slow", None, "q2 a1"),
        (None, "tag:nightly", ""),
        (None, "suite:qa/*,tag:slow", "q1 a:2"),
        ("path:evals/qa/xquad.yaml", None, "q1 q2 a1 a:2"),
        ("path:prompts/qa", None, "q1 q2 a1 a:2"),
        ("path:./evals/data/", None, "q1 q2 a1 a:2"),
        ("path:prompts/*.prompty,q1", None, "q1"),
        ("path:prompts/q", None, ""),
        ("state:modified", None, "q1 a1"),
        ("state:new", None, "a1"),
        ("state:modified,tag:smoke", None, "q1"),
        ("state:new q2", None, "q2 a1"),
        ("state:modified", "state:new", "q1"),
    ],
)
def test_what_an_expression_takes_of_a_suite(
    select: str | None, exclude: str | None, expected: str
) -> None:
    selection = Selection.parse(select, exclude, states=lambda suite: Changed(["q1", "a1"], ["a1"]))
    chosen = selection.of(QA)
    assert [each.id for each in CASES if chosen(each)] == expected.split()
    assert not (chosen.is_empty and expected)


@pytest.mark.parametrize(
    ("select", "exclude", "expected"),
    [
        (None, None, ["qa/xquad", "support"]),
        ("suite:qa/*", None, ["qa/xquad"]),
        ("path:data/support.csv", None, ["support"]),
        ("q1", None, ["qa/xquad", "support"]),
        ("tag:nightly", None, ["qa/xquad", "support"]),  # cases of the other may have the tag
        (None, "tag:nightly", ["support"]),
        (None, "suite:support,q1", ["qa/xquad", "support"]),
        ("suite:none", None, []),
    ],
)
def test_which_suites_an_expression_may_take_cases_of(
    select: str | None, exclude: str | None, expected: list[str]
) -> None:
    found = Selection.parse(select, exclude).suites([QA, OTHER])
    assert [suite.name for suite in found] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "colour:red"}, "selects by `colour`, which is not known"),
        ({"exclude": "colour:red"}, "selects by `colour`, which is not known"),
        ({"text": "state:modifed"}, "no state is named `modifed`"),
        ({"text": "tag:a,,tag:b"}, "holds an empty term"),
        ({"text": "  "}, "the selection is empty"),
        ({"exclude": ""}, "the selection is empty"),
        ({"sample": 0}, "`sample` must be at least 1"),
        ({"limit": 0}, "`limit` must be at least 1"),
        ({"shard": "0/4"}, "`0/4` is not a shard"),
        ({"shard": "5/4"}, "`5/4` is not a shard"),
        ({"shard": "1"}, "`1` is not a shard"),
    ],
)
def test_what_cannot_be_read_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Selection.parse(**options)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_state_without_a_base_is_refused_with_the_option_that_names_one() -> None:
    with pytest.raises(UsageError) as caught:
        Selection.parse("q1", "state:new").of(QA)
    assert "--base" in (caught.value.hint or "")


def test_the_words_of_a_selection_select_the_same_again() -> None:
    given = Selection.parse("tag:a  q1", "tag:b", sample=7, seed=3, limit=5, shard="2/3")
    words = dict(zip(given.words[::2], given.words[1::2], strict=True))
    again = Selection.parse(
        words["--select"],
        words["--exclude"],
        sample=int(words["--sample"]),
        seed=int(words["--seed"]),
        limit=int(words["--limit"]),
        shard=words["--shard"],
    )
    assert again == given


ids = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=60)


@given(ids, st.integers(1, 9))
def test_every_case_is_in_exactly_one_shard(cases: list[str], of: int) -> None:
    shards = [Shard(index, of) for index in range(1, of + 1)]
    assert all(sum(shard.holds(case) for shard in shards) == 1 for case in cases)


def test_shards_share_the_cases_about_evenly() -> None:
    counts = [sum(Shard(i, 4).holds(f"case-{n}") for n in range(10_000)) for i in (1, 2, 3, 4)]
    # Binomial with p = 1/4: a standard deviation is 43.
    assert all(2_300 < count < 2_700 for count in counts)


def taken(cases: list[str], sample: Sampled) -> set[str]:
    selection = Selection(sample=sample)
    rows = [case(each) for each in cases]
    chosen = selection.narrowed(selection.of(QA), rows)
    return {each.id for each in rows if chosen(each)}


@given(ids, st.integers(1, 70), st.integers())
def test_a_sample_has_its_size_and_is_the_same_for_a_seed_in_any_order(
    cases: list[str], size: int, seed: int
) -> None:
    sample = Sampled(size, seed)
    found = taken(cases, sample)
    assert len(found) == min(size, len(cases))
    assert found == taken(cases[::-1], sample)


@given(ids.filter(bool), st.integers(1, 20), st.integers())
def test_a_case_that_is_added_changes_at_most_one_of_a_sample(
    cases: list[str], size: int, seed: int
) -> None:
    *before, added = cases
    sample = Sampled(size, seed)
    assert len(taken(before, sample) - taken(cases, sample)) <= 1
    assert taken(cases, sample) - taken(before, sample) <= {added}


def test_another_seed_draws_another_sample() -> None:
    cases = [f"case-{n}" for n in range(1_000)]
    first, second = taken(cases, Sampled(100, 1)), taken(cases, Sampled(100, 2))
    # Hypergeometric: 10 in common are expected, with a standard deviation of 2.8.
    assert len(first & second) < 30


@given(
    ids.filter(bool),
    st.sampled_from([None, "case:a*", "case:?", "case:[a-m]*"]),
    st.none() | st.integers(1, 20),
    st.none() | st.integers(1, 20),
    st.integers(1, 5),
)
def test_all_shards_together_are_the_run_without_shards(
    tmp_path_factory: pytest.TempPathFactory,
    cases: list[str],
    select: str | None,
    sample: int | None,
    limit: int | None,
    of: int,
) -> None:
    import json

    from llmops.evals.dataset import Columns, Dataset

    cases = [each for each in cases if each.strip() and each.isprintable()]
    if not cases:
        return
    path = tmp_path_factory.getbasetemp() / "cases.jsonl"
    path.write_text("".join(json.dumps({"id": each}) + "\n" for each in cases))
    selection = Selection.parse(select, sample=sample, limit=limit)
    dataset = Dataset(path, Columns())
    chosen = selection.narrowed(selection.of(QA), dataset.every())
    whole = dataset.scan(chosen, limit)
    expected = [each.id for each in dataset.cases(chosen, limit)]
    found: dict[int, str] = {}
    for index in range(1, of + 1):
        shard = Shard(index, of)
        scan = dataset.scan(chosen, limit, shard)
        assert scan.before_shard == whole.selected == len(expected)
        assert scan.positions is not None
        ids = [each.id for each in dataset.cases(chosen, limit, shard)]
        found |= dict(zip(scan.positions, ids, strict=True))
    assert [found[position] for position in sorted(found)] == expected
