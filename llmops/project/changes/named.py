"""What a text in a suite may name: a file, a prompt, a model. Whatever it may name counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.core.errors import UsageError
from llmops.project.changes.data import past_data
from llmops.project.changes.files import FileChanges, beside
from llmops.project.changes.models import model_change
from llmops.project.changes.prompts import PromptChanges
from llmops.project.config import ProjectConfig
from llmops.project.revision import ProjectRevision
from llmops.prompts import Prompt
from llmops.prompts.refs import PromptRef

LONGEST = 512
"""Characters of a text that may be a name."""


class NamedChanges:
    """What the texts of suites name now, beside what that was at a revision."""

    def __init__(
        self,
        *,
        config: ProjectConfig,
        root: Path,
        revision: ProjectRevision,
        files: FileChanges,
        prompts: PromptChanges,
    ):
        self._now = config
        self._root = root
        self._revision = revision
        self._files = files
        self._prompts = prompts

    def changes(self, text: str, suite: str) -> Iterator[str]:
        """All that changed of what `text` may name in the suite at that path."""
        for path in sorted(_paths(suite, text)):
            yield from self.changes_of_file(path)
        if text in self._now.models or text in self._then.models:
            yield from self.of_model(text)
        if self._is_prompt(text):
            prompt = self._prompts.at(text)
            if prompt.what is not None:
                yield f"prompt {text}: {prompt.what}"

    def changes_of_file(self, path: str) -> Iterator[str]:
        """What changed at a path, or below it, as far as git can tell."""
        for changed in self._files.below(path):
            yield f"{changed} changed"
        where = self._root / path
        inside = [where] if where.is_file() else where.rglob("*") if where.is_dir() else ()
        for each in inside:
            name = each.relative_to(self._root).as_posix()
            if each.is_dir() or "__pycache__" in each.parts or self._files.knows(name):
                continue
            if not past_data(self._files, name, name, self._root).same:
                yield f"git does not keep {name}, so whether it changed cannot be told"
                return

    def of_model(self, name: str | None) -> Iterator[str]:
        """What changed of a model; without a name, of the default one."""
        if changed := model_change(name, self._now, self._then):
            yield changed

    def prompt(self, text: str) -> Prompt | None:
        """The prompt of now that a text names, if it names one that can be read."""
        return self._prompts.at(text).now if self._is_prompt(text) else None

    @property
    def _then(self) -> ProjectConfig:
        return self._revision.config

    def _is_prompt(self, text: str) -> bool:
        try:
            return PromptRef.parse(text).name in self._prompts.names
        except UsageError:
            return False


def texts(value: Any) -> Iterator[str]:
    """Every text within a value that is short enough to name something, each once."""
    yield from dict.fromkeys(
        each for each in _within(value) if 0 < len(each) <= LONGEST and each.isprintable()
    )


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _within(key)
            yield from _within(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _within(each)


def _paths(suite: str, text: str) -> set[str]:
    """The paths that a text may be: beside the suite, and what looks like one in the project."""
    found = {beside(suite, text)}
    if "/" in text or "." in text:
        found.add(beside("", text))
    return {each for each in found if each != "." and not each.startswith(("..", "/"))}
