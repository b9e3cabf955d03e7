"""What every scorer promises, as tests that a scorer of your own can pass too.

Subclass it in a test file and give the scorer as a fixture:

    class TestCitesSource(ScorerConformance):
        @pytest.fixture
        def scorer(self) -> Scorer:
            return build("scorers.py:cites_source", base=Path("evals"))

Override `ordinary` when the scorer needs something in a case that the default
sample does not have. `judged_by_size` is `False` for a scorer that is known to
be slow on long answers; state that in its docstring too.
"""

from __future__ import annotations

import asyncio
import copy
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmops.core.scoring import Rule, Sample, Score, Scorer
from llmops.scorers.measuring import measure

ODD_TEXTS = (
    " \t\r\n\u2028\u00a0",
    "\x00\x01\x1b[31m",
    "e\u0301 \u0130\u0131 ß \ufb01 Ǆ",
    "\u202eABC\u202c שלום مرحبا",
    "👩‍👩‍👧‍👦🏳️‍🌈 \U0001f468\u200d",
    "\ud800 half a pair \udfff",
    "\ufeff\u200b\u200d zero width",
    "नमस्ते 你好世界 สวัสดี 안녕",
    "{{ x }} {% y %} <b>&amp;</b> `$(z)` \\d+ [",
    "NaN",
    "1e999",
    "[" * 5_000,
    '"' + "\\u0000" * 50 + '"',
)
"""Answers that break scorers written for polite text."""

HUGE_SECONDS = 5.0
"""CPU seconds that one megabyte may take."""


class ScorerConformance:
    """The tests; each asks the scorer about samples and looks at the scores."""

    judged_by_size = True

    def ordinary(self) -> Sample:
        """A sample that the scorer can score."""
        return Sample(
            output="The Eiffel Tower stands in Paris.",
            input={"question": "Where is the Eiffel Tower?"},
            expected=["Paris", "in Paris, France"],
            contexts=("The Eiffel Tower is in Paris, France.", "It was built in 1889."),
            metadata={"source": "guide"},
            latency=0.25,
            input_tokens=24,
            output_tokens=9,
        )

    def test_it_says_who_it_is(self, scorer: Scorer) -> None:
        """Name and version are texts; what evaluations read beside them has its type."""
        assert isinstance(scorer, Scorer)
        assert scorer.name
        assert scorer.version
        assert scorer.version == scorer.version.strip()
        assert "\n" not in scorer.version
        assert isinstance(_of(scorer, "unit", ""), str)
        assert isinstance(_of(scorer, "higher_is_better", True), bool)
        assert set(_of(scorer, "needs", frozenset())) <= {"expected", "contexts", "latency"}
        rule = _of(scorer, "default_rule", None)
        assert rule is None or Rule.parse(rule)

    def test_an_ordinary_sample_is_scored(self, scorer: Scorer) -> None:
        """The ordinary sample has a value; a ratio lies in [0, 1]."""
        score = ask(scorer, self.ordinary())
        assert score.value is not None, score.rationale
        assert_sound(scorer, self.ordinary(), score)

    def test_the_same_sample_has_the_same_score(self, scorer: Scorer) -> None:
        """Asked again, alone or among others at once, it says the same."""
        first = ask(scorer, self.ordinary())
        others = [replace(self.ordinary(), output=f"Another answer, {n}.") for n in range(20)]
        at_once = ask_all(scorer, [*others, self.ordinary()])
        assert ask(scorer, self.ordinary()) == first
        assert at_once[-1] == first

    def test_the_sample_is_left_as_it_was(self, scorer: Scorer) -> None:
        """A scorer looks; it changes nothing."""
        sample = self.ordinary()
        before = copy.deepcopy(sample)
        ask(scorer, sample)
        assert sample == before

    def test_an_empty_answer_is_scored(self, scorer: Scorer) -> None:
        """Saying nothing is an answer: it has a score."""
        sample = replace(self.ordinary(), output="")
        score = ask(scorer, sample)
        assert score.value is not None, score.rationale
        assert_sound(scorer, sample, score)

    def test_what_is_missing_leaves_the_case_unscored(self, scorer: Scorer) -> None:
        """Without what it needs it gives the reason, not a number."""
        for need in _of(scorer, "needs", frozenset()):
            score = ask(scorer, _without(need, self.ordinary()))
            assert score.value is None
            assert score.rationale

    def test_a_bare_answer_does_no_harm(self, scorer: Scorer) -> None:
        """With nothing but the answer it scores or says why not."""
        sample = Sample(output=self.ordinary().output)
        assert_sound(scorer, sample, ask(scorer, sample))

    def test_odd_text_does_no_harm(self, scorer: Scorer) -> None:
        """Broken, invisible and foreign characters are text like any other."""
        samples = [replace(self.ordinary(), output=text) for text in ODD_TEXTS]
        samples += [replace(self.ordinary(), expected=text) for text in ODD_TEXTS]
        samples += [replace(self.ordinary(), contexts=(text,)) for text in ODD_TEXTS]
        for sample, score in zip(samples, ask_all(scorer, samples), strict=True):
            assert_sound(scorer, sample, score)

    def test_odd_references_do_no_harm(self, scorer: Scorer) -> None:
        """Whatever a dataset holds as the expected value, it scores or says why not."""
        odd: list[Any] = ["", [], [""], [None], 0, 3.5, True, {"a": 1}, [[1]], ["x", 2]]
        for value in odd:
            sample = replace(self.ordinary(), expected=value)
            assert_sound(scorer, sample, ask(scorer, sample))

    def test_a_megabyte_does_no_harm(self, scorer: Scorer) -> None:
        """A runaway answer costs seconds at the most."""
        if not self.judged_by_size:
            return
        ask(scorer, self.ordinary())  # what is loaded once is not counted
        for text in ("lorem ipsum dolor 42, ", "a", " ", '{"a": ['):
            sample = replace(self.ordinary(), output=text * (1_000_000 // len(text)))
            started = time.process_time()
            score = ask(scorer, sample)
            assert time.process_time() - started < HUGE_SECONDS
            assert_sound(scorer, sample, score)


def ask(scorer: Scorer, sample: Sample) -> Score:
    """The score, from an event loop of its own."""
    return asyncio.run(measure(scorer, sample))


def ask_all(scorer: Scorer, samples: Sequence[Sample]) -> list[Score]:
    """The scores of samples that are measured at once."""

    async def together() -> list[Score]:
        return await asyncio.gather(*(measure(scorer, sample) for sample in samples))

    return asyncio.run(together())


def assert_sound(scorer: Scorer, sample: Sample, score: Score) -> None:
    """A score is a finite float, or `None` with a reason; its spans lie in the answer."""
    if score.value is None:
        assert score.rationale, "unscored without a reason"
    else:
        assert type(score.value) is float
        assert math.isfinite(score.value)
        if not _of(scorer, "unit", ""):
            assert 0.0 <= score.value <= 1.0
    assert len(score.rationale) <= 2_000, "a rationale is a sentence, not the answer again"
    for start, end in score.spans:
        assert 0 <= start <= end <= len(sample.output)


def _without(need: str, sample: Sample) -> Sample:
    if need == "contexts":
        return replace(sample, contexts=())
    return replace(sample, latency=None) if need == "latency" else replace(sample, expected=None)


def _of(scorer: Scorer, attribute: str, default: Any) -> Any:
    return getattr(scorer, attribute, default)
