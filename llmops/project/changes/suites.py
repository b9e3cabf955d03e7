"""Why a suite may come out differently than at a revision, told without its cases.

A `Cause` touches the whole suite, or only some cases, which is for its cells to
say. Whatever cannot be followed to its end counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llmops.core.chat import Sampling
from llmops.evals.suite_file import SuiteFile
from llmops.project.changes.checks import CheckChanges
from llmops.project.changes.files import FileChanges
from llmops.project.changes.models import model_change
from llmops.project.changes.named import NamedChanges, texts
from llmops.project.changes.prompts import PromptChange, PromptChanges
from llmops.project.revision import ProjectRevision
from llmops.prompts import Prompt

if TYPE_CHECKING:
    from llmops.project.project import Project

FOR_PEOPLE = frozenset({"description", "tags", "concurrency"})
"""Keys of a suite on which no result depends."""
BY_CONTENT = frozenset({"subject", "dataset", "sampling"})
"""Keys of a suite that are compared by what they lead to."""
WITHOUT_NAMES = frozenset({"subject", "checks", "slices", "gate", "sampling"})
"""Keys that name no file, prompt or model, or are looked at by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that differs."""

    what: str
    whole: bool
    """Whether every case of the suite is touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOnBothSides:
    """A suite's file now and then; the path is relative to the project."""

    path: str
    now: SuiteFile
    then: SuiteFile


class SuiteChanges:
    """What differs in suites between a project now and a revision."""

    def __init__(
        self,
        project: Project,
        revision: ProjectRevision,
        files: FileChanges,
        prompts: PromptChanges,
        *,
        model: str | None,
    ):
        """`model` is answered by instead of the suites' own, on both sides."""
        self._now = project.config
        self._revision = revision
        self._prompts = prompts
        self._named = NamedChanges(
            config=project.config,
            root=project.root,
            revision=revision,
            files=files,
            prompts=prompts,
        )
        self._checks = CheckChanges(project, files, prompts, self._named)
        self._model = model

    def causes(self, suite: SuiteOnBothSides) -> Iterator[Cause]:
        """All that differs in a suite, apart from its dataset's content."""
        now, then = suite.now, suite.then
        yield from _sections(now, then)
        yield from self._subject(now, then)
        for text in texts(_others(now)):
            for what in self._named.changes(text, suite.path):
                yield Cause(what=what, whole=True)
        for check in now.checks:
            for what in self._checks.changes(check, suite.path):
                yield Cause(what=what, whole=True)

    def subject(self, suite: SuiteOnBothSides) -> PromptChange:
        """The prompt of a suite on both sides."""
        return self._prompts.at(suite.now.subject.prompt, suite.then.subject.prompt)

    def _subject(self, now: SuiteFile, then: SuiteFile) -> Iterator[Cause]:
        ref = now.subject.prompt
        prompt = self._prompts.at(ref, then.subject.prompt)
        if prompt.now is None or prompt.then is None:
            yield Cause(what=f"prompt {ref}: {prompt.what}", whole=True)
            return
        asked = _asked(now, prompt.now), _asked(then, prompt.then)
        if prompt.what is not None:
            yield Cause(what=f"prompt {ref}: {prompt.what}", whole=asked[0] != asked[1])
        elif asked[0] != asked[1]:
            yield Cause(what="sampling changed", whole=True)
        model = self._model or now.subject.model or prompt.now.model
        was = self._model or then.subject.model or prompt.then.model
        config = self._revision.config
        wanted, past = model or self._now.default_model, was or config.default_model
        if changed := model_change(wanted, self._now, config, was=past):
            yield Cause(what=changed, whole=True)


def _sections(now: SuiteFile, then: SuiteFile) -> Iterator[Cause]:
    """The keys of the suite's file that say something else, unless only people read them."""
    new, old = (each.model_dump(mode="json", by_alias=True) for each in (now, then))
    for side in (new, old):
        del side["dataset"]["path"], side["dataset"]["probes"]
    names = [
        name
        for name in new
        if name not in FOR_PEOPLE | BY_CONTENT | {"version"} and new[name] != old[name]
    ]
    if new["dataset"] != old["dataset"]:
        names.append("dataset")
    if names:
        yield Cause(what=f"suite: {', '.join(sorted(names))} changed", whole=True)


def _asked(file: SuiteFile, prompt: Prompt) -> tuple[Sampling, str]:
    """How the model is sampled, and what its answer must look like, spelled in its order."""
    import json

    own = {name: value for name, value in file.sampling.model_dump().items() if value is not None}
    return replace(prompt.sampling, **own), json.dumps(prompt.output_schema)


def _others(file: SuiteFile) -> dict[str, Any]:
    """The parts of a suite that may name something and are not looked at by themselves."""
    data = file.model_dump(mode="json", by_alias=True, exclude=set(FOR_PEOPLE | WITHOUT_NAMES))
    del data["dataset"]["path"], data["dataset"]["probes"]
    return data
