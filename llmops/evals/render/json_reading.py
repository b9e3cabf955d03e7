"""A `report.json` as a `Report` again, its cases read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, ExitCode, Where
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.json_stream import JsonStream
from llmops.evals.render.json_schema import SCHEMA_NAME
from llmops.evals.results import (
    CaseResult,
    CheckSummary,
    Contrast,
    Decision,
    Estimate,
    GateLine,
    Report,
    SliceGap,
    SliceSummary,
    Summary,
)


def read_json(path: Path) -> Report:
    """The report in `path`, however the JSON is laid out.

    Only the summary is held; the cases are read from the file whenever they
    are iterated. Raises `DocumentError` for a file that is no report, or one
    of another schema.
    """
    head: dict[str, Any] = {}
    try:
        with JsonStream(path) as stream:
            for key in stream.members():
                if key == "results":
                    break
                head[key] = stream.value()
        if head.get("schema") != SCHEMA_NAME:
            raise _broken(path, f"its schema is not `{SCHEMA_NAME}`")
        summary = _summary(head["summary"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(path, _said(error)) from error
    return Report(summary=summary, results=lambda: _results(path))


def _results(path: Path) -> Iterator[CaseResult]:
    try:
        with JsonStream(path) as stream:
            for key in stream.members():
                if key == "results":
                    for record in stream.items():
                        yield read_case(record)
                else:
                    stream.value()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(path, _said(error)) from error


def _said(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _broken(path: Path, reason: str) -> DocumentError:
    return DocumentError(
        f"not a report of this program: {reason}",
        hint="name the `report.json` that a run wrote",
        where=Where(path),
    )


def read_case(data: dict[str, Any]) -> CaseResult:
    """The result that a case's record holds; `KeyError` or `TypeError` if it holds none."""
    return CaseResult(
        case=data["case"],
        repeat=data["repeat"],
        inputs=data["inputs"],
        expected=data["expected"],
        contexts=tuple(data["contexts"]),
        tags=tuple(data["tags"]),
        slices=data.get("slices", {}),
        counterfactual=data.get("counterfactual"),
        output=data["output"],
        error=data["error"],
        verdicts=tuple(
            Verdict(
                check=each["check"],
                outcome=Outcome(each["outcome"]),
                score=Score(
                    value=each["value"],
                    rationale=each["rationale"],
                    spans=tuple((start, end) for start, end in each["spans"]),
                    usage=Usage(**each.get("usage", {})),
                    details=each.get("details", {}),
                ),
            )
            for each in data["verdicts"]
        ),
        latency=data["latency"],
        usage=Usage(**data["usage"]),
        finish_reason=data["finish_reason"],
        cached=data["cached"],
        attempts=data["attempts"],
    )


def _summary(data: dict[str, Any]) -> Summary:
    decision = data["decision"]
    return Summary(
        **{
            **data,
            "usage": Usage(**data["usage"]),
            "checks": tuple(_check(each) for each in data["checks"]),
            "slices": tuple(_slice(each) for each in data.get("slices", ())),
            "gaps": tuple(_gap(each) for each in data.get("gaps", ())),
            "decision": Decision(
                outcome=decision["outcome"],
                exit_code=ExitCode(decision["exit_code"]),
                reason=decision["reason"],
                lines=tuple(GateLine(**line) for line in decision["lines"]),
            ),
        }
    )


def _slice(data: dict[str, Any]) -> SliceSummary:
    return SliceSummary(
        **{
            **data,
            "mean": Estimate(**data["mean"]) if data["mean"] else None,
            "pass_rate": Estimate(**data["pass_rate"]) if data["pass_rate"] else None,
        }
    )


def _gap(data: dict[str, Any]) -> SliceGap:
    return SliceGap(
        **{
            **data,
            "difference": Estimate(**data["difference"]),
            "contrasts": tuple(
                Contrast(**{**each, "difference": Estimate(**each["difference"])})
                for each in data["contrasts"]
            ),
        }
    )


def _check(data: dict[str, Any]) -> CheckSummary:
    return CheckSummary(
        **{
            **data,
            "mean": Estimate(**data["mean"]) if data["mean"] else None,
            "pass_rate": Estimate(**data["pass_rate"]) if data["pass_rate"] else None,
            "histogram": tuple((low, high, count) for low, high, count in data["histogram"]),
            "usage": Usage(**data.get("usage", {})),
        }
    )
