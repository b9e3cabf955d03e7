"""Texts compared word by word."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.prompts.comparison.words import diff_words


def marked(old: str, new: str) -> str:
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(marks[span.change].format(span.text) for span in diff_words(old, new))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Be kind.", "Be kind.", "Be kind."),
        ("Be kind.", "Be very kind.", "Be {+very +}kind."),
        ("Be very kind.", "Be kind.", "Be [-very -]kind."),
        ("Be kind.", "Be dry.", "Be [-kind-]{+dry+}."),
        ("", "Be kind.", "{+Be kind.+}"),
        ("Be kind.", "", "[-Be kind.-]"),
        ("a tone of {{ x }}", "a tone of {{ y }}", "a tone of [-{{ x }}-]{+{{ y }}+}"),
        ("{{x}} and {%if a%}b{%endif%}", "{{ x }} and {% if a %}b{% endif %}", None),
        ("{{ x }}", "{{ x | upper }}", "[-{{ x }}-]{+{{ x | upper }}+}"),
        ('{{ "a  b" }} c', '{{ "a b" }} c', '[-{{ "a  b" }}-]{+{{ "a b" }}+} c'),
        ("one two three", "one\ntwo three", "one[- -]{+\n+}two three"),
        ("one\n\n\ntwo\n", "one\n\ntwo\n", "one\n\n[-\n-]two\n"),
        ("don't stop", "don't ever stop", "don't {+ever +}stop"),
        ("Größe 1.5 €", "Größe 2.5 €", "Größe [-1.5-]{+2.5+} €"),
    ],
)
def test_what_changed_is_marked_by_the_word(old: str, new: str, shown: str | None) -> None:
    assert marked(old, new) == (new if shown is None else shown)


def test_a_word_left_standing_between_longer_changes_is_part_of_them() -> None:
    old = "Sort every ticket that comes in by its urgency now please"
    new = "Label each mail from users that has no clear owner yet, please"
    assert marked(old, new).count("[-") <= 2


def test_texts_without_common_words_are_taken_out_and_put_in_as_a_whole() -> None:
    old, new = "The quick brown fox jumps.", "Classify this ticket, please"
    assert marked(old, new) == f"[-{old}-]{{+{new}+}}"


PIECES = ["a", "b", "word ", "{{ x }}", " ", ".", "\n", "\t", "é", "{%", "}}", "'"]
texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(texts, texts)
def test_both_texts_can_be_read_off_the_difference(old: str, new: str) -> None:
    spans = diff_words(old, new)
    assert "".join(span.text for span in spans if span.change != "added") == old
    assert "".join(span.text for span in spans if span.change != "removed") == new
    assert all(one.change != other.change for one, other in pairwise(spans))
    assert all(span.change == "same" for span in diff_words(new, new))


def test_a_long_prompt_with_a_word_changed_in_every_line_shows_just_these_words() -> None:
    rng = random.Random(7)
    words = [f"w{number}" for number in range(2000)]
    weights = [1 / (number + 1) for number in range(2000)]
    old = [" ".join(rng.choices(words, weights, k=12)) for _ in range(2000)]
    new = ["A new line", *(line.replace(" ", " very ", 1) for line in old)]
    spans = diff_words("\n".join(old), "\n".join(new))
    added = sum(len(span.text) for span in spans if span.change == "added")
    removed = sum(len(span.text) for span in spans if span.change == "removed")
    assert (added - removed, removed < 10) == (len("A new line\n") + 2000 * len("very "), True)
