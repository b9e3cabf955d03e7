"""The prompts as of a git revision: the same refs, answered by the files and the lock of then."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from llmops.core.errors import NotFound
from llmops.prompts.git import Git, GitTree
from llmops.prompts.lockfile import LOCK_NAME, Lock
from llmops.prompts.prompt import SUFFIX, Prompt, parse_prompt
from llmops.prompts.repository import PromptRepository
from llmops.prompts.trees import NoSuchFile, Subtree


class PastPrompts(PromptRepository):
    """A prompt repository as of a git revision, read from git's objects; nothing is checked out."""

    def __init__(self, tree: GitTree, folder: str):
        """`tree` is the project's folder at the revision, `folder` that of its prompts in it."""
        super().__init__(tree.git.folder / folder)
        self._revision = tree
        self._folder = folder
        self._tree = Subtree(tree, folder)

    @cached_property
    def git(self) -> Git:
        """The git repository that the project is in."""
        return self._revision.git

    def names(self) -> list[str]:
        """The names of all prompts of then, sorted."""
        return sorted(
            path.removesuffix(SUFFIX)
            for path in self._tree.paths()
            if path.endswith(SUFFIX) and not any(part.startswith(".") for part in path.split("/"))
        )

    def path(self, name: str) -> Path:
        """What errors call the prompt's file."""
        return self._tree.where(f"{name}{SUFFIX}")

    def lock(self) -> Lock:
        """The lock of then; an empty one where there was none."""
        where = self._tree.where(LOCK_NAME)
        try:
            return Lock.parse(self._tree.text(LOCK_NAME), where)
        except NoSuchFile:
            return Lock(where)

    def list(self) -> list[Prompt]:
        """All prompts of then, sorted by name."""
        return [self._current(name) for name in self.names()]

    def _current(self, name: str) -> Prompt:
        return self._read(name, self._tree, self._revision.revision)

    def _at(self, name: str, revision: str) -> Prompt:
        return self._read(name, Subtree(self.git.tree(revision), self._folder), revision)

    def _read(self, name: str, tree: Subtree, revision: str) -> Prompt:
        path = f"{name}{SUFFIX}"
        try:
            text = tree.text(path)
        except NoSuchFile:
            near = NotFound.among("prompt", name, self.names())
            raise NotFound(f"no prompt is named `{name}` at `{revision}`", hint=near.hint) from None
        return parse_prompt(text, tree.where(path), name=name, tree=tree)
