"""What a case costs on both sides, case against case."""

from __future__ import annotations

import numpy as np

from llmops.evals.comparison.pairing import EFFORTS, Paired
from llmops.evals.results import Effort, Estimate
from llmops.evals.statistics import mean_interval
from llmops.evals.statistics.resampling import mean_difference


def efforts(paired: Paired, *, confidence: float) -> tuple[Effort, ...]:
    """Tokens, latency and cost of a case, as far as both sides know them."""
    found = []
    for name, unit in EFFORTS:
        base, head = paired.efforts[name]
        known = ~np.isnan(base) & ~np.isnan(head)
        if not known.any():
            continue
        base, head = base[known], head[known]
        if not base.any() and not head.any():  # not measured at all, as by a tool that counts none
            continue
        found.append(
            Effort(
                name=name,
                unit=unit,
                base=_mean(base.tolist(), confidence),
                head=_mean(head.tolist(), confidence),
                difference=mean_difference(head - base, confidence=confidence),
                pairs=len(base),
            )
        )
    return tuple(found)


def _mean(values: list[float], confidence: float) -> Estimate:
    found = mean_interval(values, confidence=confidence)
    if found.low is None or found.high is None:
        return found
    return Estimate(value=found.value, low=max(0.0, found.low), high=found.high)
