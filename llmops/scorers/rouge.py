"""ROUGE-L: the longest common subsequence of answer and reference.

Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (ACL
workshop 2004), section 3, at sentence level, with equal weight for precision
and recall (F1), without stemming.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmops.core.scoring import Sample, Score
from llmops.scorers.functions import scorer
from llmops.scorers.references import best
from llmops.scorers.words import words


@scorer(version="1", needs=["expected"])
def rouge_l(sample: Sample) -> Score:
    """The F1 over the longest common subsequence of words, against the best reference.

    Words are runs of letters and digits of any script in lower case. On ASCII
    text the value is that of Google's `rouge_score`, which drops every other
    letter.

    >>> sample = Sample(output="police kill the gunman", expected="police killed the gunman")
    >>> score = rouge_l.score(sample)
    >>> score.value, score.rationale
    (0.75, '3 words in order, of 4 said and 4 expected')
    """
    said = words(sample.output)

    def compare(reference: str) -> Score:
        wanted = words(reference)
        common = longest_common_subsequence(wanted, said)
        rationale = f"{common} words in order, of {len(said)} said and {len(wanted)} expected"
        if not common:
            return Score(value=0.0, rationale=rationale)
        precision, recall = common / len(said), common / len(wanted)
        return Score(value=2 * precision * recall / (precision + recall), rationale=rationale)

    return best(sample, compare)


def longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest common subsequence.

    Bit-parallel: one column of the table is one integer (Hyyrö, "Bit-parallel
    LCS-length computation revisited", AWOCA 2004), so the time is
    len(left) · len(right) / 64 and a long answer does no harm.

    >>> longest_common_subsequence("abcde", "xaxcxe")
    3
    """
    positions: dict[str, int] = {}
    for index, token in enumerate(left):
        positions[token] = positions.get(token, 0) | 1 << index
    everything = (1 << len(left)) - 1
    column = everything
    for token in right:
        if matches := positions.get(token):
            kept = column & matches
            column = ((column + kept) | (column - kept)) & everything
    return len(left) - column.bit_count()
