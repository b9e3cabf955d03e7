"""What the lock file says, as values: versions, moves of aliases, and their evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from llmops.prompts.deprecation import Deprecation
from llmops.prompts.versions import Version

# The same few numbers come back in thousands of lines.
_parsed = cache(Version.parse)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPart:
    """A partial or an examples file, as a version has it."""

    path: str
    """Relative to the prompts folder."""
    content: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedVersion:
    """One version of a prompt: which text it is, and what callers depend on."""

    prompt: str
    version: Version
    content: str
    """The content fingerprint: what reaches the model, and the interface."""
    interface: str
    blob: str
    """The git object that is the file's text."""
    parts: tuple[LockedPart, ...] = ()
    asked: bool = False
    """Whether a person chose a larger number than the change asked for."""
    deprecated: Deprecation | None = None
    line: int | None = field(default=None, compare=False, repr=False)
    """Where it stands in the lock file."""

    @classmethod
    def from_json(cls, entry: dict[str, Any], line: int) -> LockedVersion:
        """Read what `to_json` wrote."""
        deprecated = entry.get("deprecated")
        return cls(
            prompt=entry["prompt"],
            version=_parsed(entry["version"]),
            content=entry["content"],
            interface=entry["interface"],
            blob=entry["blob"],
            parts=tuple(
                LockedPart(path=path, content=part["content"], blob=part["blob"])
                for path, part in entry.get("includes", {}).items()
            ),
            asked=entry.get("asked", False),
            deprecated=Deprecation.from_json(deprecated) if deprecated is not None else None,
            line=line,
        )

    def to_json(self) -> dict[str, Any]:
        """The version's line, without its seal."""
        line: dict[str, Any] = {
            "prompt": self.prompt,
            "version": str(self.version),
            "content": self.content,
            "interface": self.interface,
            "blob": self.blob,
        }
        if self.parts:
            line["includes"] = {
                each.path: {"content": each.content, "blob": each.blob} for each in self.parts
            }
        if self.asked:
            line["asked"] = True
        if self.deprecated:
            line["deprecated"] = self.deprecated.to_json()
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evaluation that justified a move."""

    report: str
    """The run's id."""
    sha256: str
    """Of the report file."""
    suite: str
    cases: str
    """How many of how many were judged: `120 of 120`."""
    outcome: str

    @property
    def partial(self) -> bool:
        """Whether the run left cases of its dataset out.

        >>> Evidence(report="r", sha256="", suite="s", cases="10 of 120", outcome="passed").partial
        True
        """
        judged, _, rows = self.cases.partition(" of ")
        return judged != rows

    def to_json(self) -> dict[str, str]:
        """The evidence as the lock has it."""
        return {
            "report": self.report,
            "sha256": self.sha256,
            "suite": self.suite,
            "cases": self.cases,
            "outcome": self.outcome,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """That an alias was pointed to a version: from where, why, on which evidence, by whom."""

    prompt: str
    alias: str
    to: Version
    came_from: Version | None
    kind: Literal["promote", "rollback"] = "promote"
    why: str
    who: str
    at: str
    """ISO 8601, UTC."""
    evidence: Evidence | None = None
    forced: bool = False
    """Whether the evidence was waived."""
    line: int | None = field(default=None, compare=False, repr=False)
    """Where it stands in the lock file."""

    @classmethod
    def from_json(cls, entry: dict[str, Any], line: int) -> Move:
        """Read what `to_json` wrote."""
        evidence = entry.get("evidence")
        return cls(
            prompt=entry["prompt"],
            alias=entry["alias"],
            to=_parsed(entry["to"]),
            came_from=_parsed(entry["from"]) if entry["from"] else None,
            kind=entry["kind"],
            why=entry["why"],
            who=entry["who"],
            at=entry["at"],
            evidence=Evidence(**evidence) if evidence else None,
            forced=entry.get("forced", False),
            line=line,
        )

    def to_json(self) -> dict[str, Any]:
        """The move's line, without its seal."""
        line: dict[str, Any] = {
            "prompt": self.prompt,
            "alias": self.alias,
            "to": str(self.to),
            "from": str(self.came_from) if self.came_from else None,
            "kind": self.kind,
            "why": self.why,
            "who": self.who,
            "at": self.at,
        }
        if self.evidence:
            line["evidence"] = self.evidence.to_json()
        if self.forced:
            line["forced"] = True
        return line


@dataclass(frozen=True, kw_only=True)
class Block:
    """What the lock says of one prompt."""

    versions: tuple[LockedVersion, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def aliases(self) -> dict[str, Move]:
        """The last move of every alias, by its name."""
        return {move.alias: move for move in sorted(self.moves, key=lambda one: one.alias)}
