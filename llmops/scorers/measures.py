"""What can be counted without judging: length, time, tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured
from llmops.scorers.functions import scorer


@dataclass(frozen=True, kw_only=True)
class Length(Configured):
    """How long the answer is, in `words`, `characters` or `tokens`.

    Words stand between white space; characters are Unicode code points; tokens
    are those that the provider counted, and without its count the case is
    unscored. Set a rule such as `"<= 50"`; lower counts as better.

    >>> Length().score(Sample(output="one two  three")).value
    3.0
    """

    name: ClassVar[str] = "length"
    higher_is_better: ClassVar[bool] = False

    unit: Literal["words", "characters", "tokens"] = "words"

    def look(self, sample: Sample) -> Score:
        """The count."""
        if self.unit == "tokens":
            return _tokens(sample)
        counted = len(sample.output.split()) if self.unit == "words" else len(sample.output)
        return Score(value=float(counted))


@scorer(version="1", unit="s", higher_is_better=False, needs=["latency"])
def latency(sample: Sample) -> Score:
    """Seconds from sending the request to the whole answer.

    For an answer from the cache these are the seconds of the call that was made.

    >>> latency.score(Sample(output="", latency=0.25)).value
    0.25
    """
    return Score(value=sample.latency)


@scorer(version="1", unit="tokens", higher_is_better=False)
def output_tokens(sample: Sample) -> Score:
    """Tokens of the answer, as the provider counted them; unscored where it did not.

    >>> output_tokens.score(Sample(output="Paris", output_tokens=2)).value
    2.0
    """
    return _tokens(sample)


def _tokens(sample: Sample) -> Score:
    if sample.output_tokens is None:
        return Score.unscored("the provider gave no token count")
    return Score(value=float(sample.output_tokens))
