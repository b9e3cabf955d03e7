"""The JSON Schema of `report.json`, for programs that read it."""

from __future__ import annotations

from typing import Any

SCHEMA_NAME = "llmops.report/1"
"""The number grows when a reader of the old form would misread the new one."""

_JUDGED = ["passed", "failed", "unscored", "error"]
_DECIDED = ["passed", "failed", "inconclusive"]
_TEXT = {"type": "string"}
_OPTIONAL_TEXT = {"type": ["string", "null"]}
_NUMBER = {"type": "number"}
_OPTIONAL_NUMBER = {"type": ["number", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_MAPPING = {"type": "object"}


def _shape(**properties: Any) -> dict[str, Any]:
    """An object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or(shape: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """The shape with properties that are left out where there is nothing to say."""
    return {**shape, "properties": {**shape["properties"], **optional}}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _optional(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description}


_USAGE = _shape(
    input_tokens=_COUNT,
    output_tokens=_COUNT,
    cached_tokens=_said(_COUNT, "Input tokens that the server's prefix cache spared."),
    cost=_said(_OPTIONAL_NUMBER, "In the currency of the configured price."),
)

_CHECK = _shape(
    name=_TEXT,
    scorer=_TEXT,
    version=_TEXT,
    rule=_said(_OPTIONAL_TEXT, "The pass rule; null for a check that only measures."),
    unit=_said(_TEXT, "What a score counts; empty for a ratio in [0, 1]."),
    higher_is_better={"type": "boolean"},
    passed=_COUNT,
    failed=_COUNT,
    unscored=_COUNT,
    errors=_COUNT,
    mean=_said(_optional("estimate"), "Of the scored results; null when nothing was scored."),
    pass_rate=_said(_optional("estimate"), "Passed over passed and failed."),
    quantiles={"type": "object", "additionalProperties": _NUMBER},
    histogram=_said(
        _list({"type": "array", "minItems": 3, "maxItems": 3, "items": _NUMBER}),
        "Bins of the scores: from, to, count.",
    ),
    usage=_said({"$ref": "#/$defs/usage"}, "Of the scorer's own model calls."),
    details=_said(
        {"type": "object", "additionalProperties": _NUMBER},
        "Means of what the scorer saw besides: of a judge `mass` and `unparsed`.",
    ),
    calibration=_said({"type": ["object", "null"]}, "A judge's measurement against human labels."),
)

_DECISION = _shape(
    outcome={"enum": _DECIDED},
    exit_code={"type": "integer"},
    reason=_TEXT,
    lines=_list(
        _shape(
            check=_TEXT,
            aggregate={"enum": ["mean", "pass_rate", "drop", "gap"]},
            rule=_TEXT,
            value=_OPTIONAL_NUMBER,
            outcome={"enum": _DECIDED},
            reason=_TEXT,
        )
    ),
)

_SLICE = _shape(
    slice=_TEXT,
    value=_TEXT,
    check=_TEXT,
    cases=_COUNT,
    results=_COUNT,
    unjudged=_COUNT,
    mean=_optional("estimate"),
    pass_rate=_optional("estimate"),
)

_GAP = _shape(
    slice=_TEXT,
    check=_TEXT,
    aggregate={"enum": ["mean", "pass_rate"]},
    paired=_said({"type": "boolean"}, "Whether counterfactual cases are laid side by side."),
    highest=_TEXT,
    lowest=_TEXT,
    difference={"$ref": "#/$defs/estimate"},
    method=_TEXT,
    contrasts=_list(
        _shape(
            high=_TEXT,
            low=_TEXT,
            difference={"$ref": "#/$defs/estimate"},
            p_value=_OPTIONAL_NUMBER,
            p_adjusted=_OPTIONAL_NUMBER,
            pairs=_COUNT,
        )
    ),
)

_SUMMARY = _shape(
    suite=_TEXT,
    description=_TEXT,
    run=_TEXT,
    started=_said(_TEXT, "ISO 8601, UTC."),
    seconds=_said({"type": "number", "minimum": 0}, "Wall time of the run."),
    command=_said(_TEXT, "The command that runs this again."),
    subject=_MAPPING,
    dataset=_MAPPING,
    environment=_MAPPING,
    cases=_COUNT,
    repeats=_COUNT,
    calls=_said(_COUNT, "Model calls that were answered, without those from the cache."),
    cached=_COUNT,
    usage={"$ref": "#/$defs/usage"},
    checks=_list(_CHECK),
    decision=_DECISION,
    slices=_said(_list(_SLICE), "Each check in each value of each slice."),
    gaps=_said(_list(_GAP), "How far apart the values of each slice are."),
    made_from=_said(
        {"type": "object", "additionalProperties": _TEXT},
        "What decides on the results: two runs that agree here asked the same.",
    ),
)

_VERDICT = _or(
    _shape(
        check=_TEXT,
        outcome={"enum": _JUDGED},
        value=_said(
            _OPTIONAL_NUMBER, "Null when the check could not be scored; `rationale` says why."
        ),
        rationale=_TEXT,
        spans=_said(
            _list({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer"}}),
            "Ranges of the output, in Unicode characters, that the score rests on.",
        ),
    ),
    usage=_said({"$ref": "#/$defs/usage"}, "Of the scorer's own model calls, where it made any."),
    details={"type": "object", "additionalProperties": _NUMBER},
)

_CASE = _or(
    _shape(
        case=_said(_TEXT, "The case's stable id."),
        repeat=_COUNT,
        outcome=_said({"enum": _JUDGED}, "The worst of the case's verdicts."),
        tags=_list(_TEXT),
        inputs=_MAPPING,
        expected={},
        contexts=_list(_TEXT),
        output=_said(_OPTIONAL_TEXT, "Null when the subject gave nothing, and `error` says why."),
        error=_OPTIONAL_TEXT,
        verdicts=_list(_VERDICT),
        latency=_said(_OPTIONAL_NUMBER, "Seconds of the model call."),
        usage={"$ref": "#/$defs/usage"},
        finish_reason=_OPTIONAL_TEXT,
        cached={"type": "boolean"},
        attempts=_COUNT,
    ),
    slices=_said(
        {"type": "object", "additionalProperties": _TEXT},
        "The value that the case has in each slice of the suite.",
    ),
    counterfactual=_said(_TEXT, "Group of cases that ask the same but for their slices."),
)

REPORT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "llmops report",
    "description": "What an evaluation found: the summary, and every case with its verdicts.",
    **_shape(
        schema={"const": SCHEMA_NAME},
        summary=_SUMMARY,
        results=_said(_list(_CASE), "In the dataset's order."),
        outcomes=_said(
            _shape(**dict.fromkeys(_JUDGED, _COUNT)), "How many results had which outcome."
        ),
    ),
    "$defs": {
        "usage": _USAGE,
        "estimate": _shape(value=_NUMBER, low=_OPTIONAL_NUMBER, high=_OPTIONAL_NUMBER),
    },
}
