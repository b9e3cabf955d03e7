"""The project as of a git revision, read from git's objects: the base of a comparison."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.core.documents import parse_yaml
from llmops.core.errors import NotFound, Where
from llmops.project.config import CONFIG_NAME, ProjectConfig, is_suite_path, parse_config
from llmops.prompts.git import Git, GitTree
from llmops.prompts.past import PastPrompts
from llmops.prompts.prompt import Prompt

if TYPE_CHECKING:
    from llmops.evals.suite_file import SuiteFile


class ProjectRevision:
    """What a project was where the work on it left a revision.

    Of `main` that is the commit at which the branch here and `main` went apart:
    what happened on `main` since then is no change of this branch. Nothing is
    checked out, and no file is written.
    """

    def __init__(self, root: Path, revision: str):
        """Raises `NotFound` for a revision that git does not know, with the nearest."""
        self.root = root
        git = Git.of(root)
        self.tree = GitTree(git, revision, git.merge_base(revision))

    @property
    def commit(self) -> str:
        """The full id of the commit."""
        return self.tree.commit

    @property
    def label(self) -> str:
        """What a person calls it: `main (1a2b3c4)`."""
        short = self.commit[:7]
        name = self.tree.revision
        return short if self.commit.startswith(name) else f"{name} ({short})"

    @cached_property
    def config(self) -> ProjectConfig:
        """The `llmops.toml` of then, with what the environment of today overrides."""
        if CONFIG_NAME not in self.tree.files:
            raise NotFound(
                f"`{self.tree.revision}` has no {CONFIG_NAME}",
                hint="compare with a revision in which the project was one",
                where=Where(self.root / CONFIG_NAME),
            )
        return parse_config(self.tree.text(CONFIG_NAME), self.tree.where(CONFIG_NAME))

    @cached_property
    def prompts(self) -> PastPrompts:
        """The prompt repository of then, lock and aliases included."""
        return PastPrompts(self.tree, self.config.paths.prompts)

    def prompt(self, ref: str) -> Prompt:
        """The prompt that a ref named then; `NotFound` suggests the nearest."""
        return self.prompts.get(ref)

    def suite_names(self) -> list[str]:
        """The names of all suites of then, sorted."""
        return sorted(self._suite_paths)

    def suite(self, name: str) -> SuiteFile | None:
        """A suite's file as it was; `None` where there was none of that name.

        Raises `DocumentError` for one that this version cannot read.
        """
        from llmops.evals.suite_file import SuiteFile

        path = self._suite_paths.get(name)
        if path is None:
            return None
        return parse_yaml(self.tree.text(path), self.tree.where(path)).validate(SuiteFile)

    @cached_property
    def _suite_paths(self) -> dict[str, str]:
        """The path of every suite by its name, as `Project.suites` finds them."""
        if CONFIG_NAME not in self.tree.files:
            return {}  # there was no project, so all that it has now is new
        folder = Path(self.config.paths.evals).as_posix().strip("/")
        found = {}
        for path in self.tree.paths():
            inner = path.removeprefix(f"{folder}/")
            if inner != path and is_suite_path(inner):
                found[Path(inner).with_suffix("").as_posix()] = path
        return found
