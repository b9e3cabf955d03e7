"""The verdict on one metric, from a few numbers.

With the interval `[L, U]` of the difference (above zero is better), the margin
`m` and the adjusted p-value of no change:

- *regression* if `U < -m` and `p < alpha`: more is lost than allowed, and that
  anything is lost at all holds against all metrics of the gate. So does that more
  is lost than the margin: its own p-value (`beyond`) is adjusted by Holm as well;
- *better* if `L > 0` and `p < alpha`;
- *same* if `L > -m`: a test of non-inferiority (S. Wellek, "Testing
  Statistical Hypotheses of Equivalence and Noninferiority", 2010). A gate
  passes only if all its metrics do, so nothing has to be adjusted here (R. L.
  Berger, "Multiparameter hypothesis testing and acceptance sampling",
  Technometrics 24 (1982), 295-300);
- else *inconclusive*.

Cases that were judged on one side only may be where the change shows. A verdict
stands only if it would with these counted against it: lost for *same* and
*better*, gained for *regression*. Too many of them are an *error*.
"""

from __future__ import annotations

from dataclasses import dataclass

from llmops.evals.comparison.evidence import Evidence
from llmops.evals.results import Change, Estimate
from llmops.evals.statistics import normal_quantile
from llmops.evals.statistics.distributions import normal_cdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict, and why it is one of its kind."""

    change: Change
    untouched: bool = False
    """Whether both sides asked the same and no case differs: that is no chance."""
    for_missing: bool = False
    """Whether it is open only since cases were not judged."""
    one_of_many: bool = False
    """Whether it is open only since one metric of so many may lose this by chance."""


def beyond(evidence: Evidence, margin: float) -> float:
    """The two-sided p-value of a loss of the margin or less: below alpha iff `U < -margin`.

    The interval is turned back into a test, its limit moving with the normal
    quantile; at the interval's own confidence that is exact, and further out an
    approximation.
    """
    value, high = evidence.difference.value, evidence.difference.high
    if high is None or value >= -margin:
        return 1.0
    if high <= value:
        return 0.0
    deviations = normal_quantile(evidence.confidence) * (-margin - value) / (high - value)
    return 2 * normal_cdf(-deviations)


def judge(
    evidence: Evidence,
    *,
    margin: float,
    p_adjusted: float | None,
    beyond_adjusted: float = 0.0,
    same_subject: bool = False,
) -> Finding:
    """The verdict on a metric, its p-values adjusted for the others that gate.

    `beyond_adjusted` is that of `beyond`, left out for a metric alone;
    `same_subject` says that both sides asked the same of the same model.
    """
    if same_subject and evidence.unchanged and not evidence.missing.cases:
        return Finding(change=Change.SAME, untouched=True)
    told = p_adjusted is not None and p_adjusted < 1 - evidence.confidence
    change = _verdict(evidence.difference, margin, told)
    if change is Change.REGRESSION and beyond_adjusted >= 1 - evidence.confidence:
        return Finding(change=Change.INCONCLUSIVE, one_of_many=True)
    if change is Change.INCONCLUSIVE or not evidence.missing.cases:
        return Finding(change=change)
    against = evidence.had_all(lost=change is not Change.REGRESSION)
    at_worst = _verdict(against, margin, told)
    if at_worst is change or (change is Change.BETTER and at_worst is Change.SAME):
        return Finding(change=at_worst)
    return Finding(change=Change.INCONCLUSIVE, for_missing=True)


def _verdict(difference: Estimate, margin: float, told: bool) -> Change:
    low, high = difference.low, difference.high
    if low is None or high is None:
        return Change.INCONCLUSIVE
    if high < -margin and told:
        return Change.REGRESSION
    if low > 0 and told:
        return Change.BETTER
    if low > -margin:
        return Change.SAME
    return Change.INCONCLUSIVE


def cases_to_decide(evidence: Evidence, margin: float, p_adjusted: float | None) -> int | None:
    """Cases with which an open verdict would be decided in four runs of five.

    From the spread that was seen; `None` where no number would do.

    An estimate within the margin is taken for no change; if so many cases have
    been run already, and for one beyond the margin, it is taken for the truth.
    """
    lost = -evidence.difference.value
    if lost < margin:
        needed = evidence.needed(margin)
        if needed is not None and needed > evidence.pairs:
            return needed
    needed = evidence.needed(abs(margin - lost))
    if needed is not None and needed <= evidence.pairs and p_adjusted is not None:
        # The interval is clear of the margin; that anything changed at all is not.
        needed = evidence.needed(abs(lost))
    return max(needed, evidence.pairs + 1) if needed is not None else None
