"""DeepEval: the test run it saves (`.deepeval/.latest_test_run.json`, or a file of its results
folder; seen with 4.3.1).

A record is one test case. A metric without a score and with an `error` failed
on its own; `success` is what the metric's threshold made of its score.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Verdict
from llmops.evals.comparison.sides import SideCheck
from llmops.evals.foreign.containers import Container, Raw
from llmops.evals.foreign.reading import Entry
from llmops.evals.foreign.shapes import Shape, check_shapes
from llmops.evals.foreign.values import as_text, failure, made_id, number, verdict, whole
from llmops.evals.results import CaseResult

_NUMBERED = re.compile(r"(conversational_)?test_case_\d+")
"""The name of a case that nobody named: its place in the run."""
_SHAPES = {
    "metricsData": Shape.OBJECTS,
    "retrievalContext": Shape.LIST,
    "turns": Shape.OBJECTS,
}


@dataclass
class _Metric:
    """A metric, and what its scores tell of its direction."""

    threshold: float | None
    at_least: bool = True
    at_most: bool = True

    def see(self, score: float, success: bool) -> None:
        """Rule out the direction in which this score would have been judged otherwise."""
        if self.threshold is not None:
            self.at_least &= success == (score >= self.threshold)
            self.at_most &= success == (score <= self.threshold)


class DeepEval:
    """What the test cases of a DeepEval run mean."""

    kind = "deepeval"
    complete = False

    def __init__(self, container: Container):
        self.container = container
        self._metrics: dict[str, _Metric] = {}
        self._asked: dict[str, str] = {}
        self._unnamed = False

    def entry(self, raw: Raw) -> Entry:
        """One test case."""
        case = raw.data
        if not isinstance(case, dict) or ("metricsData" not in case and "success" not in case):
            raise DocumentError("is no test case of DeepEval", where=raw.where)
        check_shapes(case, _SHAPES, raw.where)
        metrics = filter(None, case.get("metricsData") or ())
        return Entry(
            result=CaseResult(
                case=self._id(case, raw.where),
                inputs={"input": _input(case)},
                expected=case.get("expectedOutput") or case.get("expectedOutcome"),
                contexts=tuple(str(each) for each in case.get("retrievalContext") or ()),
                output=as_text(case.get("actualOutput")) or "",
                verdicts=tuple(self._verdict(each) for each in metrics),
                latency=number(case.get("completionTime")),
                usage=Usage(
                    input_tokens=whole(case.get("inputTokenCount")),
                    output_tokens=whole(case.get("outputTokenCount")),
                    cost=number(case.get("tokenCost")),
                ),
            )
        )

    def checks(self) -> Mapping[str, SideCheck]:
        """Each metric with its threshold, in the direction that its verdicts show."""
        return {name: _check(name, metric) for name, metric in self._metrics.items()}

    def identity(self) -> Mapping[str, str]:
        """Nothing: a run of DeepEval has no name that would have to stay."""
        return {}

    def notes(self) -> Iterator[str]:
        """How cases without a name are told apart."""
        if self._unnamed:
            yield (
                "cases that DeepEval named by their place are paired by what they ask; "
                "give each `LLMTestCase` a `name`"
            )

    def _id(self, case: Mapping[str, Any], where: Where) -> str:
        name = str(case.get("name") or "")
        asked = [_input(case), case.get("expectedOutput"), case.get("context")]
        made = made_id(str(asked[0])[:40], asked)
        if not name or _NUMBERED.fullmatch(name):
            self._unnamed = True
            return made
        if self._asked.setdefault(name, made) != made:
            raise DocumentError(
                f"two test cases are named `{name}` and ask something else",
                hint="give each `LLMTestCase` a `name` of its own",
                where=where,
            )
        return name

    def _verdict(self, data: Mapping[str, Any]) -> Verdict:
        name = str(data.get("name"))
        metric = self._metrics.setdefault(name, _Metric(number(data.get("threshold"))))
        score, success = number(data.get("score")), data.get("success")
        why = str(data.get("reason") or "")
        if score is None and data.get("error"):
            return failure(name, str(data["error"]))
        if score is not None and isinstance(success, bool):
            metric.see(score, success)
        return verdict(name, score, passed=success, why=why)


def _check(name: str, metric: _Metric) -> SideCheck:
    falling = metric.at_most and not metric.at_least
    sign = "<=" if falling else ">="
    rule = f"{sign} {metric.threshold:g}" if metric.threshold is not None else "as DeepEval judged"
    return SideCheck(name=name, scorer=name, rule=rule, higher_is_better=not falling)


def _input(case: Mapping[str, Any]) -> Any:
    if "input" in case:
        return case["input"]
    return case.get("scenario") or [
        turn.get("content")
        for turn in filter(None, case.get("turns") or ())
        if turn.get("role") == "user"
    ]
