"""Whether an answer keeps what its own case asks of it: checks that stand in the data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from llmops.core.errors import NotFound, UsageError
from llmops.core.scoring import Check, Outcome, Rule, Sample, Score, Scorer
from llmops.scorers.building import BUILT_IN, build
from llmops.scorers.configured import Configured
from llmops.scorers.measuring import measure

_KEYS = frozenset({"scorer", "options", "pass", "weight"})

LONGEST_REASON = 1_000
"""Characters of a rationale."""


@dataclass(frozen=True, kw_only=True)
class Assertions(Configured):
    """1 when the answer keeps every assertion of its case, else 0 with the first reason.

    The expected value of a case is a list of assertions, each a built-in scorer with
    `options`, a rule `pass` and a `weight`, as a suite's checks have them. Or it
    is a mapping with such a list as `all` and a `threshold`: then the weighted
    share of assertions that are kept has to reach it. An assertion that cannot
    be told (a scorer that gives no score) leaves the case unscored, unless the
    others decide; so does an expected value that is no such list.

    >>> import asyncio
    >>> case = [{"scorer": "contains", "options": {"text": "Paris"}}]
    >>> sample = Sample(output="It is Rome.", expected=case)
    >>> asyncio.run(Assertions().score(sample)).rationale
    'contains: does not contain `Paris`'
    """

    name: ClassVar[str] = "assertions"
    default_rule: ClassVar[str | None] = "== 1"
    unit: ClassVar[str] = ""

    _built: dict[str, Check] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def needs(self) -> frozenset[str]:
        """The assertions, as the expected value."""
        return frozenset({"expected"})

    async def look(self, sample: Sample) -> Score:
        """The score; unscored, with the reason, for expected values that are no assertions."""
        try:
            return await self._judged(sample)
        except UsageError as error:
            return Score.unscored(error.message[:LONGEST_REASON])

    async def _judged(self, sample: Sample) -> Score:
        listed, threshold = _listed(sample.expected)
        kept = lost = unknown = 0.0
        reasons: dict[Outcome, list[str]] = {Outcome.FAILED: [], Outcome.UNSCORED: []}
        for each in listed:
            check = self._check(each)
            verdict = check.judge(await measure(check.scorer, sample))
            weight = float(each.get("weight", 1))
            if verdict.outcome is Outcome.PASSED:
                kept += weight
                continue
            reasons[verdict.outcome].append(f"{check.name}: {verdict.score.rationale}")
            if verdict.outcome is Outcome.FAILED:
                lost += weight
            else:
                unknown += weight
        total = kept + lost + unknown
        asked = total if threshold is None else threshold * total
        if kept >= asked - 1e-9 and (threshold is not None or not reasons[Outcome.FAILED]):
            return Score(value=1.0)
        if kept + unknown < asked - 1e-9 or not reasons[Outcome.UNSCORED]:
            return Score(value=0.0, rationale=_told(reasons[Outcome.FAILED]))
        return Score.unscored(_told(reasons[Outcome.UNSCORED]))

    def _check(self, assertion: Mapping[str, Any]) -> Check:
        key = json.dumps(assertion, sort_keys=True, default=str)
        if key not in self._built:
            self._built[key] = _built(assertion)
        return self._built[key]


def _listed(expected: Any) -> tuple[Sequence[Any], float | None]:
    listed, threshold = expected, None
    if isinstance(expected, Mapping):
        listed, threshold = expected.get("all"), expected.get("threshold")
    if not isinstance(listed, list) or not listed:
        raise UsageError(
            "the expected value is no list of assertions",
            hint='write `[{"scorer": "contains", "options": {"text": "…"}}]`',
        )
    if threshold is not None and not isinstance(threshold, int | float):
        raise UsageError(f"the threshold of the assertions is no number: {threshold!r}")
    return listed, threshold


def _told(reasons: Sequence[str]) -> str:
    return "; ".join(reasons)[:LONGEST_REASON]


def _built(assertion: Any) -> Check:
    if not isinstance(assertion, Mapping):
        raise UsageError("an assertion is no mapping")
    unknown = sorted(set(assertion) - _KEYS)
    if unknown:
        raise NotFound.among("key of an assertion", unknown[0], _KEYS)
    if not isinstance(assertion.get("scorer"), str):
        raise UsageError("an assertion names no `scorer`")
    weight = assertion.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
        raise UsageError("the `weight` of an assertion is a number above 0")
    name = assertion["scorer"]
    if name not in BUILT_IN:  # code that a suite may name; a row of data may not
        raise NotFound.among("built-in scorer", str(name), BUILT_IN)
    scorer: Scorer = build(name, assertion.get("options"), base=Path())
    written = assertion.get("pass") or getattr(scorer, "default_rule", None)
    if not written:
        raise UsageError(f"the assertion `{scorer.name}` needs a rule: `pass`")
    return Check(name=scorer.name, scorer=scorer, rule=Rule.parse(written))
