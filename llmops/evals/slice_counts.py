"""Each check in each value of each slice: counted while the results go by.

As `tally`, with an entry a case for each check and slice besides.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmops.core.errors import MissingExtra
from llmops.core.scoring import Outcome, Verdict
from llmops.evals.results import CaseResult, GateLine, SliceGap, SliceSummary
from llmops.evals.slices.rules import NONE, Aggregate, SliceRule
from llmops.evals.tally import CheckTally

if TYPE_CHECKING:
    from llmops.evals.slices.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """What the slices of a run came to."""

    summaries: tuple[SliceSummary, ...] = ()
    gaps: tuple[SliceGap, ...] = ()
    lines: tuple[GateLine, ...] = ()
    """Of the gate, one for each rule on slices."""


class SliceCounts:
    """Counts cases whole, with all their repeats, by the values of all slices."""

    def __init__(self, names: Sequence[str], checks: Sequence[Mapping[str, Any]], repeats: int):
        self._names = tuple(names)
        self._checks = {str(each["name"]): _CheckColumns(each["unit"]) for each in checks}
        self._about = checks
        self._repeats = repeats
        self._values: dict[str, dict[str, int]] = {name: {} for name in names}
        self._codes = {name: array("i") for name in names}
        self._groups: dict[str, int] = {}
        self._group = array("q")
        self._tallies: dict[tuple[str, str], list[CheckTally]] = {}
        self._cases: dict[tuple[str, str], int] = {}

    def add_case(self, case: CaseResult, verdicts: Sequence[Sequence[Verdict]]) -> None:
        """Take a case (any of its repeats) with the verdicts of each check on all of them."""
        if not self._names:
            return
        for name in self._names:
            value = case.slices.get(name, NONE)
            known = self._values[name]
            self._codes[name].append(known.setdefault(value, len(known)))
            at = (name, value)
            if at not in self._tallies:
                self._tallies[at] = [CheckTally(each, self._repeats) for each in self._about]
                self._cases[at] = 0
            self._cases[at] += 1
            for tally, of_check in zip(self._tallies[at], verdicts, strict=True):
                tally.add_case(of_check)
        group = case.counterfactual
        self._group.append(
            -1 if group is None else self._groups.setdefault(group, len(self._groups))
        )
        for columns, of_check in zip(self._checks.values(), verdicts, strict=True):
            columns.add(of_check)

    def summed(self, rules: Sequence[SliceRule], unjudged: float) -> Sliced:
        """Summaries, gaps and the lines of the gate.

        Without the extra `fairness` gaps between unpaired cases are left out.
        """
        if not self._names:
            return Sliced()
        from llmops.evals.slices.gaps import gap_of
        from llmops.evals.slices.judging import judge

        summaries = tuple(self._summaries())
        tables = {
            (name, check, aggregate): table
            for name in self._names
            for check, aggregate in self._wanted(rules)
            if (table := self._table(name, check, aggregate)) is not None
        }
        gaps = {}
        lacking: MissingExtra | None = None
        for at, table in tables.items():
            try:
                found = gap_of(table)
            except MissingExtra as error:
                lacking = error
                continue
            if found is not None:
                gaps[at] = found
        lines = [
            judge(
                rule,
                tables.get((rule.by, rule.check, rule.aggregate)),
                [each for each in summaries if (each.slice, each.check) == (rule.by, rule.check)],
                gaps.get((rule.by, rule.check, rule.aggregate)),
                unjudged,
                lacking,
            )
            for rule in rules
        ]
        return Sliced(summaries=summaries, gaps=tuple(gaps.values()), lines=tuple(lines))

    def _summaries(self) -> Iterator[SliceSummary]:
        for name in self._names:
            for value in sorted(self._values[name]):
                for tally in self._tallies[name, value]:
                    found = tally.measured().summary
                    yield SliceSummary(
                        slice=name,
                        value=value,
                        check=found.name,
                        cases=self._cases[name, value],
                        results=found.results,
                        unjudged=found.unscored + found.errors,
                        mean=found.mean,
                        pass_rate=found.pass_rate,
                    )

    def _wanted(self, rules: Sequence[SliceRule]) -> list[tuple[str, Aggregate]]:
        """The pass rate of checks with a rule, the mean of others, and what the gate names."""
        found: dict[tuple[str, Aggregate], None] = {}
        for about in self._about:
            found[str(about["name"]), "mean" if about["rule"] is None else "pass_rate"] = None
        for rule in rules:
            found[rule.check, rule.aggregate] = None
        return list(found)

    def _table(self, name: str, check: str, aggregate: Aggregate) -> Table | None:
        import numpy as np

        from llmops.evals.slices.tables import Table

        columns = self._checks[check]
        weights = np.asarray(columns.judged)
        values = self._values[name]
        order = sorted(values)
        ranks = np.asarray([order.index(value) for value in values])
        codes = ranks[np.asarray(self._codes[name])]
        kept = weights > 0
        if NONE in values:
            kept &= codes != order.index(NONE)
        if not kept.any():
            return None
        pairing = self._pairing(name, kept)
        if pairing is not None:
            kept_pairs = pairing >= 0
            kept = np.flatnonzero(kept)[kept_pairs]
            pairing = pairing[kept_pairs]
        sums = np.asarray(columns.sums if aggregate == "mean" else columns.passed)
        is_rate = aggregate == "pass_rate" or columns.zero_one
        return Table(
            slice=name,
            check=check,
            aggregate=aggregate,
            bounded=is_rate or columns.within,
            is_rate=is_rate,
            values=tuple(order),
            sums=sums[kept],
            weights=weights[kept],
            codes=codes[kept].astype(np.int64),
            pairing=pairing,
        )

    def _pairing(self, name: str, kept: Any) -> Any:
        """For each kept case the number of those that differ in this slice only, or -1.

        `None` where no two values of the slice meet.
        """
        import numpy as np

        groups = np.asarray(self._group)[kept]
        if not (groups >= 0).any():
            return None
        others = [np.asarray(self._codes[other])[kept] for other in self._names if other != name]
        _, numbers = np.unique(np.stack([groups, *others], axis=1), axis=0, return_inverse=True)
        numbers = np.where(groups >= 0, numbers.reshape(-1), -1)
        inside = numbers >= 0
        codes = np.asarray(self._codes[name])[kept]
        met = np.unique(np.stack([numbers[inside], codes[inside]], axis=1), axis=0)[:, 0]
        return numbers if len(met) > len(np.unique(met)) else None


class _CheckColumns:
    """One check: an entry a case."""

    def __init__(self, unit: str) -> None:
        self.sums, self.passed, self.judged = array("d"), array("d"), array("d")
        self.zero_one = True
        self.within = not unit

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts on one case's repeats."""
        scores = [
            each.score.value
            for each in verdicts
            if each.outcome in (Outcome.PASSED, Outcome.FAILED) and each.score.value is not None
        ]
        self.sums.append(math.fsum(scores))
        self.judged.append(len(scores))
        self.passed.append(sum(each.outcome is Outcome.PASSED for each in verdicts))
        self.zero_one = self.zero_one and all(score in (0.0, 1.0) for score in scores)
        self.within = self.within and all(0.0 <= score <= 1.0 for score in scores)
