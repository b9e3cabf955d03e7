"""One check over all cases: counted while the results go by, summed up at the end.

Keeps eight bytes a score (three times that with repeats), so that the memory
of a run does not depend on the length of its texts.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from llmops.core.chat import Usage
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals import statistics
from llmops.evals.gate import Bounds, Measured
from llmops.evals.results import CheckSummary, Estimate

NOTHING = Usage()
COUNTED = ("s", "tokens", "words", "characters")
"""Units of which there is never less than none."""


class CheckTally:
    """Counts and scores of one check; cases are added whole, with all their repeats."""

    def __init__(self, about: Mapping[str, Any], repeats: int):
        self._about = about
        self._repeats = repeats
        self._counts = dict.fromkeys(Outcome, 0)
        self._scores = array("d")
        # One entry a case, kept where a case has several results.
        self._sums, self._scored = array("d"), array("d")
        self._passed, self._judged = array("d"), array("d")
        self._usage = Usage()
        self._details: dict[str, list[float]] = {}

    @property
    def name(self) -> str:
        """The check's name."""
        return str(self._about["name"])

    def add_case(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on one case's repeats."""
        scores = []
        passed = judged = 0
        for verdict in verdicts:
            self._counts[verdict.outcome] += 1
            self._add_own(verdict.score)
            value = verdict.score.value
            if verdict.outcome in (Outcome.PASSED, Outcome.FAILED) and value is not None:
                scores.append(value)
                judged += 1
                passed += verdict.outcome is Outcome.PASSED
        self._scores.extend(scores)
        if self._repeats > 1 and judged:
            self._sums.append(math.fsum(scores))
            self._scored.append(len(scores))
            self._passed.append(passed)
            self._judged.append(judged)

    def _add_own(self, score: Score) -> None:
        """Count what the scorer itself spent and saw; of most scorers nothing."""
        if score.usage is not NOTHING and score.usage != NOTHING:
            self._usage += score.usage
        for name, value in score.details.items():
            found = self._details.setdefault(name, [0.0, 0.0])
            found[0] += value
            found[1] += 1

    def measured(self) -> Measured:
        """The check's summary, and what its unjudged results leave open."""
        about, counts = self._about, self._counts
        passed, failed = counts[Outcome.PASSED], counts[Outcome.FAILED]
        unjudged = counts[Outcome.UNSCORED] + counts[Outcome.ERROR]
        summary = CheckSummary(
            name=about["name"],
            scorer=about["scorer"],
            version=about["version"],
            rule=about["rule"],
            unit=about["unit"],
            higher_is_better=about["higher_is_better"],
            passed=passed,
            failed=failed,
            unscored=counts[Outcome.UNSCORED],
            errors=counts[Outcome.ERROR],
            mean=self._mean(),
            pass_rate=self._pass_rate(passed, failed),
            quantiles=statistics.quantiles(self._scores),
            histogram=statistics.histogram(self._scores, ratio=not about["unit"]),
            usage=self._usage,
            details={name: total / count for name, (total, count) in self._details.items()},
            calibration=about.get("calibration"),
        )
        total = passed + failed + unjudged
        rate = (
            Bounds(low=passed / total, high=(passed + unjudged) / total)
            if summary.pass_rate
            else None
        )
        return Measured(summary=summary, mean=self._mean_bounds(unjudged), pass_rate=rate)

    def _mean(self) -> Estimate | None:
        if not self._scores:
            return None
        if all(score in (0.0, 1.0) for score in self._scores):  # a mean of yes and no is a rate
            if self._repeats > 1:
                return statistics.clustered_rate(self._sums, self._scored)
            return statistics.wilson(math.fsum(self._scores), len(self._scores))
        if self._repeats > 1:
            means = array("d", map(float.__truediv__, self._sums, self._scored))
        else:
            means = self._scores
        estimate = statistics.mean_interval(means)
        return self._within_range(estimate)

    def _within_range(self, estimate: Estimate) -> Estimate:
        """The interval cut at what the scores can be: ratios, counts and seconds have ends."""
        unit = self._about["unit"]
        if estimate.low is None or estimate.high is None:
            return estimate
        if unit in COUNTED:
            return Estimate(value=estimate.value, low=max(0.0, estimate.low), high=estimate.high)
        if unit:
            return estimate
        if min(self._scores) < 0 or max(self._scores) > 1:
            return estimate
        return Estimate(
            value=estimate.value, low=max(0.0, estimate.low), high=min(1.0, estimate.high)
        )

    def _pass_rate(self, passed: int, failed: int) -> Estimate | None:
        if self._about["rule"] is None or not passed + failed:
            return None
        if self._repeats > 1:
            return statistics.clustered_rate(self._passed, self._judged)
        return statistics.wilson(passed, passed + failed)

    def _mean_bounds(self, unjudged: int) -> Bounds | None:
        if not self._scores:
            return None
        low, high = min(self._scores), max(self._scores)
        if not self._about["unit"]:
            low, high = min(0.0, low), max(1.0, high)
        total = math.fsum(self._scores)
        results = len(self._scores) + unjudged
        if not unjudged:  # the mean over cases, which all have as many repeats
            return Bounds(low=total / results, high=total / results)
        return Bounds(
            low=(total + unjudged * low) / results, high=(total + unjudged * high) / results
        )
