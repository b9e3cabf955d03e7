"""A table of slices as Fairlearn's `MetricFrame`."""

from __future__ import annotations

from typing import Any

from llmops.core.errors import needs
from llmops.evals.slices.tables import Floats, Table


def metric_frame(table: Table, **options: Any) -> Any:
    """Fairlearn's `MetricFrame` of the table, with the aggregate as its one metric.

    `by_group` holds the aggregate in each value, `difference()` how far apart
    they are. `options` go to `MetricFrame`: with `n_boot` it resamples too.
    Raises `MissingExtra` without the extra `fairness`.
    """
    with needs("fairness"):
        from fairlearn.metrics import MetricFrame
    return MetricFrame(
        metrics={table.aggregate: _aggregate},
        y_true=table.weights,
        y_pred=table.sums,
        sensitive_features={table.slice: [table.values[code] for code in table.codes]},
        **options,
    )


def require() -> None:
    """Raise `MissingExtra` without the extra `fairness`."""
    with needs("fairness"):
        import fairlearn.metrics  # noqa: F401


def _aggregate(weights: Floats, sums: Floats) -> float:
    return float(sums.sum() / weights.sum())
