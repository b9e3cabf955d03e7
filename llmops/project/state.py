"""What a revision touches: which suites, and which of their cases, and why.

    project now ┐
                ├─ ProjectState ──→ SuiteState ──→ Cells
    revision ───┘

A suite of which every input is the same to the byte is untouched, and is not
looked at further. Of the others each case is rendered with both prompts: a
cell is untouched if the messages, the sampling, the answer's schema, the model,
the scorers, and the row of the dataset are the same on both sides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.core.documents import load_yaml
from llmops.core.errors import DocumentError, UsageError
from llmops.core.files import relative
from llmops.evals.cells import Cell, cells
from llmops.evals.dataset import Dataset
from llmops.evals.rows import read_rows
from llmops.evals.subject import PromptQuestions, bind_columns
from llmops.evals.suite import Suite
from llmops.evals.suite_file import SuiteFile
from llmops.project.changes.data import PastData, past_data
from llmops.project.changes.files import FileChanges, beside
from llmops.project.changes.prompts import PromptChanges
from llmops.project.changes.suites import Cause, SuiteChanges, SuiteOnBothSides
from llmops.project.revision import ProjectRevision

if TYPE_CHECKING:
    from llmops.project.project import Project
    from llmops.project.suite import ProjectSuite
    from llmops.prompts import Prompt


ROWS = Cause(what="dataset changed", whole=False)
"""Some rows differ; how many is told when they are looked at."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cases of a suite, and which of them a revision touches."""

    total: int
    """Cases in the dataset now."""
    modified: frozenset[str]
    """The ids of those that differ from the base, new ones included."""
    new: frozenset[str]
    """The ids of those that the base does not have."""
    reasons: tuple[str, ...]
    """Why, in words."""

    def has_state(self, case: str, state: str) -> bool:
        """Whether the case of that id is `modified` or `new`."""
        return case in (self.new if state == "new" else self.modified)


class ProjectState:
    """A project as it is in the working tree, beside a revision of it."""

    def __init__(self, project: Project, revision: ProjectRevision, *, model: str | None = None):
        """`model` answers instead of the suites' own, on both sides.

        Raises `DocumentError` or `NotFound` where the revision has no project.
        """
        self.project = project
        self.revision = revision
        self.files = FileChanges(revision.tree)
        prompts = PromptChanges(project, revision, self.files)
        self.changes = SuiteChanges(project, revision, self.files, prompts, model=model)
        self._suites: dict[str, SuiteState] = {}

    @property
    def label(self) -> str:
        """What a person calls the base: `main (1a2b3c4)`."""
        return self.revision.label

    def suites(self) -> list[SuiteState]:
        """All suites of the project now, sorted by name."""
        return [self.of(suite) for suite in self.project.suites()]

    def suite(self, name: str) -> SuiteState:
        """One suite; `NotFound` suggests the nearest."""
        known = self._suites.get(name)
        return known if known is not None else self.of(self.project.suite(name))

    def removed(self) -> list[str]:
        """The names of suites that only the base has, sorted."""
        here = {suite.name for suite in self.project.suites()}
        return [name for name in self.revision.suite_names() if name not in here]

    def cells(self, suite: str) -> Cells:
        """The cells of a suite, for a `Selection` that asks for `state:`."""
        return self.suite(suite).cells

    def of(self, suite: ProjectSuite) -> SuiteState:
        """A suite of the project that is at hand already."""
        if suite.name not in self._suites:
            self._suites[suite.name] = SuiteState(self, suite)
        return self._suites[suite.name]


