"""promptfoo: the JSON and JSON Lines that `promptfoo eval -o` writes (seen with 0.123.1).

A record is one test, answered by one provider to one prompt. The tests of
promptfoo have no ids, and neither has a repeat: a test is known by its
description and variables, and where one stands several times for one prompt and
provider, these are its repeats. `failureReason` tells an assertion that does
not hold (1) from a provider that failed (2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, Where
from llmops.core.scoring import Verdict
from llmops.evals.comparison.sides import SideCheck
from llmops.evals.foreign.containers import Container, Raw
from llmops.evals.foreign.reading import Entry
from llmops.evals.foreign.shapes import Shape, check_shapes
from llmops.evals.foreign.subjects import Subjects
from llmops.evals.foreign.values import as_text, failure, made_id, number, verdict, whole
from llmops.evals.results import CaseResult

ASSERTIONS = "assertions"
"""The check that stands for all assertions of a test."""

PROVIDER_FAILED = 2

_SHAPES = {
    "testCase": Shape.OBJECT,
    "testCase.vars": Shape.OBJECT,
    "testCase.assert": Shape.OBJECTS,
    "vars": Shape.OBJECT,
    "prompt": Shape.OBJECT,
    "response": Shape.OBJECT,
    "response.tokenUsage": Shape.OBJECT,
    "gradingResult": Shape.OBJECT,
    "gradingResult.componentResults": Shape.OBJECTS,
    "namedScores": Shape.OBJECT,
}


class Promptfoo:
    """What the records of a promptfoo result file mean."""

    kind = "promptfoo"
    complete = False

    def __init__(self, container: Container, subject: str | None):
        self.container = container
        self._subject = _subjects(container).choose(subject, container.path)
        self._checks = {
            ASSERTIONS: SideCheck(
                name=ASSERTIONS, scorer="promptfoo", rule="as promptfoo judged all of them"
            )
        }
        self._unasserted = 0

    def entry(self, raw: Raw) -> Entry | None:
        """One test, if it is of the chosen prompt and provider."""
        record = _record(raw)
        if _subject(record) != self._subject:
            return None
        test = record.get("testCase") or {}
        response = record.get("response") or {}
        error = _error(record)
        return Entry(
            result=CaseResult(
                case=_id(test, record, raw.where),
                inputs=test.get("vars") or record.get("vars") or {},
                output=None if error else as_text(response.get("output")),
                error=error,
                verdicts=tuple(
                    self._verdicts(record) if error is None else self._failures(test, error)
                ),
                latency=_seconds(response.get("latencyMs", record.get("latencyMs"))),
                usage=_usage(record, response),
                finish_reason=response.get("finishReason"),
                cached=bool(response.get("cached")),
            )
        )

    def checks(self) -> Mapping[str, SideCheck]:
        """All assertions together, and each named metric."""
        return self._checks

    def identity(self) -> Mapping[str, str]:
        """Nothing: a promptfoo config has no name that would have to stay."""
        return {}

    def notes(self) -> Iterator[str]:
        """How cases are told apart, and what asserts nothing."""
        yield (
            "promptfoo gives a test no id: cases are paired by their description and variables, "
            "and the same test once more is a repeat of it"
        )
        if self._unasserted:
            yield "tests that assert nothing pass in promptfoo; here they are unscored"

    def _failures(self, test: Mapping[str, Any], error: str) -> Iterator[Verdict]:
        """Nothing was judged of what the test asserts."""
        metrics = (_metric({"assertion": each}) for each in test.get("assert") or ())
        for name in dict.fromkeys([None, *metrics]):
            yield failure(self._check(name), error)

    def _check(self, metric: str | None) -> str:
        if metric is None:
            return ASSERTIONS
        name = metric if metric != ASSERTIONS else f"{metric} (metric)"
        rule = "as promptfoo judged it"
        self._checks.setdefault(name, SideCheck(name=name, scorer="promptfoo", rule=rule))
        return name

    def _verdicts(self, record: Mapping[str, Any]) -> Iterator[Verdict]:
        grading = record.get("gradingResult") or {}
        components = [each for each in grading.get("componentResults") or () if each]
        if not components and grading.get("reason") == "No assertions":
            self._unasserted += 1
            yield verdict(ASSERTIONS, None, passed=None, why="the test asserts nothing")
            return
        yield verdict(
            ASSERTIONS,
            number(record.get("score")),
            passed=bool(record.get("success")),
            why=str(grading.get("reason") or ""),
        )
        for name, value in (record.get("namedScores") or {}).items():
            of_metric = [each for each in components if _metric(each) == name]
            if not of_metric:  # made of others by `derivedMetrics`: measured, not judged
                self._checks.setdefault(name, SideCheck(name=name, scorer="promptfoo"))
                yield verdict(name, number(value), passed=None)
                continue
            yield verdict(
                self._check(name),
                _mean(each.get("score") for each in of_metric),
                passed=all(each.get("pass") for each in of_metric),
                why="; ".join(str(each.get("reason")) for each in of_metric),
            )


def _subjects(container: Container) -> Subjects:
    found = Subjects()
    for raw in container.read():
        found.add(*_subject(_record(raw)))
    return found


def _record(raw: Raw) -> Mapping[str, Any]:
    if not isinstance(raw.data, dict) or "testCase" not in raw.data:
        raise DocumentError("is no result of promptfoo: it has no `testCase`", where=raw.where)
    check_shapes(raw.data, _SHAPES, raw.where)
    if not isinstance(raw.data.get("provider") or "", str | dict):
        raise DocumentError("`provider` should be a name or an object", where=raw.where)
    return raw.data


def _subject(record: Mapping[str, Any]) -> tuple[str, str]:
    """The provider and the prompt, by their labels."""
    provider = record.get("provider") or {}
    if not isinstance(provider, str):
        provider = provider.get("label") or provider.get("id") or ""
    prompt = record.get("prompt") or {}
    # A prompt without a label is labelled with its text, variables not filled in.
    return str(provider), str(prompt.get("label") or record.get("promptId") or "")


def _id(test: Mapping[str, Any], record: Mapping[str, Any], where: Where) -> str:
    described = str(test.get("description") or "")
    variables = test.get("vars") or record.get("vars") or {}
    if not described and not variables:
        raise DocumentError(
            "a test without description and variables, by which it could be found again",
            hint="give it a `description`; `PROMPTFOO_STRIP_TEST_VARS` takes the variables away",
            where=where,
        )
    first = next((value for value in variables.values() if isinstance(value, str)), "")
    return made_id(described or first, [described, variables])


def _error(record: Mapping[str, Any]) -> str | None:
    reason = record.get("failureReason")
    failed = reason == PROVIDER_FAILED if reason is not None else not record.get("gradingResult")
    if not failed:
        return None
    return str(record.get("error") or "promptfoo gives no reason")


def _metric(component: Mapping[str, Any]) -> str | None:
    assertion = component.get("assertion")
    return assertion.get("metric") if isinstance(assertion, dict) else None


def _mean(given: Iterable[Any]) -> float | None:
    """promptfoo's own sum over a metric's assertions grows with their weights."""
    scores = [score for each in given if (score := number(each)) is not None]
    return sum(scores) / len(scores) if scores else None


def _seconds(milliseconds: Any) -> float | None:
    value = number(milliseconds)
    return None if value is None else value / 1000


def _usage(record: Mapping[str, Any], response: Mapping[str, Any]) -> Usage:
    tokens = response.get("tokenUsage") or {}
    cost = number(response.get("cost", record.get("cost")))
    return Usage(
        input_tokens=whole(tokens.get("prompt")),
        output_tokens=whole(tokens.get("completion")),
        cost=cost if "cost" in response or cost else None,
    )
