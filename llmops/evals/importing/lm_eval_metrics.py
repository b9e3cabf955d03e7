"""The metrics and filters of a task, as far as scorers here do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError

_DECLARED = frozenset({"metric", "aggregation", "higher_is_better"})
_CORPUS = {"bleu": "bleu", "chrf": "chrf"}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is done to an answer before it is compared."""

    strip: bool = False
    ignore_case: bool = False


def _mappings(parsed: Parsed, key: str) -> list[Mapping[str, Any]]:
    """The mappings that a key of the task lists; none where it is not there."""
    found = parsed.data.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise DocumentError(f"`{key}` should be a list of mappings", where=parsed.where(key))
    return found


def read_filters(parsed: Parsed, leave_out: bool, left_out: list[str]) -> Filters:
    """The filters of the task; the comparison does what they do."""
    listed = _mappings(parsed, "filter_list")
    if len(listed) > 1:
        _refuse(parsed, "several filters", ("filter_list",), leave_out, left_out)
    found = Filters()
    steps = (listed[0].get("filter") or ()) if listed else ()
    if not isinstance(steps, list | tuple):
        raise DocumentError("`filter` should be a list", where=parsed.where("filter_list"))
    for step in steps:
        match step.get("function") if isinstance(step, Mapping) else step:
            case "take_first":
                pass
            case "remove_whitespace":
                found = Filters(strip=True, ignore_case=found.ignore_case)
            case "lowercase" | "uppercase":
                found = Filters(strip=found.strip, ignore_case=True)
            case other:
                _refuse(parsed, f"the filter `{other}`", ("filter_list",), leave_out, left_out)
    return found


def read_metrics(
    parsed: Parsed,
    choices: Sequence[str] | None,
    filters: Filters,
    leave_out: bool,
    left_out: list[str],
) -> list[Mapping[str, Any]]:
    """The metrics as checks that measure; the first is the one that gates."""
    default = "acc" if choices is not None else "exact_match"
    checks: list[Mapping[str, Any]] = []
    for index, given in enumerate(_mappings(parsed, "metric_list") or [{"metric": default}]):
        check = _check(given, choices, filters)
        if check is None:
            what = f"the metric `{given.get('metric')}`"
            extras = sorted(set(given) - _DECLARED)
            with_ = f" with `{extras[0]}`" if extras else ""
            _refuse(parsed, what + with_, ("metric_list", index), leave_out, left_out)
        else:
            checks.append(check)
    if not checks:
        raise DocumentError("no metric of it can be taken over", where=parsed.where("metric_list"))
    return checks


def _check(
    given: Mapping[str, Any], choices: Sequence[str] | None, filters: Filters
) -> Mapping[str, Any] | None:
    metric = given.get("metric")
    options = {key: value for key, value in given.items() if key not in _DECLARED and value}
    if metric in _CORPUS and not options:
        return {"scorer": _CORPUS[metric], "name": metric, "measure_only": True}
    if metric == "acc" and choices is not None and not options:
        return {"scorer": "exact_match", "name": "acc", "pass": "== 1"}
    if metric != "exact_match" or set(options) - {"ignore_case"}:
        return None
    ignore = bool(options.get("ignore_case")) or filters.ignore_case
    comparing = {"strip": filters.strip} | ({"ignore_case": True} if ignore else {})
    return {
        "scorer": "exact_match",
        "name": "exact_match",
        "options": comparing,
        "pass": "== 1",
    }


def _refuse(
    parsed: Parsed, what: str, keys: tuple[str | int, ...], leave_out: bool, left_out: list[str]
) -> None:
    where = parsed.where(*keys)
    if not leave_out:
        raise DocumentError(
            f"{what} cannot be taken over: no scorer here does the same",
            hint="change the task, or pass `--leave-out`: then it is not measured any more",
            where=where,
        )
    left_out.append(f"{what} ({where})")