class SuiteState:
    """One suite beside the same suite at the revision."""

    def __init__(self, state: ProjectState, suite: ProjectSuite):
        self.suite = suite
        self.name = suite.name
        self._state = state

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """What differs, told without rendering a case; empty if every input is the same.

        Raises `DocumentError` for a suite of now that cannot be read.
        """
        both = self._both
        if both is None:
            return (Cause(what=self._why_new, whole=True),)
        found = list(dict.fromkeys(self._state.changes.causes(both)))
        data = self._data
        if data is not None and not data.same:
            lacking = Cause(what=f"dataset: {data.lacking}", whole=True)
            found.append(lacking if data.content is None else ROWS)
        return tuple(found)

    @cached_property
    def cells(self) -> Cells:
        """Which cases are touched, told by rendering each with both prompts where needed.

        Raises `UsageError` for a suite that cannot be run on its dataset.
        """
        if not self.causes:
            return self._untouched
        suite = self.suite.load()
        prompt = self._state.project.prompt(suite.subject.prompt)
        dataset = Dataset(suite.dataset_path, bind_columns(suite, prompt))
        now = dict(cells(PromptQuestions(suite, prompt), dataset.every()))
        then = self._past_cells(suite)
        everything = frozenset(now)
        reasons = [each.what for each in self.causes if each is not ROWS]
        if then is None:
            new: frozenset[str] = everything if self._both is None else frozenset()
            return Cells(total=len(now), modified=everything, new=new, reasons=tuple(reasons))
        differing = (id_ for id_, cell in now.items() if _differs(cell, then.get(id_)))
        return Cells(
            total=len(now),
            modified=everything if self.is_whole else frozenset(differing),
            new=everything - then.keys(),
            reasons=(*reasons, *_of_rows(now, then)),
        )

    @property
    def _untouched(self) -> Cells:
        # Without its scorers, which may take seconds to load.
        path = self.suite.path.parent / load_yaml(self.suite.path).validate(SuiteFile).dataset.file
        total = sum(1 for _ in read_rows(path))
        return Cells(total=total, modified=frozenset(), new=frozenset(), reasons=())

    @property
    def is_whole(self) -> bool:
        """Whether every case is touched."""
        return any(each.whole for each in self.causes)

    @cached_property
    def _file(self) -> str:
        return relative(self.suite.path, self._state.project.root)

    @cached_property
    def _both(self) -> SuiteOnBothSides | None:
        now = load_yaml(self.suite.path).validate(SuiteFile)
        if self.name not in self._state.revision.suite_names():
            return None
        then = now if self._state.files.is_same(self._file) else self._past
        return SuiteOnBothSides(path=self._file, now=now, then=then) if then else None

    @cached_property
    def _past(self) -> SuiteFile | None:
        try:
            return self._state.revision.suite(self.name)
        except DocumentError:
            return None  # of another version of the format; nothing can be said of it

    @property
    def _why_new(self) -> str:
        known = self.name in self._state.revision.suite_names()
        return "suite: cannot be read as it was" if known else "suite: new"

    @cached_property
    def _data(self) -> PastData | None:
        """The dataset as it was; `None` for a suite that was not there."""
        both = self._both
        if both is None:
            return None
        now, then = (beside(self._file, each.dataset.file) for each in (both.now, both.then))
        return past_data(self._state.files, now, then, self._state.project.root)

    def _past_cells(self, suite: Suite) -> Mapping[str, Cell] | None:
        """The cells as they were; `None` where prompt or dataset of then cannot be had."""
        both, data = self._both, self._data
        if both is None or data is None:
            return None
        prompt = self._state.changes.subject(both).then
        if prompt is None or (data.content is None and not data.same):
            return None
        if data.same:
            return self._rendered(suite, prompt, suite.dataset_path)
        with tempfile.TemporaryDirectory(prefix="llmops-") as folder:
            path = Path(folder, Path(both.then.dataset.file).name)
            path.write_bytes(data.content or b"")
            return self._rendered(replace(suite, dataset_path=path), prompt, path)

    @staticmethod
    def _rendered(suite: Suite, prompt: Prompt, path: Path) -> Mapping[str, Cell] | None:
        try:
            dataset = Dataset(path, bind_columns(suite, prompt))
            return dict(cells(PromptQuestions(suite, prompt), dataset.every()))
        except UsageError:
            return None  # the base did not fit its own dataset, so there is nothing to keep


def _differs(now: Cell, then: Cell | None) -> bool:
    return then is None or now != then or now.messages is None


def _of_rows(now: Mapping[str, Cell], then: Mapping[str, Cell]) -> Iterator[str]:
    """What became of the dataset's rows, as one line; nothing if they are the same."""
    counts = {
        "added": len(now.keys() - then.keys()),
        "edited": sum(1 for id_ in now.keys() & then.keys() if now[id_].row != then[id_].row),
        "removed": len(then.keys() - now.keys()),
    }
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    if said:
        yield f"dataset: cases {said}"
