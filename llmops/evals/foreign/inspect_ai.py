"""Inspect AI: the logs of `inspect eval`, `.eval` or JSON (seen with inspect_ai 0.3.285).

A record is one sample in one epoch. Its scores are numbers, truth values, the
letters C (1), P (0.5), I and N (0), which is how Inspect's own
`value_to_float` reads them, or mappings of these. A sample with an `error` was
not judged. Inspect has no pass rule; where all scores of a scorer are 0 or 1
they are passes and failures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Verdict
from llmops.evals.comparison.sides import SideCheck
from llmops.evals.foreign.containers import Container, Raw
from llmops.evals.foreign.reading import Entry
from llmops.evals.foreign.shapes import Shape, check_shapes
from llmops.evals.foreign.values import as_text, number, verdict, whole
from llmops.evals.results import CaseResult

_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_SHAPES = {
    "error": Shape.OBJECT,
    "output": Shape.OBJECT,
    "scores": Shape.NAMED_OBJECTS,
    "model_usage": Shape.NAMED_OBJECTS,
}


class InspectLog:
    """What the samples of a log mean; `header` is what the log says of the whole run."""

    kind = "inspect"
    complete = True

    def __init__(self, container: Container, header: Mapping[str, Any]):
        self.container = container
        where = Where(container.path)
        if not isinstance(header, dict):
            raise DocumentError("is no log of Inspect", where=where)
        check_shapes(header, {"eval": Shape.OBJECT}, where)
        self._run = header.get("eval") or {}
        self._checks: dict[str, SideCheck] = {}
        self._unread: set[str] = set()
        if header.get("status") != "success":
            raise DocumentError(
                f"the log of a run that did not finish (its status is `{header.get('status')}`)",
                hint="finish it with `inspect eval-retry`: what is missing could turn the verdict",
                where=where,
            )

    def entry(self, raw: Raw) -> Entry:
        """One sample of one epoch."""
        sample = raw.data
        if not isinstance(sample, dict) or sample.get("id") in (None, ""):
            raise DocumentError("a sample without `id`", where=raw.where)
        check_shapes(sample, _SHAPES, raw.where)
        failed = sample.get("error") or {}
        error = str(failed.get("message") or "Inspect gives no reason") if failed else None
        output = sample.get("output") or {}
        return Entry(
            numbered=True,
            result=CaseResult(
                case=str(sample["id"]),
                repeat=max(0, whole(sample.get("epoch")) - 1),
                inputs={"input": sample.get("input")},
                expected=sample.get("target"),
                output=None if error else as_text(output.get("completion")),
                error=error,
                verdicts=() if error else tuple(self._verdicts(sample.get("scores") or {})),
                latency=number(sample.get("working_time")),
                usage=_usage(sample.get("model_usage") or {}),
            ),
        )

    def checks(self) -> Mapping[str, SideCheck]:
        """Each scorer, and each part of one whose score has several."""
        return self._checks

    def identity(self) -> Mapping[str, str]:
        """The task: samples of another one are other cases, whatever their ids."""
        return {"task": str(self._run.get("task"))}

    def notes(self) -> Iterator[str]:
        """What could not be read as a number."""
        if self._unread:
            listed = ", ".join(f"`{name}`" for name in sorted(self._unread))
            yield f"scores of Inspect that are no numbers count as unscored: {listed}"

    def _verdicts(self, scores: Mapping[str, Any]) -> Iterator[Verdict]:
        for name, score in scores.items():
            value = (score or {}).get("value")
            why = str((score or {}).get("explanation") or "")
            parts = value.items() if isinstance(value, dict) else [(None, value)]
            for part, each in parts:
                yield self._verdict(name, part, each, why)

    def _verdict(self, scorer: str, part: str | None, value: Any, why: str) -> Verdict:
        check = f"{scorer}/{part}" if part else scorer
        self._checks.setdefault(check, SideCheck(name=check, scorer=scorer))
        found = _LETTERS.get(value) if isinstance(value, str) else None
        found = number(value) if found is None else found
        if found is None and isinstance(value, str | list):
            self._unread.add(check)
        return verdict(check, found, passed=None, why=why)


def _usage(models: Mapping[str, Any]) -> Usage:
    total = Usage()
    for each in filter(None, models.values()):
        total += Usage(
            # Inspect counts what came from or went into a cache apart.
            input_tokens=whole(each.get("input_tokens"))
            + whole(each.get("input_tokens_cache_read"))
            + whole(each.get("input_tokens_cache_write")),
            output_tokens=whole(each.get("output_tokens")),
            cached_tokens=whole(each.get("input_tokens_cache_read")),
            cost=number(each.get("total_cost")),
        )
    return total
