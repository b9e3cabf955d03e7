"""BLEU and chrF of single answers, by sacreBLEU.

Sources: Papineni et al., "BLEU" (ACL 2002), smoothed as in Chen and Cherry
(WMT 2014); Popović, "chrF" (WMT 2015); Post, "A Call for Clarity in Reporting
BLEU Scores" (WMT 2018), whose signature stands in each scorer's version. A mean
of sentence scores is not a corpus score; compare it with its like only.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from llmops.core.errors import UsageError, needs
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured
from llmops.scorers.references import references

LONGEST_ANSWER = 100_000
"""Characters of an answer that are read: n-grams of more take seconds and hundreds of MB."""


@dataclass(frozen=True, kw_only=True)
class SacreBleu(Configured):
    """Base of the two metrics: builds one, and asks it about one answer."""

    unit: ClassVar[str] = ""
    _metric: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        with needs("bleu"):
            from sacrebleu.metrics.bleu import BLEU
            from sacrebleu.metrics.chrf import CHRF
        metric = self._build(BLEU, CHRF)
        metric.num_refs = -1  # sacreBLEU's mark for "differs from case to case"
        object.__setattr__(self, "_metric", metric)

    @abstractmethod
    def _build(self, bleu: Any, chrf: Any) -> Any:
        """The metric, of one of sacreBLEU's two classes."""

    @property
    def version(self) -> str:
        """sacreBLEU's signature, with its own version and every setting."""
        return f"{self.method}[{self._metric.get_signature()}]"

    @property
    def needs(self) -> frozenset[str]:
        """An expected text."""
        return frozenset({"expected"})

    def look(self, sample: Sample) -> Score:
        """The metric as a ratio, where sacreBLEU gives a percentage."""
        texts = references(sample.expected)
        if not texts:
            return Score.unscored("the expected value holds no text to compare with")
        found = self._metric.sentence_score(sample.output[:LONGEST_ANSWER], list(texts))
        self._forget()
        return Score(value=found.score / 100, rationale=found.format(signature=""))

    def _forget(self) -> None:
        """Empty the tokenizer's caches: they would keep up to 65,536 answers each."""
        tokenizer = getattr(self._metric, "tokenizer", None)
        for part in (tokenizer, getattr(tokenizer, "_post_tokenizer", None)):
            clear = getattr(type(part).__call__, "cache_clear", None)
            if clear:
                clear()


@dataclass(frozen=True, kw_only=True)
class Bleu(SacreBleu):
    """Sentence BLEU in [0, 1], with all references at once.

    `tokenize` is sacreBLEU's: `13a`, `intl` (Unicode punctuation), `char`,
    `zh` or `none`. Smoothing is exponential and the n-gram order effective, as
    sacreBLEU advises for sentences. Reads the first 100,000 characters.

    >>> round(Bleu().score(Sample(output="the cat sat", expected="the cat sat")).value, 6)
    1.0
    """

    name: ClassVar[str] = "bleu"

    tokenize: Literal["13a", "intl", "char", "zh", "none"] = "13a"
    lowercase: bool = False

    def _build(self, bleu: Any, chrf: Any) -> Any:  # noqa: ARG002
        return bleu(tokenize=self.tokenize, lowercase=self.lowercase, effective_order=True)


@dataclass(frozen=True, kw_only=True)
class Chrf(SacreBleu):
    """Sentence chrF in [0, 1]: character n-grams, so it suits any script.

    `word_order: 2` makes it chrF++. Reads the first 100,000 characters.

    >>> round(Chrf().score(Sample(output="der Hund", expected="der Hund")).value, 6)
    1.0
    """

    name: ClassVar[str] = "chrf"

    word_order: int = 0
    lowercase: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.word_order <= 6:
            raise UsageError("`word_order` of `chrf` must lie in 0…6")
        super().__post_init__()

    def _build(self, bleu: Any, chrf: Any) -> Any:  # noqa: ARG002
        return chrf(word_order=self.word_order, lowercase=self.lowercase)
