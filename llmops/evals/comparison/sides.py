"""One side of a comparison: a run of ours, or results of another tool, read as the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from llmops.evals.results import CaseResult, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCheck:
    """A check as one side measured it."""

    name: str
    scorer: str = ""
    version: str = ""
    rule: str | None = None
    """The pass rule as text; `None` for a check that only measures."""
    unit: str = ""
    """What the score counts; empty for a ratio in [0, 1]."""
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class Side:
    """Results to compare, by case and repeat."""

    label: str
    """What a person calls it: a file, a folder, `main (1a2b3c4)`."""
    kind: str
    """Who wrote it: `llmops`, `promptfoo`, `inspect`, …"""
    checks: tuple[SideCheck, ...]
    results: Callable[[], Iterator[CaseResult]]
    """Every result, all repeats of a case next to each other; can be read again and again."""
    repeats: int = 1
    """Results with a repeat at or above it confirm a finding and count in no estimate."""
    identity: Mapping[str, str] = field(default_factory=dict)
    """What has to agree on both sides for a comparison to make sense: `suite`, `dataset`, …"""
    subject: Mapping[str, str] = field(default_factory=dict)
    """What was judged: `prompt`, `model`, `sampling`, … Where it agrees, both sides asked the
    same, and what differs is noise."""
    selection: str | None = None
    """Which cases were asked for, where it is known: sides that differ in it were meant to."""
    total: int | None = None
    """Cases of the dataset, where known."""
    command: str = ""
    notes: tuple[str, ...] = ()
    """What a reader must know of how it was read."""


def side_of(report: Report, label: str) -> Side:
    """A report of ours as a side."""
    summary = report.summary
    made_from = summary.made_from
    return Side(
        label=label,
        kind="llmops",
        checks=tuple(
            SideCheck(
                name=check.name,
                scorer=check.scorer,
                version=check.version,
                rule=check.rule,
                unit=check.unit,
                higher_is_better=check.higher_is_better,
            )
            for check in summary.checks
        ),
        results=report.results,
        repeats=summary.repeats,
        identity={name: made_from[name] for name in ("suite", "dataset") if name in made_from},
        subject={
            name: made_from[name]
            for name in ("prompt", "model", "model identity", "sampling")
            if name in made_from
        },
        selection=_selection(made_from),
        total=summary.dataset.get("rows"),
        command=summary.command,
    )


def _selection(made_from: Mapping[str, str]) -> str | None:
    asked = [f"{name} {made_from[name]}" for name in ("selection", "limit") if name in made_from]
    return ", ".join(asked) or None
