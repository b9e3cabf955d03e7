"""What the pairs say of one metric, as the few numbers that its verdict rests on.

Differences are turned so that above zero is better. Which method gives them:

- Pass or fail, and scores that are all 0 or 1: Tango's interval at the
  effective number of cases; the exact sign-flip test, which is McNemar's where
  nothing was repeated.
- Other scores between 0 and 1: on each side the widest of the bootstrap (BCa),
  Student's t and Tango's interval. The bootstrap knows only cases that it has
  seen: where few differ, it leaves out what a rare, large difference would do.
- Scores with a unit, or beyond 0 to 1: on each side the wider of the bootstrap
  and Student's t, above 5,000 cases Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from llmops.evals.results import Estimate
from llmops.evals.statistics import (
    Lattice,
    Spread,
    cases_needed,
    cases_needed_for_mean,
    paired_rate,
    sign_flip,
)
from llmops.evals.statistics.resampling import MANY, mean_difference, sign_flip_sampled

Floats = npt.NDArray[np.float64]

FINEST = 60
"""Steps of a lattice: all numbers of repeats up to 5 have it as a multiple."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What cases that were judged on one side only could do to a bounded metric."""

    lost: float = 0.0
    """What they would lose together, had they come out as badly as can be on the other side."""
    gained: float = 0.0
    cases: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the pairs say of one metric."""

    difference: Estimate
    p_value: float | None
    pairs: int
    spread: Spread
    """Around zero for a bounded metric, around the mean for any other."""
    bounded: bool
    confidence: float
    method: str = ""
    missing: Missing = Missing()

    @property
    def unchanged(self) -> bool:
        """Whether no case differs at all."""
        return self.spread.turned == 0

    def had_all(self, *, lost: bool) -> Estimate:
        """The difference if what was not judged had been lost, or else gained."""
        if not self.bounded or not self.missing.cases:
            return self.difference
        pairs = self.pairs + self.missing.cases
        total = self.difference.value * self.pairs
        turned = self.spread.turned * self.pairs
        more = self.missing.lost if lost else self.missing.gained
        return paired_rate(
            (turned + total) / 2 + (0 if lost else more),
            (turned - total) / 2 + (more if lost else 0),
            self.spread.squares * self.pairs + more,
            pairs,
            confidence=self.confidence,
        )

    def needed(self, distance: float) -> int | None:
        """Cases that it takes to keep `distance` from the truth with 80 % power."""
        if self.bounded:
            return cases_needed(distance, self.spread, confidence=self.confidence)
        variance = self.spread.squares - self.difference.value**2
        return cases_needed_for_mean(distance, variance, confidence=self.confidence)


def evidence_of_counts(counts: Mapping[int, int], steps: int, *, confidence: float) -> Evidence:
    """The evidence of differences that are multiples of `1/steps`: how often each occurs.

    For pass and fail this is all that there is to know, so a simulation may
    start from here.
    """
    lattice = _reduced(Lattice(counts=counts, steps=steps))
    cases = lattice.cases
    gained, lost, squares = lattice.gained, lattice.lost, lattice.squares
    p_value = sign_flip(lattice)
    exact = p_value is not None
    if p_value is None:
        values = np.repeat(np.array(list(lattice.counts), float), list(lattice.counts.values()))
        p_value = sign_flip_sampled(values)
    sizes = {abs(each) for each in lattice.counts if each}
    if len(sizes) <= 1:
        test = "exact McNemar test"
    else:
        test = "exact sign-flip test" if exact else "sign-flip test"
    return Evidence(
        difference=paired_rate(gained, lost, squares, cases, confidence=confidence),
        p_value=p_value,
        pairs=cases,
        spread=Spread(turned=(gained + lost) / cases, squares=squares / cases),
        bounded=True,
        confidence=confidence,
        method=f"{test}; Tango's score interval" + ("" if steps == 1 else ", cases as clusters"),
    )


def evidence_of_differences(differences: Floats, *, bounded: bool, confidence: float) -> Evidence:
    """The evidence of differences of any size, one a case."""
    cases = len(differences)
    found = mean_difference(differences, confidence=confidence)
    gained = float(differences[differences > 0].sum())
    lost = float(-differences[differences < 0].sum())
    squares = float((differences**2).sum())
    method = "Student's t" if cases > MANY else "paired bootstrap (BCa) or Student's t"
    if bounded:
        tango = paired_rate(gained, lost, squares, cases, confidence=confidence)
        found = _hull(found, tango)
        method += " or Tango's score interval"
    if " or " in method:
        method += ", the widest"
    p_value = sign_flip_sampled(differences) if cases > 1 else None
    return Evidence(
        difference=found,
        p_value=p_value,
        pairs=cases,
        spread=Spread(turned=(gained + lost) / cases, squares=squares / cases),
        bounded=bounded,
        confidence=confidence,
        method=f"sign-flip test; {method}",
    )


def evidence_of_rates(differences: Floats, repeats: set[int], *, confidence: float) -> Evidence:
    """The evidence of differences of two rates over as many repeats as `repeats` holds."""
    steps = math.lcm(*repeats)
    if steps > FINEST:
        return evidence_of_differences(differences, bounded=True, confidence=confidence)
    values, counts = np.unique(np.rint(differences * steps).astype(np.int64), return_counts=True)
    return evidence_of_counts(
        dict(zip(values.tolist(), counts.tolist(), strict=True)), steps, confidence=confidence
    )


def with_missing(evidence: Evidence, missing: Missing) -> Evidence:
    """The evidence with what was judged on one side only."""
    return replace(evidence, missing=missing)


def _hull(one: Estimate, other: Estimate) -> Estimate:
    """The interval that reaches as far as either."""
    lows = [each.low for each in (one, other) if each.low is not None]
    highs = [each.high for each in (one, other) if each.high is not None]
    return Estimate(value=one.value, low=min(lows), high=max(highs))


def _reduced(lattice: Lattice) -> Lattice:
    """The same differences in the coarsest steps that hold them all."""
    common = math.gcd(lattice.steps, *lattice.counts)
    if common <= 1:
        return lattice
    return Lattice(
        counts={each // common: count for each, count in lattice.counts.items()},
        steps=lattice.steps // common,
    )
