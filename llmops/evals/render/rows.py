"""One case on its way into the reports, with what several of them need computed once."""

from __future__ import annotations

import json
import math
from typing import Any

from llmops.core.chat import Usage
from llmops.core.scoring import Outcome, Verdict
from llmops.evals.results import CaseResult


class Row:
    """A case with its outcome, and its record as JSON text."""

    __slots__ = ("_text", "outcome", "result")

    def __init__(self, result: CaseResult):
        self.result = result
        self.outcome: Outcome = result.outcome
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The case's record as one line of JSON that any UTF-8 file can hold."""
        if self._text is None:
            self._text = to_text(case_record(self.result, self.outcome))
        return self._text


def case_record(result: CaseResult, outcome: Outcome) -> dict[str, Any]:
    """A case as `report.json` spells it."""
    divided: dict[str, Any] = {}
    if result.slices:
        divided["slices"] = result.slices
    if result.counterfactual is not None:
        divided["counterfactual"] = result.counterfactual
    return {
        "case": result.case,
        "repeat": result.repeat,
        "outcome": outcome,
        "tags": result.tags,
        **divided,
        "inputs": result.inputs,
        "expected": result.expected,
        "contexts": result.contexts,
        "output": result.output,
        "error": result.error,
        "verdicts": [_verdict(verdict) for verdict in result.verdicts],
        "latency": result.latency,
        "usage": _usage(result.usage),
        "finish_reason": result.finish_reason,
        "cached": result.cached,
        "attempts": result.attempts,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    score = verdict.score
    record: dict[str, Any] = {
        "check": verdict.check,
        "outcome": verdict.outcome,
        "value": score.value,
        "rationale": score.rationale,
        "spans": score.spans,
    }
    if score.usage != Usage():
        record["usage"] = _usage(score.usage)
    if score.details:
        record["details"] = score.details
    return record


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost": usage.cost,
    }


def _spell(value: Any) -> Any:
    """A value that JSON does not know: mappings and sequences by shape, the rest as text."""
    if hasattr(value, "items"):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)


_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_spell
).encode
_encode_ascii = json.JSONEncoder(
    allow_nan=False, separators=(",", ":"), default=_spell, skipkeys=True
).encode


def to_text(value: Any) -> str:
    """`value` as JSON on one line.

    Not-a-numbers become `null`, which is as near as JSON comes; a lone
    surrogate, which no UTF-8 file can hold, is written as its escape.

    >>> to_text({"é": float("nan"), "half": chr(0xD83D)})
    '{"\\\\u00e9":null,"half":"\\\\ud83d"}'
    """
    try:
        text = _encode(value)
    except (ValueError, TypeError):
        value = _finite(value)
        text = _encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _encode_ascii(value)
    return text


def _finite(value: Any) -> Any:
    """`value` with every infinity and not-a-number as `None`, and every key as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "items"):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value
