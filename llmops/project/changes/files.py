"""Which files differ, told by the ids of their git objects."""

from __future__ import annotations

import posixpath
from functools import cached_property

from llmops.prompts.git import GitTree


class FileChanges:
    """The files of a project now beside those of a revision; paths are relative to the project."""

    def __init__(self, then: GitTree):
        self.tree = then
        self.then = then.files
        self.now = then.git.files()

    def knows(self, path: str) -> bool:
        """Whether git has the file, now or then."""
        return path in self.now or path in self.then

    def is_same(self, path: str) -> bool:
        """Whether git has the file on both sides, with the same content."""
        return path in self.now and self.now[path] == self.then.get(path)

    def below(self, path: str) -> list[str]:
        """The files that differ at `path` or in the folder of that name, sorted."""
        return [each for each in self.differing if each == path or each.startswith(f"{path}/")]

    @cached_property
    def differing(self) -> tuple[str, ...]:
        """All files that differ, sorted: changed, new and removed ones."""
        paths = {*self.now, *self.then}
        return tuple(sorted(path for path in paths if not self.is_same(path)))


def beside(file: str, path: str) -> str:
    """`path` as `file` writes it, relative to the project.

    >>> beside("evals/qa/xquad.yaml", "../data/xquad.jsonl")
    'evals/data/xquad.jsonl'
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
