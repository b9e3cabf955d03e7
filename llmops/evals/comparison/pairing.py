"""Both sides read once, case by case, into arrays with a row for each case that both have.

Texts are not kept: memory grows by some bytes a case and check, not with the
length of answers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt

from llmops.core.errors import UsageError
from llmops.core.scoring import Outcome
from llmops.evals.comparison.sides import Side
from llmops.evals.results import CaseResult

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EXAMPLES = 5
"""Ids that are named where there are more of them."""


@dataclass(slots=True)
class _Column:
    """One check on one side, an entry a case."""

    asked: array[float] = field(default_factory=lambda: array("d"))
    """Results that the check looked at, or would have, had they not failed."""
    judged: array[float] = field(default_factory=lambda: array("d"))
    passed: array[float] = field(default_factory=lambda: array("d"))
    total: array[float] = field(default_factory=lambda: array("d"))
    """The sum of the scores."""
    seen_passed: array[int] = field(default_factory=lambda: array("i"))
    seen_failed: array[int] = field(default_factory=lambda: array("i"))
    """With the results that only confirm."""
    low: float = np.inf
    high: float = -np.inf
    binary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSide:
    """One check on one side, a row a pair."""

    asked: Floats
    """Results that the check looked at; none where a tool checks each case in its own way."""
    judged: Floats
    """Results that were judged and count in estimates."""
    passed: Floats
    total: Floats
    seen_passed: npt.NDArray[np.int32]
    seen_failed: npt.NDArray[np.int32]
    low: float
    high: float
    binary: bool
    """Whether every score is 0 or 1."""

    def rates(self) -> Floats:
        """The share of passes of each case; not a number where nothing was judged."""
        return _ratio(self.passed, self.judged)

    def means(self) -> Floats:
        """The mean score of each case; not a number where nothing was judged."""
        return _ratio(self.total, self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPair:
    """One check on both sides."""

    base: CheckSide
    head: CheckSide


EFFORTS = (
    ("input tokens", "tokens"),
    ("output tokens", "tokens"),
    ("latency", "s"),
    ("cost", ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The cases that both sides have, in the order of base."""

    ids: tuple[str, ...]
    checks: dict[str, CheckPair]
    efforts: dict[str, tuple[Floats, Floats]]
    """A case's mean on base and on head; not a number where it is not known."""
    slices: dict[str, tuple[str, ...]]
    """The value of each case in each slice that was asked for; empty where it has none."""
    only_base: tuple[str, ...]
    only_head: tuple[str, ...]


class _Reader:
    """One side while it is read."""

    def __init__(self, side: Side, checks: Sequence[str], slices: Sequence[str]):
        self._side = side
        self.rows: dict[str, int] = {}
        self.columns = {name: _Column() for name in checks}
        self.efforts = {name: array("d") for name, _ in EFFORTS}
        self.slices: dict[str, list[str]] = {name: [] for name in slices}

    def read(self) -> None:
        """Read all results; `UsageError` for a case or repeat that is there twice."""
        for case, results in groupby(self._side.results(), key=lambda each: each.case):
            if case in self.rows:
                raise self._twice(case)
            self.rows[case] = len(self.rows)
            self._add(case, list(results))

    def _add(self, case: str, results: list[CaseResult]) -> None:
        if len({each.repeat for each in results}) < len(results):
            raise self._twice(case)
        counted = [each for each in results if each.repeat < self._side.repeats]
        for column in self.columns.values():
            for entries in (column.asked, column.judged, column.passed, column.total):
                entries.append(0)
            column.seen_passed.append(0)
            column.seen_failed.append(0)
        for result in results:
            counts = result.repeat < self._side.repeats
            if result.error is not None:
                for column in self.columns.values():
                    column.asked[-1] += 1
            for verdict in result.verdicts:
                if verdict.check in self.columns:
                    column = self.columns[verdict.check]
                    column.asked[-1] += 1
                    _enter(column, verdict.outcome, verdict.score.value, counts)
        for name, known in _spent(counted):
            self.efforts[name].append(sum(known) / len(known) if known else np.nan)
        for name, values in self.slices.items():
            values.append(results[0].slices.get(name, ""))

    def _twice(self, case: str) -> UsageError:
        return UsageError(
            f"the case `{case}` is in {self._side.label} twice",
            hint="cases are paired by id: give each its own, and each repeat its number",
        )

    def checks(self, order: npt.NDArray[np.int64]) -> dict[str, CheckSide]:
        """The checks with their rows in the given order."""
        return {name: _side(column, order) for name, column in self.columns.items()}


def _enter(column: _Column, outcome: Outcome, value: float | None, counts: bool) -> None:
    if value is None or outcome not in (Outcome.PASSED, Outcome.FAILED):
        return
    passed = outcome is Outcome.PASSED
    if passed:
        column.seen_passed[-1] += 1
    else:
        column.seen_failed[-1] += 1
    if counts:
        column.judged[-1] += 1
        column.passed[-1] += passed
        column.total[-1] += value
        column.low, column.high = min(column.low, value), max(column.high, value)
        column.binary = column.binary and value in (0.0, 1.0)


def _spent(results: list[CaseResult]) -> Iterator[tuple[str, list[float]]]:
    """What each effort was; an answer from the cache took no time that says anything."""
    answered = [each for each in results if each.output is not None]
    yield "input tokens", [each.usage.input_tokens for each in answered]
    yield "output tokens", [each.usage.output_tokens for each in answered]
    yield "latency", [e.latency for e in answered if e.latency is not None and not e.cached]
    yield "cost", [e.usage.cost for e in answered if e.usage.cost is not None]


def pair(base: Side, head: Side, checks: Sequence[str], slices: Sequence[str]) -> Paired:
    """Both sides, read once each; they may hold their cases in different orders."""
    left, right = _Reader(base, checks, slices), _Reader(head, checks, slices)
    left.read()
    right.read()
    ids = tuple(case for case in left.rows if case in right.rows)
    at_left = np.fromiter((left.rows[case] for case in ids), np.int64, len(ids))
    at_right = np.fromiter((right.rows[case] for case in ids), np.int64, len(ids))
    on_base, on_head = left.checks(at_left), right.checks(at_right)
    return Paired(
        ids=ids,
        checks={name: CheckPair(base=on_base[name], head=on_head[name]) for name in checks},
        efforts={
            name: (_floats(left.efforts[name])[at_left], _floats(right.efforts[name])[at_right])
            for name, _ in EFFORTS
        },
        slices={
            name: tuple(
                right.slices[name][after] or left.slices[name][before]
                for before, after in zip(at_left, at_right, strict=True)
            )
            for name in slices
        },
        only_base=tuple(case for case in left.rows if case not in right.rows),
        only_head=tuple(case for case in right.rows if case not in left.rows),
    )


def _side(column: _Column, order: npt.NDArray[np.int64]) -> CheckSide:
    return CheckSide(
        asked=_floats(column.asked)[order],
        judged=_floats(column.judged)[order],
        passed=_floats(column.passed)[order],
        total=_floats(column.total)[order],
        seen_passed=np.frombuffer(column.seen_passed, np.int32)[order],
        seen_failed=np.frombuffer(column.seen_failed, np.int32)[order],
        low=column.low,
        high=column.high,
        binary=column.binary,
    )


def _floats(values: array[float]) -> Floats:
    return np.frombuffer(values, np.float64) if len(values) else np.empty(0)


def _ratio(sums: Floats, counts: Floats) -> Floats:
    ratios: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return ratios
