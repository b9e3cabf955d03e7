"""Whether the answer is, or contains, a given text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured
from llmops.scorers.functions import scorer
from llmops.scorers.references import best, references, shown
from llmops.scorers.words import composed

MOST_SPANS = 100
"""Occurrences that a score lists; more say nothing more."""


@scorer(version="1", default_rule="== 1", needs=["expected"])
def exact_match(
    sample: Sample, *, ignore_case: bool = False, strip: bool = True, collapse_space: bool = False
) -> Score:
    """1 when the answer equals an expected text, else 0.

    Both sides are compared in Unicode's composed form (NFC), so that two
    spellings of one character are equal; case is ignored by case folding
    (Unicode 3.13). `strip` takes white space off both ends, `collapse_space`
    makes every run of white space one space.

    >>> exact_match.score(Sample(output=" Paris\\n", expected=["Paris", "Paris, France"])).value
    1.0
    """

    def spelled(text: str) -> str:
        text = folded(text, ignore_case=ignore_case)
        if collapse_space:
            text = " ".join(text.split())
        return text.strip() if strip else text

    output = spelled(sample.output)

    def compare(reference: str) -> Score:
        if output == spelled(reference):
            return Score(value=1.0)
        return Score(value=0.0, rationale=f"expected {shown(reference)}")

    return best(sample, compare)


def folded(text: str, *, ignore_case: bool) -> str:
    """`text` composed (NFC) and, when asked, without case.

    >>> folded("STRASSE", ignore_case=True) == folded("Straße", ignore_case=True)
    True
    """
    text = composed(text)
    return composed(text.casefold()) if ignore_case else text


@dataclass(frozen=True, kw_only=True)
class Contains(Configured):
    """1 when the answer contains what it should, else 0.

    Looks for an expected text (any of several), or for `text`, `any` of some
    texts, or `all` of some texts, of which one option may be given. A check
    that something does *not* appear passes on `"== 0"`. Texts are compared as
    in `exact_match`; an empty text is no text, since every answer contains it.

    >>> Contains(all=["Paris", "France"]).score(Sample(output="Paris, France")).value
    1.0
    >>> Contains(text="sorry", ignore_case=True).score(Sample(output="Sorry, no.")).spans
    ((0, 5),)
    """

    name: ClassVar[str] = "contains"
    default_rule: ClassVar[str | None] = "== 1"
    unit: ClassVar[str] = ""

    text: str | None = None
    any: Sequence[str] | None = None
    all: Sequence[str] | None = None
    ignore_case: bool = False

    def __post_init__(self) -> None:
        given = [each for each in (self.text, self.any, self.all) if each is not None]
        if len(given) > 1:
            raise UsageError("`contains` takes one of the options `text`, `any` and `all`")
        for each in given:
            wanted = [each] if isinstance(each, str) else each
            if not wanted or not all(wanted):
                raise UsageError("`contains` looks for an empty text, which every answer contains")

    @property
    def needs(self) -> frozenset[str]:
        """An expected value, unless an option says what to look for."""
        fixed = (self.text, self.any, self.all) != (None, None, None)
        return frozenset() if fixed else frozenset({"expected"})

    def look(self, sample: Sample) -> Score:
        """The score, with the places where the texts stand."""
        output = folded(sample.output, ignore_case=self.ignore_case)
        wanted = self._wanted(sample)
        if not wanted:
            return Score.unscored("no expected text to look for")
        keys = {text: folded(text, ignore_case=self.ignore_case) for text in wanted}
        there = [text for text in wanted if keys[text] in output]
        absent = [text for text in wanted if keys[text] not in output]
        spans: tuple[tuple[int, int], ...] = ()
        if len(output) == len(sample.output):
            # Folding never shortens a character, so equal lengths mean equal places.
            spans = _places(output, [keys[text] for text in there])
        if there and (self.all is None or not absent):
            return Score(value=1.0, rationale=f"contains {_listed(there)}", spans=spans)
        return Score(value=0.0, rationale=f"does not contain {_listed(absent)}", spans=spans)

    def _wanted(self, sample: Sample) -> Sequence[str]:
        if self.text is not None:
            return [self.text]
        if self.any is not None or self.all is not None:
            return self.any or self.all or []
        return [text for text in references(sample.expected) if text]


def _places(output: str, texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for text in texts:
        start = output.find(text)
        while start >= 0 and len(found) < MOST_SPANS:
            found.append((start, start + len(text)))
            start = output.find(text, start + len(text))
    return tuple(sorted(set(found)))


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
    return ", ".join(shown(text) for text in texts[:5]) + more
