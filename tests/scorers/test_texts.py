"""Text scorers against their sources: hand-computed cases and independent implementations."""

from __future__ import annotations

import re
import string
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers import build
from llmops.scorers.rouge import longest_common_subsequence


def score(name: str, output: str, expected: Any = None, **options: Any) -> Score:
    found = build(name, options, base=Path()).score(Sample(output=output, expected=expected))
    assert isinstance(found, Score)
    return found


def value(name: str, output: str, expected: Any = None, **options: Any) -> float | None:
    return score(name, output, expected, **options).value


@pytest.mark.parametrize(
    ("output", "expected", "options", "wanted"),
    [
        ("Paris", "Paris", {}, 1),
        (" Paris\n", "Paris", {}, 1),
        (" Paris", "Paris", {"strip": False}, 0),
        ("paris", "Paris", {}, 0),
        ("paris", "Paris", {"ignore_case": True}, 1),
        ("STRASSE", "Straße", {"ignore_case": True}, 1),
        ("e\u0301te\u0301", "été", {}, 1),
        ("two  words", "two words", {}, 0),
        ("two \n words", "two words", {"collapse_space": True}, 1),
        ("75", 75, {}, 1),
        ("3.5", 3.5, {}, 1),
        ("true", True, {}, 1),
        ("b", ["a", "b"], {}, 1),
        ("", "", {}, 1),
        ("", "Paris", {}, 0),
    ],
)
def test_exact_match_compares_with_every_reference(
    output: str, expected: Any, options: dict[str, Any], wanted: float
) -> None:
    assert value("exact_match", output, expected, **options) == wanted


@pytest.mark.parametrize(
    ("output", "expected", "options", "wanted"),
    [
        ("It is Paris.", "Paris", {}, 1),
        ("It is paris.", "Paris", {}, 0),
        ("It is paris.", "Paris", {"ignore_case": True}, 1),
        ("It is Lyon.", ["Paris", "Lyon"], {}, 1),
        ("a and b", None, {"all": ["a", "b"]}, 1),
        ("a and c", None, {"all": ["a", "b"]}, 0),
        ("only b", None, {"any": ["a", "b"]}, 1),
        ("neither", None, {"any": ["x", "y"]}, 0),
        ("", None, {"text": "x"}, 0),
    ],
)
def test_contains_finds_texts(
    output: str, expected: Any, options: dict[str, Any], wanted: float
) -> None:
    assert value("contains", output, expected, **options) == wanted


def test_contains_says_where_and_what_is_missing() -> None:
    found = score("contains", "Ça, ça.", ignore_case=True, all=["ça", "non"])
    assert found.value == 0
    assert found.spans == ((0, 2), (4, 6))
    assert found.rationale == "does not contain `non`"


@pytest.mark.parametrize(
    "options", [{"text": ""}, {"any": []}, {"all": ["a", ""]}, {"text": "a", "any": ["b"]}]
)
def test_contains_refuses_to_look_for_nothing(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        build("contains", options, base=Path())


def test_an_empty_expected_text_is_not_contained_in_everything() -> None:
    assert value("contains", "anything", "") is None


# The definition in SQuAD's paper and script, written here again and plainly.
def squad_normal(text: str) -> str:
    text = "".join(each for each in text.lower() if each not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad_f1(output: str, reference: str) -> float:
    said, wanted = squad_normal(output).split(), squad_normal(reference).split()
    shared = sum(min(said.count(each), wanted.count(each)) for each in Counter(said))
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


@pytest.mark.parametrize(
    ("output", "expected", "f1", "exact"),
    [
        ("Denver Broncos", ["Denver Broncos", "The Broncos"], 1.0, 1),
        ("the Denver Broncos!", "Denver Broncos", 1.0, 1),
        ("Broncos", "Denver Broncos", 2 / 3, 0),  # P 1, R 1/2
        ("the team was the Denver Broncos", "Denver Broncos", 2 / 3, 0),  # P 2/4, R 1
        ("Denver Denver", "Denver Broncos", 0.5, 0),  # counted once: P 1/2, R 1/2
        ("Carolina", ["Denver", "Broncos"], 0.0, 0),
        ("an answer", "A, answer", 1.0, 1),
        ("well-known", "well known", 0.0, 0),  # punctuation goes without leaving a space
        ("", "Denver", 0.0, 0),
        ("the", "a", 0.0, 1),  # nothing is left of either: equal, and no token shared
        ("308", 308, 1.0, 1),
    ],
)
def test_squad_scores_are_those_computed_by_hand(
    output: str, expected: Any, f1: float, exact: float
) -> None:
    assert value("token_f1", output, expected) == pytest.approx(f1)
    assert value("squad_exact_match", output, expected) == exact


TEXT = st.text(
    st.sampled_from("aAn theTHE cat.,'-!¿éÉßİ\u00a0\n\t123_") | st.characters(), max_size=60
)


@given(TEXT, TEXT)
@settings(max_examples=500, deadline=None)
def test_squad_scores_are_those_of_the_script_on_any_text(output: str, reference: str) -> None:
    assert value("token_f1", output, reference) == pytest.approx(squad_f1(output, reference))
    equal = squad_normal(output) == squad_normal(reference)
    assert value("squad_exact_match", output, reference) == equal


@pytest.mark.parametrize(
    ("output", "expected", "wanted"),
    [  # Lin 2004, section 3.1, and values of rouge_score 0.1.2 without stemming
        ("police kill the gunman", "police killed the gunman", 0.75),
        ("the gunman kill police", "police killed the gunman", 0.5),
        (
            "The Panthers' defense surrendered 308 points and ranked sixth in the whole league!",
            "The Panthers defense gave up just 308 points, ranking sixth in the league.",
            0.6923076923076923,
        ),
        (
            "It stands 330 metres tall. It was built in 1889.",
            "In 1889, it was built; it stands 330 m tall.",
            0.4,
        ),
        ("a b c d", "a_b c-d", 1.0),
        ("", "word", 0.0),
        ("größer als groß", "Größer, als GROß", 1.0),  # rouge_score would drop ö and ß
    ],
)
def test_rouge_l_is_that_of_the_reference_implementation(
    output: str, expected: str, wanted: float
) -> None:
    assert value("rouge_l", output, expected) == pytest.approx(wanted)


def test_rouge_l_takes_the_best_reference() -> None:
    assert value("rouge_l", "the cat", ["a dog", "the cat", "cat"]) == 1


@given(
    st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=90)
)
@settings(max_examples=300, deadline=None)
def test_the_bit_parallel_subsequence_is_that_of_the_table(
    left: list[str], right: list[str]
) -> None:
    row = [0] * (len(right) + 1)
    for one in left:
        above, row = row, [0] * (len(right) + 1)
        for index, other in enumerate(right, 1):
            row[index] = above[index - 1] + 1 if one == other else max(row[index - 1], above[index])
    assert longest_common_subsequence(left, right) == row[-1]


@given(
    st.text("abc the 12.,-_'\n", max_size=80),
    st.lists(st.text("abc the 12.,-", min_size=1), min_size=1),
)
@settings(max_examples=200, deadline=None)
def test_rouge_l_agrees_with_the_package_rouge_score(output: str, expected: list[str]) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    oracle = RougeScorer(["rougeL"], use_stemmer=False)
    wanted = oracle.score_multi(expected, output)["rougeL"].fmeasure
    assert value("rouge_l", output, expected) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("output", "expected", "bleu", "chrf"),
    [  # sacrebleu 2.6.0: sentence_bleu, sentence_chrf
        ("police kill the gunman", "police killed the gunman", 35.35533905932737, 76.240376497800),
        (
            "It stands 330 metres tall. It was built in 1889.",
            "In 1889, it was built; it stands 330 m tall.",
            11.217265776204941,
            60.093240392774035,
        ),
        ("", "word", 0, 0),
        (
            "the cat sat on mat",
            ["the cat sat on the mat", "a cat was on a mat"],
            57.893006746,
            None,
        ),
    ],
)
def test_bleu_and_chrf_are_those_of_sacrebleu(
    output: str, expected: Any, bleu: float, chrf: float | None
) -> None:
    assert value("bleu", output, expected) == pytest.approx(bleu / 100)
    if chrf is not None:
        assert value("chrf", output, expected) == pytest.approx(chrf / 100)


