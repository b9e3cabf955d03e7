"""One result as one line of a journal, and back.

What is as it mostly is (no error, not cached) is left out of the line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from llmops.core.chat import Usage
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.results import CaseResult

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_encode_ascii = json.JSONEncoder(separators=(",", ":"), default=str).encode

_PLAIN = CaseResult(case="")
_USAGE = ("input_tokens", "output_tokens", "cached_tokens", "cost")


def encode_line(data: dict[str, Any]) -> bytes:
    """`data` as one line of JSON."""
    try:
        return (_encode(data) + "\n").encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot spell
        return (_encode_ascii(data) + "\n").encode()


def encode_result(
    slot: int, result: CaseResult, elapsed: float, system_fingerprint: str | None
) -> bytes:
    """The line of a result that was finished `elapsed` seconds into this part of the run."""
    data: dict[str, Any] = {
        "type": "result",
        "slot": slot,
        "case": result.case,
        "repeat": result.repeat,
        "outcome": result.outcome,
        "elapsed": elapsed,
        "inputs": result.inputs,
        "verdicts": [_verdict_record(verdict) for verdict in result.verdicts],
    }
    for name in _OPTIONAL:
        value = getattr(result, name)
        if value != getattr(_PLAIN, name):
            data[name] = value
    if result.output is not None:
        data["usage"] = [getattr(result.usage, name) for name in _USAGE]
    if system_fingerprint is not None:
        data["system_fingerprint"] = system_fingerprint
    return encode_line(data)


_OPTIONAL = (
    "expected",
    "contexts",
    "tags",
    "slices",
    "counterfactual",
    "output",
    "error",
    "latency",
    "finish_reason",
    "cached",
    "attempts",
)


def _verdict_record(verdict: Verdict) -> list[Any]:
    score = verdict.score
    record: list[Any] = [verdict.check, verdict.outcome, score.value, score.rationale]
    more: dict[str, Any] = {}
    if score.usage != Usage():
        more["usage"] = [getattr(score.usage, name) for name in _USAGE]
    if score.details:
        more["details"] = score.details
    if score.spans or more:
        record.append(score.spans)
    if more:
        record.append(more)
    return record


def decode_result(data: dict[str, Any]) -> CaseResult:
    """The result that a line holds; `KeyError`, `TypeError` or `ValueError` if it holds none."""
    return CaseResult(
        case=data["case"],
        repeat=data["repeat"],
        inputs=data["inputs"],
        expected=data.get("expected"),
        contexts=tuple(data.get("contexts", ())),
        tags=tuple(data.get("tags", ())),
        slices=data.get("slices", {}),
        counterfactual=data.get("counterfactual"),
        output=data.get("output"),
        error=data.get("error"),
        verdicts=tuple(_verdict(*record) for record in data["verdicts"]),
        latency=data.get("latency"),
        usage=_usage(data.get("usage")),
        finish_reason=data.get("finish_reason"),
        cached=data.get("cached", False),
        attempts=data.get("attempts", 1),
    )


def _usage(numbers: Any) -> Usage:
    return Usage(**dict(zip(_USAGE, numbers, strict=True))) if numbers else Usage()


def _verdict(
    check: str,
    outcome: str,
    value: float | None,
    rationale: str,
    spans: Any = (),
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Verdict:
    return Verdict(
        check=check,
        outcome=Outcome(outcome),
        score=Score(
            value=value,
            rationale=rationale,
            spans=tuple((start, end) for start, end in spans),
            usage=_usage(more.get("usage")),
            details=more.get("details", {}),
        ),
    )
