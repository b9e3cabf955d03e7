"""Which suites a selection takes, how many of their cases, and why: before any model is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.core.documents import load_yaml
from llmops.core.errors import NotFound, UsageError
from llmops.core.files import relative
from llmops.evals.choosing import choose_cases, nothing_chosen
from llmops.evals.rows import read_rows
from llmops.evals.selection import Selection, SuiteFacts
from llmops.evals.suite_file import SuiteFile
from llmops.project.revision import ProjectRevision
from llmops.project.state import ProjectState
from llmops.project.suite import is_report
from llmops.prompts.prompt import SUFFIX
from llmops.prompts.refs import PromptRef

if TYPE_CHECKING:
    from llmops.project.project import Project
    from llmops.project.suite import ProjectSuite


@dataclass(frozen=True, kw_only=True)
class PlannedSuite:
    """One suite, and how much of it a selection takes."""

    suite: ProjectSuite
    cases: int
    """That would run here."""
    selected: int
    """Of all shards together."""
    total: int
    """In the dataset."""
    touched: int | None = None
    """That differ from the base; `None` without one."""
    reasons: tuple[str, ...] = ()
    """Why they differ."""

    def to_json(self) -> dict[str, Any]:
        """The suite's part of the plan, for programs."""
        return {
            "suite": self.suite.name,
            "cases": self.cases,
            "selected": self.selected,
            "total": self.total,
            "touched": self.touched,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """All suites that were looked at."""

    selection: Selection
    """With the base that `state:` is about, ready to be run."""
    base: str | None
    """What a person calls the base."""
    suites: tuple[PlannedSuite, ...]
    removed: tuple[str, ...] = ()
    """The names of suites that only the base has, which nothing judges any more."""

    @property
    def running(self) -> tuple[PlannedSuite, ...]:
        """The suites with cases to run."""
        return tuple(each for each in self.suites if each.cases)

    @property
    def sentence(self) -> str:
        """How much of how much would run, and why so."""
        cases = sum(each.cases for each in self.suites)
        total = sum(each.total for each in self.suites)
        selected = sum(each.selected for each in self.suites)
        if selected and not cases:
            return f"nothing in shard {self.selection.shard}: 0 of {selected:,} selected cases"
        if not cases:
            return f"nothing that this revision touches: 0 of {total:,} cells"
        said = (
            f"{cases:,} of {total:,} cases in {len(self.running):,} of {len(self.suites):,} suites"
        )
        if self.selection.asks_for_state:
            said += f", by what differs from {self.base}"
        return f"{said} (shard {self.selection.shard})" if self.selection.shard else said

    def to_json(self) -> dict[str, Any]:
        """The plan, for programs."""
        return {
            "schema": "llmops.evals.plan/1",
            "base": self.base,
            "selection": self.selection.text or None,
            "exclude": self.selection.excluded or None,
            "shard": str(self.selection.shard) if self.selection.shard else None,
            "cases": sum(each.cases for each in self.suites),
            "total": sum(each.total for each in self.suites),
            "nothing": not self.running,
            "told": self.sentence,
            "suites": [each.to_json() for each in self.suites],
            "removed": list(self.removed),
        }


def plan_suites(
    project: Project,
    names: Sequence[str],
    selection: Selection,
    *,
    base: str | None = None,
    model: str | None = None,
) -> EvaluationPlan:
    """What `selection` takes of the suites of those names, or of all; `base` is a git revision.

    It takes nothing in two cases that are no mistake: nothing differs from the
    base in what the selection's other words take, or this shard got none of
    the cases. Any other selection of nothing is a `UsageError` that says why.
    """
    if base is not None and is_report(base):
        raise UsageError(
            f"`state:` says what differs from a git revision, and `{base}` is a report",
            hint="say `--base REVISION`, or select by something else",
        )
    state = (
        ProjectState(project, ProjectRevision(project.root, base), model=model)
        if base is not None
        else None
    )
    if state is not None:
        selection = selection.against(state.cells)
    chosen = [project.suite(name) for name in names] if names else project.suites()
    if not chosen:
        raise UsageError("there is no suite yet", hint="a suite is a YAML file in the evals folder")
    distinct = {suite.name: suite for suite in chosen}
    planned = tuple(_planned(project, each, selection, state) for each in distinct.values())
    if not any(each.selected for each in planned):
        _refuse_nothing(project, planned, selection)
    return EvaluationPlan(
        selection=selection,
        base=state.label if state else None,
        suites=planned,
        removed=tuple(state.removed()) if state else (),
    )


def no_suite_named(project: Project) -> UsageError:
    """The error for a run that neither names a suite nor selects any."""
    names = [suite.name for suite in project.suites()]
    return UsageError(
        "no suite is named, and no selection is given",
        hint=(NotFound.among("suite", "", names).hint or "") + "; `--select 'suite:*'` runs all",
    )


def _planned(
    project: Project, suite: ProjectSuite, selection: Selection, state: ProjectState | None
) -> PlannedSuite:
    cells = state.of(suite).cells if state else None
    touched = len(cells.modified) if cells else None
    reasons = cells.reasons if cells else ()
    facts, dataset = _facts(project, suite)
    meant = selection.of(facts)
    if meant.is_empty or (meant.is_of_changes and not touched):
        return PlannedSuite(
            suite=suite,
            cases=0,
            selected=0,
            total=cells.total if cells else sum(1 for _ in read_rows(dataset)),
            touched=touched,
            reasons=reasons,
        )
    loaded = suite.load()
    found = choose_cases(loaded, project.prompt(loaded.subject.prompt), selection).scan
    return PlannedSuite(
        suite=suite,
        cases=found.selected,
        selected=found.before_shard,
        total=found.rows,
        touched=touched,
        reasons=reasons,
    )


def _facts(project: Project, suite: ProjectSuite) -> tuple[SuiteFacts, Path]:
    """What a selection can ask of a suite, without its scorers, and where its dataset is."""
    file = load_yaml(suite.path).validate(SuiteFile)
    dataset = suite.path.parent / file.dataset.file
    prompt = project.folder("prompts") / f"{PromptRef.parse(file.subject.prompt).name}{SUFFIX}"
    root = project.root
    return (
        SuiteFacts(
            name=suite.name,
            tags=file.tags,
            paths=(
                relative(suite.path, root),
                relative(dataset.resolve(), root.resolve()),
                relative(prompt, root.resolve()),
            ),
        ),
        dataset,
    )


def _refuse_nothing(
    project: Project, planned: tuple[PlannedSuite, ...], selection: Selection
) -> None:
    """Raise unless it is for lack of changes alone that nothing is selected."""
    if selection.asks_for_state:
        regardless = selection.whatever_changed()
        if any(_planned(project, each.suite, regardless, None).selected for each in planned):
            return
    if len(planned) == 1:
        loaded = planned[0].suite.load()
        prompt = project.prompt(loaded.subject.prompt)
        raise nothing_chosen(loaded, selection, choose_cases(loaded, prompt, selection).scan)
    total = sum(each.total for each in planned)
    raise UsageError(
        f"`{selection}` selects none of the {total:,} cases of {len(planned)} suites",
        hint="`llmops eval list` shows the suites; ids and tags are in their datasets",
    )
