"""The statistics that verdicts rest on, each with its source.

intervals       of one run: rates, means, quantiles, histograms
distributions   t, binomial and normal, as far as they are needed
paired          two runs of the same cases: exact tests and intervals from a few counts
resampling      two runs of the same cases: bootstrap and permutation, with numpy
multiple        several metrics at once
sequential      several looks at growing data
power           what a number of cases can show

What needs no numpy can be imported from here; `resampling` is imported by its
own name by whoever needs it.
"""

from __future__ import annotations

from llmops.evals.statistics.distributions import (
    binomial_tail,
    normal_quantile,
    t_distribution,
    t_quantile,
    t_two_sided,
)
from llmops.evals.statistics.intervals import (
    BINS,
    CONFIDENCE,
    clustered_rate,
    histogram,
    mean_interval,
    quantile,
    quantiles,
    wilson,
)
from llmops.evals.statistics.multiple import holm
from llmops.evals.statistics.paired import Lattice, mcnemar, paired_rate, sign_flip, tango
from llmops.evals.statistics.power import (
    Spread,
    cases_needed,
    cases_needed_for_mean,
    detectable_drop,
    flaky,
    kept_margin,
)
from llmops.evals.statistics.sequential import LOOKS, bounds, look_confidence, spent_until

__all__ = [
    "BINS",
    "CONFIDENCE",
    "LOOKS",
    "Lattice",
    "Spread",
    "binomial_tail",
    "bounds",
    "cases_needed",
    "cases_needed_for_mean",
    "clustered_rate",
    "detectable_drop",
    "flaky",
    "histogram",
    "holm",
    "kept_margin",
    "look_confidence",
    "mcnemar",
    "mean_interval",
    "normal_quantile",
    "paired_rate",
    "quantile",
    "quantiles",
    "sign_flip",
    "spent_until",
    "t_distribution",
    "t_quantile",
    "t_two_sided",
    "tango",
    "wilson",
]
