"""Which metrics a comparison looks at, and which of them decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llmops.core.errors import NotFound, UsageError
from llmops.evals.comparison.pairing import Bools, CheckPair, Paired
from llmops.evals.comparison.rules import ComparisonRules, MarginRule
from llmops.evals.comparison.sides import Side, SideCheck
from llmops.evals.slices.rules import NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One metric that is compared, in all cases or in those of one slice."""

    check: SideCheck
    aggregate: str
    rule: MarginRule | None
    gates: bool
    slice: str | None = None
    rows: Bools | None = None


class Asking:
    """What the rules ask of the checks that both sides have."""

    def __init__(self, base: Side, checks: Mapping[str, SideCheck], rules: ComparisonRules):
        self._base = base
        self._checks = checks
        self._rules = rules
        self._refuse_unknown()

    @property
    def slices(self) -> list[str]:
        """The slices whose values have to be known."""
        named = [rule.by for rule in self._rules.margins if rule.by]
        return list(dict.fromkeys([*named, *self._rules.slices]))

    def metrics(self, paired: Paired) -> list[Asked]:
        """Every metric: what the rules name, and beside it all that was measured."""
        asked: list[Asked] = []
        named = {(rule.check, self._aggregate(rule)) for rule in self._rules.margins if not rule.by}
        for rule in self._rules.margins:
            asked += self._by_rule(rule, paired)
        gating = self._gating()
        for check in self._checks.values():
            aggregates = ["pass_rate"] if self.ruled(check) else ["mean"]
            if aggregates == ["pass_rate"] and not _is_binary(paired.checks[check.name]):
                aggregates.append("mean")
            for position, aggregate in enumerate(aggregates):
                if (check.name, aggregate) not in named:
                    gates = check.name in gating and position == 0
                    asked.append(Asked(check=check, aggregate=aggregate, rule=None, gates=gates))
                asked += [
                    Asked(
                        check=check, aggregate=aggregate, rule=None, gates=False,
                        slice=f"{name}={value}", rows=rows,
                    )
                    for name in self._rules.slices
                    for value, rows in _values(paired, name)
                ]  # fmt: skip
        return asked

    def _by_rule(self, rule: MarginRule, paired: Paired) -> list[Asked]:
        check, aggregate = self._checks[rule.check], self._aggregate(rule)
        if rule.by is None:
            return [Asked(check=check, aggregate=aggregate, rule=rule, gates=True)]
        values = _values(paired, rule.by)
        if not values:
            raise UsageError(
                f"no case has a value in the slice `{rule.by}`",
                hint="declare the slice in the suite, and run both sides again",
            )
        return [
            Asked(
                check=check, aggregate=aggregate, rule=rule, gates=value != NONE,
                slice=f"{rule.by}={value}", rows=rows,
            )
            for value, rows in values
        ]  # fmt: skip

    def _gating(self) -> set[str]:
        """The checks that gate where no rule names any: those that can fail a case.

        Where no check has a pass rule, as in a table of scores, those without a
        unit; else all. A comparison that could not fail would mean nothing.
        """
        if self._rules.margins:
            return set()
        checks = self._checks.values()
        for chosen in (
            {check.name for check in checks if self.ruled(check)},
            {check.name for check in checks if not check.unit},
        ):
            if chosen:
                return chosen
        return set(self._checks)

    def _aggregate(self, rule: MarginRule) -> str:
        return rule.of or ("pass_rate" if self.ruled(self._checks[rule.check]) else "mean")

    def ruled(self, check: SideCheck) -> bool:
        """Whether the check has a pass rule on both sides."""
        other = next(each for each in self._base.checks if each.name == check.name)
        return check.rule is not None and other.rule is not None

    def _refuse_unknown(self) -> None:
        for rule in self._rules.margins:
            if rule.check not in self._checks:
                raise NotFound.among("check on both sides", rule.check, self._checks)
            if rule.of == "pass_rate" and not self.ruled(self._checks[rule.check]):
                raise UsageError(
                    f"`{rule.check}` has no pass rule on both sides, so it has no pass rate",
                    hint="compare its mean: `of: mean`",
                )


def _values(paired: Paired, name: str) -> list[tuple[str, Bools]]:
    """The values of a slice, with the pairs that have each."""
    of_case = paired.slices[name]
    column = np.array(of_case, dtype=object)
    return [
        (value, np.asarray(column == value, dtype=bool))
        for value in sorted({value for value in of_case if value})
    ]


def _is_binary(found: CheckPair) -> bool:
    return found.base.binary and found.head.binary
