"""lm-evaluation-harness: the samples that `--log_samples` writes (seen with lm_eval 0.4.13).

A record is one document of one task, judged under one filter; a task with
several filters has several records a document, which are one result here. What
a metric gave for the document stands under the metric's name. Whether more of
it is better, and the task's version, stand in `results_*.json` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Verdict
from llmops.evals.comparison.sides import SideCheck
from llmops.evals.foreign.containers import Container, JsonLines, Raw
from llmops.evals.foreign.reading import Entry
from llmops.evals.foreign.shapes import Shape, check_shapes
from llmops.evals.foreign.values import as_text, number, verdict
from llmops.evals.results import CaseResult

_LESS_IS_BETTER = frozenset(
    {"perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "brier_score", "ter"}
)
_SHAPES = {"resps": Shape.LIST, "metrics": Shape.TEXTS}
_RUN_SHAPES = {"versions": Shape.OBJECT, "higher_is_better": Shape.NAMED_OBJECTS}
_DATE = len("_2026-11-24T00-23-40.915033")


class LmEval:
    """What the samples of one task mean."""

    kind = "lm-eval"
    complete = True

    def __init__(self, path: Path):
        self.container: Container = JsonLines(path)
        self._task = path.stem.removeprefix("samples_")[:-_DATE] or path.stem
        self._run = _results(path)
        self._checks: dict[str, SideCheck] = {}
        self._aggregates: set[str] = set()
        self._repeated = False

    def entry(self, raw: Raw) -> Entry:
        """One document under one filter."""
        sample = raw.data
        if not isinstance(sample, dict) or not isinstance(sample.get("doc_id"), int | str):
            raise DocumentError("a sample without `doc_id`", where=raw.where)
        check_shapes(sample, _SHAPES, raw.where)
        filter_ = str(sample.get("filter") or "none")
        first = (sample.get("resps") or [None])[0]
        self._repeated |= isinstance(first, list) and len(first) > 1 and not _of_choices(first)
        document = sample.get("doc") or {}
        return Entry(
            part=filter_,
            numbered=True,
            result=CaseResult(
                case=_id(sample),
                inputs=document if isinstance(document, dict) else {"doc": document},
                expected=sample.get("target"),
                output=_output(sample),
                verdicts=tuple(self._verdicts(sample, filter_)),
            ),
        )

    def checks(self) -> Mapping[str, SideCheck]:
        """Each metric, of each filter if there are several."""
        return self._checks

    def identity(self) -> Mapping[str, str]:
        """The task; its version decides on the prompt and on the scores."""
        version = (self._run.get("versions") or {}).get(self._task)
        return {"task": self._task} | ({"task version": str(version)} if version else {})

    def notes(self) -> Iterator[str]:
        """What the harness scores as a whole, and what it says of its repeats."""
        if self._aggregates:
            listed = ", ".join(f"`{name}`" for name in sorted(self._aggregates))
            yield f"left out, since the harness has no number for one document: {listed}"
        if self._repeated:
            yield "the harness asked several times and its filter made one score of the answers"
        if not self._run:
            yield (
                "no `results_*.json` lies beside the samples: less is taken to be better "
                "of perplexities and Brier scores only"
            )

    def _verdicts(self, sample: Mapping[str, Any], filter_: str) -> Iterator[Verdict]:
        for metric in sample.get("metrics") or ():
            value = sample.get(metric)
            check = metric if filter_ == "none" else f"{metric},{filter_}"
            if isinstance(value, list | dict | tuple):
                self._aggregates.add(check)
                continue
            self._checks.setdefault(check, self._check(check, metric))
            yield verdict(check, number(value), passed=None)

    def _check(self, name: str, metric: str) -> SideCheck:
        told = ((self._run.get("higher_is_better") or {}).get(self._task) or {}).get(metric)
        higher = told if isinstance(told, bool) else metric not in _LESS_IS_BETTER
        return SideCheck(name=name, scorer=metric, higher_is_better=higher)


def _results(path: Path) -> Mapping[str, Any]:
    """The results of the run that wrote the samples; nothing if they lie elsewhere."""
    beside = path.with_name(f"results{path.stem[-_DATE:]}.json")
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    check_shapes(found, _RUN_SHAPES, Where(beside))
    return found


def _of_choices(responses: list[Any]) -> bool:
    """Whether they are the log-likelihoods of choices, and no answers to the same question."""
    return isinstance(responses[0], list)


def _id(sample: Mapping[str, Any]) -> str:
    """The document's number and digest: where the data has changed, cases must not be paired."""
    digest = str(sample.get("doc_hash") or "")[:12]
    return f"{sample['doc_id']}-{digest}" if digest else str(sample["doc_id"])


def _output(sample: Mapping[str, Any]) -> str | None:
    """What the filter made of the answer; of a choice, the log-likelihood of each."""
    filtered = sample.get("filtered_resps")
    if isinstance(filtered, list) and len(filtered) == 1:
        return as_text(filtered[0])
    return as_text(filtered)
