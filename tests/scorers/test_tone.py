"""Refusals and sentiment, told by words."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.core.scoring import Sample, Score
from llmops.scorers import build


def score(name: str, output: str) -> Score:
    found = build(name, base=Path()).score(Sample(output=output))
    assert isinstance(found, Score)
    return found


@pytest.mark.parametrize(
    "output",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with this request.",
        "Sorry, I am unable to share that.",
        "I cannot provide instructions for this.",
        "I must respectfully decline.",
        "As an AI language model, I do not have an opinion on this.",
        "I won't write that letter.",
        "Thank you for asking. However, it is against our guidelines to answer.",
        "I don't feel comfortable answering this.",
        "I'M NOT ABLE TO DISCUSS THIS.",
    ],
)
def test_what_declines_is_a_refusal(output: str) -> None:
    found = score("refusal", output)
    assert found.value == 1.0
    assert found.rationale.startswith("declines: ")
    ((start, end),) = found.spans
    assert output[start:end]


@pytest.mark.parametrize(
    "output",
    [
        "",
        "It is Paris.",
        "Sorry for the delay! Your parcel arrives tomorrow.",
        "You can't return it after 30 days.",
        "She could not attend the meeting, so he went alone.",
        "I can help with that. What is your order number?",
        "The shop does not sell tickets.",
        "A long answer about a tower. " * 30 + "I can't help with that.",
    ],
)
def test_what_answers_is_none(output: str) -> None:
    assert score("refusal", output).value == 0.0


def test_sentiment_orders_texts_and_knows_nothing_of_other_languages() -> None:
    worst, bad, neutral, good = (
        score("sentiment", text).value
        for text in (
            "A horrible, disgusting failure!",
            "It is not good.",
            "It is a table.",
            "It is very good!",
        )
    )
    assert worst is not None
    assert bad is not None
    assert good is not None
    assert 0 <= worst < bad < 0.5 < good <= 1
    assert neutral == 0.5
    assert score("sentiment", "Das ist leider ganz schrecklich.").value == 0.5
    assert build("sentiment", base=Path()).version == "1[vader=3.3.2]"
