"""A review: what changed between two revisions, and what the touched suites say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from llmops.core.errors import ExitCode
from llmops.evals.results import Report
from llmops.prompts.comparison.selection import Comparison as PromptComparison


class FileKind(StrEnum):
    """What a file is to the project."""

    PROMPT = "prompt"
    PARTIAL = "part of prompts"
    SUITE = "suite"
    DATASET = "dataset"
    BASELINE = "baseline"
    SCORER = "scorer"
    CALIBRATION = "calibration"
    PROBE = "fairness probe"
    POLICY = "policy"
    CONFIGURATION = "configuration"
    LOCK = "prompt lock"


class FileState(StrEnum):
    """What became of a file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A file of the project that differs between the revisions."""

    path: str
    """Relative to the project, with slashes."""
    kind: FileKind
    state: FileState


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteReview:
    """A suite that the change touches, and what its run found."""

    name: str
    path: Path
    """Its file."""
    state: FileState | None = None
    """`None` where the suite's own file stayed."""
    reasons: tuple[str, ...] = ()
    """Why it is touched: `prompt qa/answer`."""
    prompt: str | None = None
    """The name of the prompt that it asks."""
    selected: int | None = None
    """Cases that the change touches, of which all are run."""
    run: int | None = None
    """Cases that were run; `None` where nothing was run."""
    total: int | None = None
    """Cases of its dataset, where known."""
    repeats: int = 1
    report: Report | None = None
    error: str | None = None
    """Why there is no report."""
    error_code: ExitCode = ExitCode.INCONCLUSIVE
    command: str = ""
    """The command that runs this suite again."""

    @property
    def exit_code(self) -> ExitCode:
        """What this suite alone makes of the review."""
        if self.error is not None:
            return self.error_code
        if self.report is None:
            return ExitCode.PASSED
        codes = {self.report.summary.decision.exit_code}
        if self.report.comparison is not None:
            codes.add(self.report.comparison.decision.exit_code)
        return _worst(codes)

    @property
    def outcome(self) -> str:
        """`passed`, `failed`, `inconclusive`, or `not run`."""
        if self.report is None and self.error is None:
            return "not run"
        return outcome_of(self.exit_code)


@dataclass(frozen=True, kw_only=True)
class Review:
    """A change, reviewed."""

    base: str
    """What a person calls the base: `main (1a2b3c4)`."""
    head: str
    prompts: PromptComparison | None
    """What became of the prompts; `None` where there are none to compare."""
    files: tuple[ChangedFile, ...]
    suites: tuple[SuiteReview, ...]
    """The suites that the change touches."""
    suites_total: int
    """Suites of the project."""
    cases_total: int | None = None
    """Cases of all suites of the project, where known."""
    ran: bool = True
    """Whether suites were run at all."""
    command: str = ""
    """The command that makes this review again."""
    root: Path = field(default_factory=Path)
    """The root of the git repository, from which paths are told."""
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """1 a regression or a failed gate, 2 a broken suite, 3 inconclusive, else 0."""
        return _worst({each.exit_code for each in self.suites})

    @property
    def outcome(self) -> str:
        """`passed`, `failed` or `inconclusive`."""
        return outcome_of(self.exit_code)

    @property
    def changed(self) -> bool:
        """Whether anything changed that a suite or a prompt is made of."""
        return bool(self.files) or bool(self.prompts and self.prompts.prompts)

    @property
    def cases_run(self) -> int:
        """Cases that were run, over all suites."""
        return sum(each.run or 0 for each in self.suites)

    @property
    def reason(self) -> str:
        """One sentence that says how it came out."""
        return _reason(self)


def outcome_of(code: ExitCode) -> str:
    """The word of a report's decision for an exit code."""
    if code == ExitCode.PASSED:
        return "passed"
    return "inconclusive" if code == ExitCode.INCONCLUSIVE else "failed"


def _worst(codes: set[ExitCode]) -> ExitCode:
    order = (ExitCode.FAILED, ExitCode.USAGE, ExitCode.INCONCLUSIVE)
    return next((code for code in order if code in codes), ExitCode.PASSED)


_SAID = (("failed", "worse or failed"), ("inconclusive", "not decided"), ("passed", "no worse"))


def _reason(review: Review) -> str:
    if not review.changed:
        return "nothing changed that a prompt or a suite is made of"
    if not review.suites:
        return "no suite is touched by what changed"
    if not review.ran:
        return f"{_suites(len(review.suites))} touched; nothing was run"
    told: list[str] = []
    for word, said in _SAID:
        names = [each.name for each in review.suites if each.outcome == word]
        if names:
            listed = ", ".join(f"`{name}`" for name in names[:5])
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            told.append(f"{said}: {listed}{more}")
    return "; ".join(told)


def _suites(count: int) -> str:
    return "1 suite is" if count == 1 else f"{count} suites are"
