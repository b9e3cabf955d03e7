"""What a scorer of the project's own rests on: code, and the files that code speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llmops.core.documents import load_yaml
from llmops.core.errors import LlmopsError
from llmops.core.files import relative
from llmops.project.changes.files import FileChanges, beside
from llmops.project.changes.prompts import PromptChanges

if TYPE_CHECKING:
    from llmops.project.project import Project

HANDED = "services"
"""The parameter by which a scorer is handed all prompts and models."""


class CodeChanges:
    """The project's own code now beside that of a revision.

    Which file imports or reads which other one is not followed: any Python
    file counts, any file beside the scorer, and any that the code names. Code
    that is handed the project's prompts may ask for each of them.
    """

    def __init__(self, project: Project, files: FileChanges, prompts: PromptChanges):
        self._project = project
        self._files = files
        self._prompts = prompts

    def may_ask(self, scorer: str, name: str) -> bool:
        """Whether a scorer may ask for the prompt or model of that name.

        What is handed all of them may; nothing is known of a plugin's code.
        """
        return ":" not in scorer or HANDED in self._source or name in self._source

    def changes(self, scorer: str, suite: str) -> Iterator[str]:
        """What changed that a scorer may rest on, which the suite at that path names."""
        folder = self._folder_of(scorer, suite)
        for path in self._files.differing:
            beside_it = folder is not None and path.startswith(folder) and path not in self._roles
            if path.endswith(".py") or beside_it or PurePosixPath(path).name in self._source:
                yield f"{path} changed"
        for name in sorted(self._prompts.names):
            if self.may_ask(scorer, name) and (what := self._prompts.at(name).what):
                yield f"prompt {name}: {what}"
        if scorer.partition(":")[0].endswith(".py"):
            file = beside(suite, scorer.partition(":")[0])
            if not self._files.knows(file):
                yield f"git does not keep {file}, so whether it changed cannot be told"

    def _folder_of(self, scorer: str, suite: str) -> str | None:
        """The folder in which data of the scorer is looked for; none for the project's root."""
        file = scorer.partition(":")[0]
        if not file.endswith(".py"):
            folder = "/".join(file.split("."))
            known = any(path.startswith(f"{folder}/") for path in self._files.now)
            return f"{folder}/" if known else None
        folder = str(PurePosixPath(beside(suite, file)).parent)
        return None if folder == "." else f"{folder}/"

    @cached_property
    def _roles(self) -> frozenset[str]:
        """The files that are looked at in another place: suites, datasets and prompts."""
        found = {path for path in self._files.differing if path.endswith(".prompty")}
        for suite in self._project.suites():
            path = relative(suite.path, self._project.root)
            found.add(path)
            try:
                dataset = load_yaml(suite.path).data["dataset"]["path"]
            except (LlmopsError, KeyError, TypeError):
                continue  # told where that suite itself is looked at
            found.update((beside(path, str(dataset)), beside(path, f"{dataset}.dvc")))
        return frozenset(found)

    @cached_property
    def _source(self) -> str:
        """All code of the project, to look for names in it."""
        found = []
        for path in self._files.now:
            if path.endswith(".py"):
                try:
                    text = (self._project.root / path).read_text("utf-8", errors="replace")
                except OSError:
                    continue  # not checked out: no scorer can import it
                found.append(text)
        return "\n".join(found)
