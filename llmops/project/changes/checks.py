"""What a check rests on besides the answer: a judge's prompt and model, files, code, packages."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from llmops.evals.calibration.file import FOLDER as CALIBRATIONS
from llmops.evals.suite_file import CheckSection
from llmops.project.changes.code import CodeChanges
from llmops.project.changes.files import FileChanges
from llmops.project.changes.named import NamedChanges, texts
from llmops.project.changes.packages import package_changes
from llmops.project.changes.prompts import PromptChanges
from llmops.scorers.building import BUILT_IN
from llmops.scorers.options import wants_services
from llmops.scorers.ragas.catalogue import METRICS, PREFIX

if TYPE_CHECKING:
    from llmops.project.project import Project


class CheckChanges:
    """The checks of suites now beside what they rested on at a revision."""

    def __init__(
        self, project: Project, files: FileChanges, prompts: PromptChanges, named: NamedChanges
    ):
        self._project = project
        self._files = files
        self._named = named
        self._code = CodeChanges(project, files, prompts)

    def changes(self, check: CheckSection, suite: str) -> Iterator[str]:
        """What changed of all that a check rests on; `suite` is the path of its file."""
        options = {**_defaults(check.scorer), **check.options}
        for text in texts(options):
            yield from self._named.changes(text, suite)
        for what in (*self._own(check.scorer, suite), *self._asked(check.scorer, options)):
            yield f"scorer {check.scorer}: {what}"
        if check.calibration is not None:
            yield from self._calibration(check.calibration, suite)

    def _own(self, scorer: str, suite: str) -> Iterator[str]:
        """Of what is not built in: the project's code, and the packages that bring it."""
        if scorer in BUILT_IN:
            return
        if not _is_ragas(scorer):
            yield from self._code.changes(scorer, suite)
        for path in self._packages:
            yield f"{path} changed"

    def _asked(self, scorer: str, options: Mapping[str, Any]) -> Iterator[str]:
        """Of the models that are asked without being named by an option."""
        if _is_foreign(scorer):
            for name in self._project.config.models:
                if self._code.may_ask(scorer, name):
                    yield from self._named.of_model(name)
            yield from self._named.of_model(None)
        elif not (_asks_models(scorer) and options.get("model") is None):
            return
        prompts = [self._named.prompt(text) for text in texts(options)]
        models = {prompt.model for prompt in prompts if prompt is not None}
        for model in models or {None}:
            yield from self._named.of_model(model)

    def _calibration(self, name: str, suite: str) -> Iterator[str]:
        """Of the judge's measurement, in whichever folder above the suite it lies."""
        for folder in PurePosixPath(suite).parents:
            path = (folder / CALIBRATIONS / name).as_posix()
            for each in (f"{path}.json", f"{path}.yaml"):
                yield from self._named.changes_of_file(each)

    @cached_property
    def _packages(self) -> tuple[str, ...]:
        return tuple(package_changes(self._files, self._project.root))


def _is_ragas(scorer: str) -> bool:
    return scorer.startswith(PREFIX) and ":" not in scorer


def _is_foreign(scorer: str) -> bool:
    """Whether it is the project's own or a plugin's, of which nothing else is known."""
    return scorer not in BUILT_IN and not _is_ragas(scorer)


def _asks_models(scorer: str) -> bool:
    if _is_ragas(scorer):
        metric = METRICS.get(scorer.removeprefix(PREFIX))
        return metric is None or metric.asks_model
    found = _made_by(scorer)
    return isinstance(found, type) and wants_services(found)


def _defaults(scorer: str) -> dict[str, str]:
    """The texts that are options by default, such as the name of a judge's prompt."""
    if scorer not in BUILT_IN:
        return {}
    parameters = inspect.signature(_made_by(scorer)).parameters.values()
    return {each.name: each.default for each in parameters if isinstance(each.default, str)}


def _made_by(scorer: str) -> Any:
    module, _, attribute = BUILT_IN[scorer].partition(":")
    return getattr(import_module(module), attribute)
