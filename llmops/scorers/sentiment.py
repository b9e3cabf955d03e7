"""How friendly the answer's words are, by VADER.

Source: C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for
Sentiment Analysis of Social Media Text", ICWSM 2014. A lexicon of some 7,500
English words with rules for negation, intensifiers and punctuation: no model,
nothing is fetched, and the same text has the same score for ever (the last
version of the package is of 2020).

It reads words, not meaning. Text in other languages is neutral to it, irony is
taken at its word, and answers about illness, war or crime count as unfriendly
however kindly they are put. So look at differences between answers to the same
question, not at one answer's score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version as version_of
from typing import Any, ClassVar

from llmops.core.errors import needs
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured

LONGEST_ANSWER = 20_000
"""Characters of an answer that are read; VADER's time grows with the square of the words."""


@dataclass(frozen=True, kw_only=True)
class Sentiment(Configured):
    """From 0, as unfriendly as words get, over 0.5, neutral, to 1; for English.

    It is VADER's compound score, moved from [-1, 1] to [0, 1]. An empty
    answer is neutral. Reads the first 20,000 characters.

    >>> texts = ("A great, helpful idea!", "The table is made of wood.", "A horrible idea.")
    >>> [round(Sentiment().score(Sample(output=text)).value, 2) for text in texts]
    [0.9, 0.5, 0.23]
    """

    name: ClassVar[str] = "sentiment"
    unit: ClassVar[str] = ""

    _analyzer: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        with needs("sentiment"):
            from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
        object.__setattr__(self, "_analyzer", SentimentIntensityAnalyzer())

    @property
    def version(self) -> str:
        """The method's version and VADER's."""
        return f"{self.method}[vader={version_of('vaderSentiment')}]"

    def look(self, sample: Sample) -> Score:
        """The score, with the shares of the words that are positive, neutral and negative."""
        found = self._analyzer.polarity_scores(sample.output[:LONGEST_ANSWER])
        return Score(
            value=(found["compound"] + 1) / 2,
            rationale=f"words {found['pos']:.0%} positive, {found['neg']:.0%} negative",
        )
