"""What a suite requires of a judge: to be the one that was calibrated, and good enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from llmops.core.errors import UsageError, Where
from llmops.core.scoring import Check, Rule, Scorer
from llmops.evals.calibration.artifact import Calibration, Figure, read_calibration
from llmops.evals.calibration.file import find_calibration


@runtime_checkable
class Calibrated(Protocol):
    """A scorer that can say what decides on its scores."""

    @property
    def made_from(self) -> Mapping[str, str]:
        """Each part with its fingerprint or value."""
        ...


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One check's calibration, and the rules that its figures must satisfy."""

    name: str
    check: str
    path: Path
    """Of the artifact."""
    rules: Mapping[str, Rule]
    where: Where

    @classmethod
    def read(
        cls,
        name: str,
        rules: Mapping[str, str],
        *,
        check: Check,
        folder: Path,
        root: Path,
        where: Where,
    ) -> Requirement:
        """What the suite in `folder` says; `UsageError`, with its line, for what cannot be."""
        try:
            if not isinstance(check.scorer, Calibrated):
                raise UsageError(
                    f"`{check.scorer.name}` is no judge: there is nothing to calibrate"
                )
            parsed = {figure: Rule.parse(rule) for figure, rule in rules.items()}
            path = find_calibration(name, folder.resolve(), root.resolve()).with_suffix(".json")
        except UsageError as error:
            error.where = where
            raise
        return cls(name=name, check=check.name, path=path, rules=parsed, where=where)

    @cached_property
    def calibration(self) -> Calibration:
        """The artifact; `UsageError` when it was not made yet."""
        if not self.path.is_file():
            raise UsageError(
                f"the judge of `{self.check}` is not calibrated: there is no {self.path.name}",
                hint=f"make and commit it: {self._command}",
                where=self.where,
            )
        return read_calibration(self.path)

    def verify(self, scorer: Scorer) -> None:
        """Raise `UsageError` unless `scorer` is the judge that was measured, and good enough.

        The rules are held against the figures themselves, not against the ends
        of their intervals: those are for the person who sets the rule. How the
        label comes out of the model is compared once the judge knows it.
        """
        measured = self.calibration.judge.made_from
        here = scorer.made_from if isinstance(scorer, Calibrated) else {}
        known = here.keys() | (measured.keys() - {"answers"})
        other = sorted(part for part in known if here.get(part) != measured.get(part))
        if other:
            part = other[0]
            raise UsageError(
                f"the judge of `{self.check}` is not the one that was calibrated: "
                f"{', '.join(f'`{each}`' for each in other)} "
                f"{'differs' if len(other) == 1 else 'differ'} "
                f"(`{part}` was {_short(measured.get(part))}, is {_short(here.get(part))})",
                hint=f"calibrate it anew: {self._command}",
                where=self.where,
            )
        for figure, rule in self.rules.items():
            found = self.calibration.figures.get(figure)
            if found is None or not rule.holds(found.value):
                raise UsageError(
                    f"the judge of `{self.check}` is not good enough: its {figure} "
                    f"{spelled(found)}, and `{rule}` is required",
                    hint="improve its prompt or take another model, then "
                    f"{self._command}; or judge without a model",
                    where=self.where,
                )

    def record(self) -> dict[str, Any]:
        """What a report says of the calibration."""
        found = self.calibration
        return {
            "name": self.name,
            "date": found.date,
            "cases": found.counts.scored - found.counts.unlabelled,
            "requires": {figure: str(rule) for figure, rule in self.rules.items()},
            "figures": {
                name: None if figure is None else [figure.value, figure.low, figure.high]
                for name, figure in found.figures.items()
            },
        }

    @property
    def _command(self) -> str:
        return f"`llmops eval calibrate {self.name}`"


def spelled(figure: Figure | None) -> str:
    """A figure for a sentence.

    >>> spelled(Figure(value=0.021, low=-0.1, high=0.14)), spelled(None)
    ('is 0.02 (-0.10 to 0.14)', 'cannot be told')
    """
    if figure is None:
        return "cannot be told"
    if figure.low is None or figure.high is None:
        return f"is {figure.value:.2f}"
    return f"is {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def _short(value: str | None) -> str:
    if value is None:
        return "nothing"
    return f"`{value}`" if len(value) <= 48 else f"`{value[:47]}…`"
