"""The cases of one check in one aggregate, divided by the values of a slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from llmops.evals.results import Estimate
from llmops.evals.slices.rules import Aggregate
from llmops.evals.statistics import clustered_rate, mean_interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The judged cases that have one value."""

    value: str
    sums: Floats
    """Of each case: its scores, or its passed results, over all repeats together."""
    weights: Floats
    """Of each case: how many results that is a sum of."""
    is_rate: bool
    """Whether each result counted 0 or 1."""

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return len(self.sums)

    @property
    def means(self) -> Floats:
        """Each case's own mean."""
        means: Floats = self.sums / self.weights
        return means

    def estimate(self, confidence: float) -> Estimate:
        """The rate with Wilson's interval, or the mean of the cases' means with Student's."""
        if self.is_rate:
            return clustered_rate(self.sums.tolist(), self.weights.tolist(), confidence=confidence)
        return mean_interval(self.means.tolist(), confidence=confidence)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """One check in one aggregate by one slice; cases without a value are left out."""

    slice: str
    check: str
    aggregate: Aggregate
    bounded: bool
    """Whether every score lies in [0, 1]."""
    is_rate: bool
    values: tuple[str, ...]
    sums: Floats
    weights: Floats
    codes: Codes
    """Of each case: the index of its value in `values`."""
    pairing: Codes | None
    """Of each case: the number of those that differ in this slice only. `None` where no two do."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The cases by value, in the order of `values`, without values that nothing has."""
        found = []
        for code, value in enumerate(self.values):
            chosen = self.codes == code
            if chosen.any():
                found.append(
                    Part(
                        value=value,
                        sums=self.sums[chosen],
                        weights=self.weights[chosen],
                        is_rate=self.is_rate,
                    )
                )
        return tuple(found)
