"""Token F1 and exact match as SQuAD's official script computes them.

Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension
of Text" (EMNLP 2016), section 6.1, and its `evaluate-v1.1.py`. Both sides are
lower-cased, ASCII punctuation and the articles a, an, the are taken out, white
space is collapsed; the best reference counts. Values are ratios, where the
script prints percentages.
"""

from __future__ import annotations

import re
import string
from collections import Counter

from llmops.core.scoring import Sample, Score
from llmops.scorers.functions import scorer
from llmops.scorers.references import best, shown

_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@scorer(version="1", needs=["expected"])
def token_f1(sample: Sample) -> Score:
    """The F1 of the answer's tokens against the best reference's, counted with multiplicity.

    As in the script, two texts without any token left share none and score 0.
    English only in its articles; a language written without spaces is one
    token a sentence, and this measure blind to it.

    >>> token_f1.score(Sample(output="the Eiffel Tower", expected="Eiffel tower in Paris")).value
    0.6666666666666666
    """
    tokens = normalized(sample.output).split()
    counts = Counter(tokens)

    def compare(reference: str) -> Score:
        wanted = normalized(reference).split()
        shared = sum((counts & Counter(wanted)).values())
        if not shared:
            return Score(value=0.0, rationale=f"no token of {shown(reference)}")
        precision, recall = shared / len(tokens), shared / len(wanted)
        return Score(
            value=2 * precision * recall / (precision + recall),
            rationale=f"{shared} shared of {len(tokens)} said and {len(wanted)} expected tokens",
        )

    return best(sample, compare)


@scorer(version="1", default_rule="== 1", needs=["expected"])
def squad_exact_match(sample: Sample) -> Score:
    """1 when the answer equals a reference after SQuAD's normalisation, else 0.

    >>> squad_exact_match.score(Sample(output="The Eiffel Tower.", expected="eiffel tower")).value
    1.0
    """
    output = normalized(sample.output)

    def compare(reference: str) -> Score:
        if output == normalized(reference):
            return Score(value=1.0)
        return Score(value=0.0, rationale=f"expected {shown(reference)}")

    return best(sample, compare)


def normalized(text: str) -> str:
    """`text` in lower case, without punctuation and articles, with single spaces.

    >>> normalized("The cat's  hat, a Hat!")
    'cats hat hat'
    """
    bare = text.lower().translate(_WITHOUT_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())
