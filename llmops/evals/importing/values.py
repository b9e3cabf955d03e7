"""What is read from a source, before files are planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.prompts.exchange.values import Imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A check as a suite has it: a scorer, its options, and the rule of its score."""

    scorer: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rule: str = "== 1"
    weight: float = 1.0
    name: str | None = None

    def section(self) -> dict[str, Any]:
        """As an entry of a suite's `checks`."""
        named = {"name": self.name} if self.name else {}
        options = {"options": dict(self.options)} if self.options else {}
        return {"scorer": self.scorer, **named, **options, "pass": self.rule}

    def record(self) -> dict[str, Any]:
        """As an entry of a case's own assertions."""
        weight = {"weight": self.weight} if self.weight != 1 else {}
        section = self.section()
        section.pop("name", None)
        return section | weight


@dataclass(frozen=True, kw_only=True)
class ImportedSuite:
    """A suite with all that it needs."""

    name: str
    """Its file's name, without folder and suffix."""
    description: str
    prompt: Imported
    rows: tuple[Mapping[str, Any], ...]
    """The dataset: `id`, the prompt's variables, and what is expected."""
    inputs: tuple[str, ...]
    checks: tuple[Mapping[str, Any], ...]
    gate: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 1
    expected: bool = False
    """Whether rows have something expected."""


@dataclass(frozen=True, kw_only=True)
class ImportedSuites:
    """All suites of a source, and what a reader must know."""

    suites: tuple[ImportedSuite, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """What is not checked any more."""
