"""From the name that a suite writes to the class of its scorer."""

from __future__ import annotations

import functools
from dataclasses import field, make_dataclass
from pathlib import Path

from llmops.core.errors import NotFound
from llmops.scorers.ragas.asking import AskingScorer
from llmops.scorers.ragas.catalogue import METRICS, PREFIX, names
from llmops.scorers.ragas.scorer import RagasScorer, columns_of


@functools.cache
def scorer(name: str) -> type[RagasScorer]:
    """The class of the scorer `ragas.…`; `NotFound` suggests the nearest.

    Its options are its fields: Ragas' own, the column of each part of a case
    that is not to be guessed, and for a metric that asks a model `model`,
    `seed`, `temperature` and `max_tokens`.
    """
    metric = METRICS.get(name.removeprefix(PREFIX))
    if metric is None:
        raise NotFound.among("scorer", name, names())
    options = [
        (key, kind, field(default=default)) for key, (kind, default) in metric.options.items()
    ]
    columns = [(key, str | None, field(default=None)) for key in columns_of(metric)]
    weights = [("embeddings", str | Path | None, field(default=None))] if metric.embeddings else []
    if metric.asks_model:
        options.append(("temperature", float, field(default=metric.temperature)))
    return make_dataclass(
        metric.kind,
        [*options, *columns, *weights],
        bases=(AskingScorer if metric.asks_model else RagasScorer,),
        namespace={
            "__module__": __name__,
            "__doc__": f"`{name}`: {metric.kind} of Ragas.",
            "name": name,
            "metric": metric,
            "higher_is_better": metric.higher_is_better,
            "unit": "" if metric.highest == 1.0 else "points",
        },
        frozen=True,
        kw_only=True,
    )
