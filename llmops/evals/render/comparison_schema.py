"""The JSON Schema of a comparison's record, for programs that read it."""

from __future__ import annotations

from typing import Any

from llmops.evals.render.json_schema import REPORT_SCHEMA
from llmops.evals.results import Change, Turn

SCHEMA_NAME = "llmops.comparison/1"
"""The number grows when a reader of the old form would misread the new one."""

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}
_OPTIONAL_NUMBER = {"type": ["number", "null"]}
_ESTIMATE = {"$ref": "#/$defs/estimate"}
_OPTIONAL_ESTIMATE = {"anyOf": [_ESTIMATE, {"type": "null"}]}
_CASE = {"$ref": "#/$defs/case"}


def _shape(**properties: Any) -> dict[str, Any]:
    """An object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}


_METRIC = _shape(
    check=_TEXT,
    aggregate={"enum": ["mean", "pass_rate"]},
    unit=_said(_TEXT, "What the score counts; empty for a ratio."),
    higher_is_better={"type": "boolean"},
    slice=_said({"type": ["string", "null"]}, "`language=de` where it is of one slice only."),
    gates=_said({"type": "boolean"}, "Whether the decision looks at it."),
    base=_OPTIONAL_ESTIMATE,
    head=_OPTIONAL_ESTIMATE,
    difference=_said(_OPTIONAL_ESTIMATE, "Head minus base, in the score's own unit."),
    margin=_said(_NUMBER, "What may be lost, in the score's own unit."),
    method=_said(_TEXT, "How p-value and interval were got."),
    p_value=_said(_OPTIONAL_NUMBER, "Two-sided, of no difference at all."),
    p_adjusted=_said(_OPTIONAL_NUMBER, "After Holm over the metrics that gate."),
    verdict={"enum": [change.value for change in Change]},
    reason=_TEXT,
    pairs=_said(_COUNT, "Cases that were judged on both sides."),
    unjudged=_said(_COUNT, "Cases that were not judged on one side at least."),
    newly_failing=_COUNT,
    newly_passing=_COUNT,
    flaky=_said(_COUNT, "Cases whose repeats disagree on one side."),
    needed=_said(
        {"type": ["integer", "null"]}, "Cases that it would take, where the verdict is open."
    ),
)

_EFFORT = _shape(
    name=_said(_TEXT, "`input tokens`, `output tokens`, `latency` or `cost`, of a case."),
    unit=_TEXT,
    base=_ESTIMATE,
    head=_ESTIMATE,
    difference=_ESTIMATE,
    pairs=_COUNT,
)

_CHANGE = _shape(
    case=_TEXT,
    turn={"enum": [turn.value for turn in Turn]},
    checks=_said(_list(_TEXT), "The checks in which it turned."),
    base=_said(_list(_CASE), "All its results on that side."),
    head=_list(_CASE),
)

COMPARISON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "llmops comparison",
    "description": "Two runs of the same cases, compared.",
    **_shape(
        schema={"const": SCHEMA_NAME},
        base=_said(_TEXT, "What a person calls the side."),
        head=_TEXT,
        confidence=_said(_NUMBER, "Of the intervals."),
        coverage=_shape(
            pairs=_COUNT,
            only_base=_COUNT,
            only_head=_COUNT,
            untouched=_said(_COUNT, "Cases that were not run; they count as unchanged."),
            total={"type": ["integer", "null"]},
            examples=_said(_list(_TEXT), "Some ids that are on one side only."),
        ),
        metrics=_list(_METRIC),
        effort=_list(_EFFORT),
        turns=_said(
            {"type": "object", "additionalProperties": _COUNT},
            "How many cases turned, by kind; a case counts once, by its worst.",
        ),
        decision=REPORT_SCHEMA["properties"]["summary"]["properties"]["decision"],
        same_subject=_said({"type": "boolean"}, "Both sides asked the same of the same model."),
        notes=_list(_TEXT),
        changes=_said(_list(_CHANGE), "Cases that turned, newly failing first."),
    ),
    "$defs": {
        **REPORT_SCHEMA["$defs"],
        "case": REPORT_SCHEMA["properties"]["results"]["items"],
    },
}