def test_the_version_of_bleu_is_sacrebleus_signature() -> None:
    import sacrebleu

    version = build("bleu", {"lowercase": True}, base=Path()).version
    assert "|case:lc|eff:yes|tok:13a|smooth:exp|" in version
    assert f"version:{sacrebleu.__version__}" in version
    assert "nw:2" in build("chrf", {"word_order": 2}, base=Path()).version


def test_bleu_keeps_no_answer_in_the_tokenizers_cache() -> None:
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
    from sacrebleu.tokenizers.tokenizer_re import TokenizerRegexp

    for number in range(10):
        value("bleu", f"answer {number}", "answer")
    for tokenizer in (Tokenizer13a, TokenizerRegexp):
        assert tokenizer.__call__.cache_info().currsize == 0


@pytest.mark.parametrize(("unit", "wanted"), [("words", 3), ("characters", 14), ("tokens", 9)])
def test_length_counts_in_its_unit(unit: str, wanted: float) -> None:
    scorer = build("length", {"unit": unit}, base=Path())
    found = scorer.score(Sample(output="one two  three", output_tokens=9))
    assert isinstance(found, Score)
    assert found.value == wanted
    assert scorer.unit == unit  # type: ignore[attr-defined]


def test_tokens_that_nobody_counted_leave_the_case_unscored() -> None:
    assert value("length", "one two", unit="tokens") is None
    assert value("output_tokens", "one two") is None
    assert score("latency", "one two").rationale == "the case has no latency"


PASSAGE = "Super Bowl 50 cost 1,200 dollars. The été was “hot”, 3.5 degrees above."


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("Super Bowl 50", 1),
        ("It cost 1200 dollars", 1),  # cost, 1200, dollars; `it` is a function word
        ("It cost 1,300 dollars", 2 / 3),
        ("3.5 degrees", 1),
        ("35 degrees", 1 / 2),
        ("hot e\u0301te\u0301", 1),
        ("It was the", 2 / 3),  # nothing but function words: then they count
        ("unrelated words", 0),
        ("", 0),
        ("?!", 0),
    ],
)
def test_context_overlap_is_the_share_of_content_words_in_the_passages(
    output: str, wanted: float
) -> None:
    scorer = build("context_overlap", {}, base=Path())
    found = scorer.score(Sample(output=output, contexts=("Nothing.", PASSAGE)))
    assert isinstance(found, Score)
    assert found.value == pytest.approx(wanted)


def test_context_overlap_points_at_the_words_that_stand_nowhere() -> None:
    scorer = build("context_overlap", {}, base=Path())
    found = scorer.score(Sample(output="Super Bowl 51", contexts=(PASSAGE,)))
    assert isinstance(found, Score)
    assert found.spans == ((11, 13),)
    assert found.rationale == "2 of 3 content words stand in the passages; not `51`"


def test_an_expected_mapping_leaves_a_text_scorer_unscored() -> None:
    assert score("token_f1", "x", {"a": 1}).rationale.startswith("the expected value (dict)")
