"""A comparison as one JSON document, and back.

The numbers and the cases that turned, by id, with their results: what a program
needs to show a comparison without the two runs it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, ExitCode, Where
from llmops.core.files import read_document, write_text
from llmops.evals.render.comparison_schema import COMPARISON_SCHEMA, SCHEMA_NAME
from llmops.evals.render.json_reading import read_case
from llmops.evals.render.rows import case_record, to_text
from llmops.evals.results import (
    CaseChange,
    Change,
    Comparison,
    Coverage,
    Decision,
    Effort,
    Estimate,
    GateLine,
    MetricComparison,
    Turn,
)

__all__ = [
    "COMPARISON_SCHEMA",
    "SCHEMA_NAME",
    "comparison_of",
    "comparison_record",
    "read_comparison",
    "write_comparison",
]

MOST_CHANGES = 1000
"""Cases that turned which are written with their results; the counts are of all."""


def comparison_record(comparison: Comparison, *, most: int = MOST_CHANGES) -> dict[str, Any]:
    """The comparison as JSON spells it; `COMPARISON_SCHEMA` describes it.

    At most `most` of the cases that turned are in it, newly failing first.
    """
    record: dict[str, Any] = {"schema": SCHEMA_NAME}
    for each in fields(comparison):
        if each.name != "changes":
            record[each.name] = getattr(comparison, each.name)
    record["coverage"] = asdict(comparison.coverage)
    record["metrics"] = [asdict(metric) for metric in comparison.metrics]
    record["effort"] = [asdict(effort) for effort in comparison.effort]
    record["turns"] = {turn.value: count for turn, count in comparison.turns.items()}
    record["decision"] = asdict(comparison.decision)
    record["changes"] = [_change(each) for each in islice(comparison.changes(), most)]
    whole: dict[str, Any] = json.loads(to_text(record))
    return whole


def write_comparison(comparison: Comparison, path: Path, *, most: int = MOST_CHANGES) -> None:
    """Write the record to `path`, whole or not at all."""
    text = json.dumps(comparison_record(comparison, most=most), indent=1, ensure_ascii=True)
    write_text(path, text + "\n")


def read_comparison(path: Path) -> Comparison:
    """The comparison that `write_comparison` wrote.

    Raises `DocumentError` for a file that holds none, or one of another schema.
    """
    try:
        return comparison_of(json.loads(read_document(path, limit=None)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise DocumentError(
            f"not a comparison of this program: {said}",
            hint="name a file that `llmops eval compare --json FILE` wrote",
            where=Where(path),
        ) from error


def comparison_of(record: Mapping[str, Any]) -> Comparison:
    """The comparison of a record; `KeyError`, `TypeError` or `ValueError` if it holds none."""
    if record.get("schema") != SCHEMA_NAME:
        raise ValueError(f"its schema is not `{SCHEMA_NAME}`")
    decision = record["decision"]
    changes = [_read_change(each) for each in record["changes"]]
    return Comparison(
        base=record["base"],
        head=record["head"],
        confidence=record["confidence"],
        coverage=Coverage(
            **{**record["coverage"], "examples": tuple(record["coverage"]["examples"])}
        ),
        metrics=tuple(_metric(each) for each in record["metrics"]),
        effort=tuple(_effort(each) for each in record["effort"]),
        turns={Turn(turn): count for turn, count in record["turns"].items()},
        decision=Decision(
            outcome=decision["outcome"],
            exit_code=ExitCode(decision["exit_code"]),
            reason=decision["reason"],
            lines=tuple(GateLine(**line) for line in decision["lines"]),
        ),
        same_subject=record["same_subject"],
        notes=tuple(record["notes"]),
        changes=lambda: iter(changes),
    )


def _change(change: CaseChange) -> dict[str, Any]:
    return {
        "case": change.case,
        "turn": change.turn.value,
        "checks": change.checks,
        "base": [case_record(each, each.outcome) for each in change.base],
        "head": [case_record(each, each.outcome) for each in change.head],
    }


def _read_change(record: Mapping[str, Any]) -> CaseChange:
    return CaseChange(
        case=record["case"],
        turn=Turn(record["turn"]),
        checks=tuple(record["checks"]),
        base=tuple(read_case(each) for each in record["base"]),
        head=tuple(read_case(each) for each in record["head"]),
    )


def _metric(record: Mapping[str, Any]) -> MetricComparison:
    return MetricComparison(
        **{**record, **_estimates(record), "verdict": Change(record["verdict"])}
    )


def _effort(record: Mapping[str, Any]) -> Effort:
    return Effort(**{**record, **_estimates(record)})


def _estimates(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Estimate(**record[name]) if record[name] else None
        for name in ("base", "head", "difference")
    }
