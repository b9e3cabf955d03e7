"""Whether what a gate asks of the values of a slice holds.

A slice has few cases, and the worst of several values lies below its truth by
chance alone. So a rule is not judged by the bare number:

- A value that keeps the rule passes it; so does a gap.
- A value that misses it *fails* only when all of its interval does, which is as
  wide as to hold for all values of the slice together. Otherwise it is
  *inconclusive*, and the reason says how many cases would tell.
- A value with too few judged cases, or too many unjudged, is inconclusive.

Cases without a value of the slice are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmops.core.errors import MissingExtra
from llmops.evals.results import Estimate, GateLine, SliceGap, SliceSummary
from llmops.evals.slices.gaps import more_cases, widened
from llmops.evals.slices.rules import NONE, Aggregate, SliceRule
from llmops.evals.slices.tables import Part, Table

Found = tuple[str, str, float | None]
"""Outcome, reason, and the value that it rests on."""

_WORST = {"failed": 0, "inconclusive": 1, "passed": 2}


def judge(
    rule: SliceRule,
    table: Table | None,
    summaries: Sequence[SliceSummary],
    gap: SliceGap | None,
    unjudged: float,
    lacking: MissingExtra | None = None,
) -> GateLine:
    """The line of the gate for one rule.

    `summaries` are those of the rule's check and slice, `unjudged` is the share
    of results that may go unjudged, `lacking` what kept gaps from being measured.
    """
    wanted = [each for each in summaries if each.value != NONE]
    if rule.gap and gap is None and lacking is not None:
        reason = f"`{rule.check}`: {lacking.message}: {lacking.hint}"
        return _line(rule, ("inconclusive", reason, None))
    found = _gap(rule, wanted, gap, unjudged) if rule.gap else _each(rule, table, wanted, unjudged)
    return _line(rule, found)


def _line(rule: SliceRule, found: Found) -> GateLine:
    outcome, reason, value = found
    return GateLine(
        check=rule.check,
        aggregate="gap" if rule.gap else rule.aggregate,
        rule=f"{rule.rule} between `{rule.by}`" if rule.gap else f"{rule.rule} in each `{rule.by}`",
        value=value,
        outcome=outcome,
        reason=reason,
    )


def _each(
    rule: SliceRule, table: Table | None, summaries: Sequence[SliceSummary], unjudged: float
) -> Found:
    parts: Mapping[str, Part] = {part.value: part for part in table.parts} if table else {}
    confidence = widened(len(summaries))
    found = [_value(rule, each, parts.get(each.value), confidence, unjudged) for each in summaries]
    if not found:
        return "inconclusive", f"`{rule.check}`: no case has a value of `{rule.by}`", None
    found.sort(key=lambda each: _WORST[each[0]])
    outcome, reason, value = found[0]
    if outcome == "passed":
        lowest = rule.rule.operator in (">=", ">")
        values = [each[2] for each in found if each[2] is not None]
        value = min(values) if lowest else max(values)
        reason = (
            f"the {_said(rule.aggregate)} of `{rule.check}` is `{rule.rule}` in each of the "
            f"{len(found)} values of `{rule.by}`; the nearest is {value:.4g}"
        )
    alike = sum(each[0] == outcome for each in found) - 1
    if outcome != "passed" and alike:
        reason += f" ({alike} more of {len(found)} values {outcome})"
    return outcome, reason, value


def _value(
    rule: SliceRule, summary: SliceSummary, part: Part | None, confidence: float, unjudged: float
) -> Found:
    where = f"`{rule.by}={summary.value}`"
    if part is None:
        return "inconclusive", f"`{rule.check}`: nothing was judged in {where}", None
    held_back = _held_back(rule, summary, part.cases, unjudged)
    estimate = part.estimate(confidence)
    if held_back is not None:
        return "inconclusive", held_back, estimate.value
    shown = (
        f"the {_said(rule.aggregate)} of `{rule.check}` in {where} is {estimate.value:.4g}"
        f"{_interval(estimate)} over {part.cases} cases, the gate asks for `{rule.rule}`"
    )
    if rule.rule.holds(round(estimate.value, 12)):
        return "passed", shown, estimate.value
    if estimate.low is None or estimate.high is None:
        return "inconclusive", f"{shown}; one case has no interval", estimate.value
    if not rule.rule.holds(estimate.low) and not rule.rule.holds(estimate.high):
        return "failed", shown, estimate.value
    half = (
        estimate.high - estimate.value
        if estimate.value < rule.rule.bound
        else (estimate.value - estimate.low)
    )
    needed = more_cases(part.cases, half, abs(estimate.value - rule.rule.bound))
    return "inconclusive", shown + _would_tell(needed), estimate.value


def _gap(
    rule: SliceRule, summaries: Sequence[SliceSummary], gap: SliceGap | None, unjudged: float
) -> Found:
    if gap is None:
        reason = f"`{rule.check}`: fewer than two values of `{rule.by}` can be compared"
        return "inconclusive", reason, None
    for each in summaries:
        if not gap.paired:
            held_back = _held_back(rule, each, each.cases, unjudged)
        else:
            held_back = _too_unjudged(rule, each, unjudged)
        if held_back is not None:
            return "inconclusive", held_back, gap.difference.value
    found = gap.difference
    pairs = min((each.pairs for each in gap.contrasts), default=0)
    over = (
        f"over {pairs} pairs"
        if gap.paired
        else (f"over {sum(each.cases for each in summaries)} cases")
    )
    shown = (
        f"the {_said(rule.aggregate)} of `{rule.check}` differs by {found.value:.4g}"
        f"{_interval(found)} between `{rule.by}={gap.highest}` and `{rule.by}={gap.lowest}` "
        f"{over}, the gate asks for `{rule.rule}`"
    )
    if gap.paired and pairs < rule.least:
        return "inconclusive", f"{shown}; these are fewer than {rule.least}", found.value
    if rule.rule.holds(round(found.value, 12)):
        return "passed", shown, found.value
    if found.low is not None and not rule.rule.holds(found.low):
        return "failed", shown, found.value
    if found.low is None:
        return "inconclusive", shown, found.value
    cases = pairs if gap.paired else min(each.cases for each in summaries)
    needed = more_cases(cases, found.value - found.low, found.value - rule.rule.bound)
    return "inconclusive", shown + _would_tell(needed, paired=gap.paired), found.value


def _held_back(rule: SliceRule, summary: SliceSummary, judged: int, unjudged: float) -> str | None:
    if judged < rule.least:
        return (
            f"`{rule.check}`: only {judged} judged cases in `{rule.by}={summary.value}`, "
            f"fewer than {rule.least}"
        )
    return _too_unjudged(rule, summary, unjudged)


def _too_unjudged(rule: SliceRule, summary: SliceSummary, unjudged: float) -> str | None:
    if summary.results and summary.unjudged / summary.results > unjudged:
        return (
            f"`{rule.check}`: {summary.unjudged} of {summary.results} results in "
            f"`{rule.by}={summary.value}` were not judged, more than the tolerated {unjudged:.3g}"
        )
    return None


def _said(aggregate: Aggregate) -> str:
    return aggregate.replace("_", " ")


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (interval {estimate.low:.4g} to {estimate.high:.4g})"


def _would_tell(needed: int | None, *, paired: bool = False) -> str:
    if needed is None:
        return ""
    each = "counterfactual groups" if paired else "cases of each value"
    return f"; about {needed:,} {each} would tell"
