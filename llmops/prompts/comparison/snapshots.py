"""The prompts folder at one moment: a git revision, or the working tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from llmops.core.errors import DocumentError, Where
from llmops.core.files import decode
from llmops.prompts.git import Git
from llmops.prompts.prompt import SUFFIX, Prompt, parse_prompt
from llmops.prompts.refs import NAME_RULE, is_name
from llmops.prompts.trees import FolderTree, NoSuchFile, Tree

PARTS = (".jinja", ".jsonl")
"""Suffixes of the files that prompts are made of, besides their own."""


class Snapshot(Tree, Protocol):
    """A tree that knows the git object of each of its files."""

    label: str

    @property
    def files(self) -> Mapping[str, str]:
        """The id of every file's content, as git has or would have it."""
        ...

    def preload(self, paths: Iterable[str]) -> None:
        """Read these files at once, as far as they are there."""
        ...


class RevisionSnapshot:
    """The folder at a git revision. Files are read in as few calls of git as can be."""

    def __init__(self, git: Git, revision: str):
        self.label = revision
        self._git = git
        self._tree = git.tree(revision)
        self._texts: dict[str, str] = {}

    @property
    def files(self) -> Mapping[str, str]:
        """The git object of every file."""
        return self._tree.files

    def preload(self, paths: Iterable[str]) -> None:
        """Read these files with one call."""
        wanted = {path: self.files[path] for path in paths if path in self.files}
        contents = self._git.blobs(wanted.values())
        for path, blob in wanted.items():
            if blob not in contents:
                raise self._git.lacks(blob, what=f"{path} at {self.label}")
            self._texts[path] = decode(contents[blob], self.where(path))

    def text(self, path: str) -> str:
        """A file's text; `NoSuchFile` if the revision does not have it."""
        if path not in self._texts:
            self.preload([path])
        if path not in self._texts:
            raise NoSuchFile(self.where(path))
        return self._texts[path]

    def where(self, path: str) -> Path:
        """The file's path, with the revision."""
        return self._tree.where(path)

    def paths(self) -> list[str]:
        """All files, sorted."""
        return sorted(self.files)


class WorkingTree(FolderTree):
    """The folder as it is now; what git ignores is left out."""

    label = "working tree"

    def __init__(self, git: Git):
        super().__init__(git.folder)
        self._git = git

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The id that each file's content has, or would have once it is committed."""
        return self._git.files()

    def preload(self, paths: Iterable[str]) -> None:
        """Nothing: files of a folder are read one by one."""


def prompt_in(snapshot: Tree, name: str) -> Prompt | None:
    """The prompt as the snapshot has it; `None` if it has none of that name."""
    path = f"{name}{SUFFIX}"
    try:
        text = snapshot.text(path)
    except NoSuchFile:
        return None
    return parse_prompt(text, snapshot.where(path), name=name, tree=snapshot)


def changed_prompts(before: Snapshot, after: Snapshot) -> list[str]:
    """The names of all prompts that may differ, sorted: their file does, or one they include.

    What is the same in both is not parsed; it is read only if a part that
    prompts share has changed.
    """
    paths = {*before.files, *after.files}
    touched = {path for path in paths if before.files.get(path) != after.files.get(path)}
    touched |= _users(after, {path for path in touched if path.endswith(PARTS)}, touched)
    names = []
    for path in touched:
        name = path.removesuffix(SUFFIX)
        if not path.endswith(SUFFIX) or any(part.startswith(".") for part in path.split("/")):
            continue
        if is_name(name):
            names.append(name)
        elif path in after.files and isinstance(after, WorkingTree):
            raise DocumentError(
                f"`{name}` cannot name a prompt",
                hint=f"names are {NAME_RULE}",
                where=Where(after.where(path)),
            )
    return sorted(names)


def _users(snapshot: Snapshot, parts: set[str], known: set[str]) -> set[str]:
    """The files, of those not known yet, that speak of one of `parts`, directly or by another.

    A partial is included by its name, which stands in the text as it is.
    """
    found: set[str] = set()
    rest = [
        path
        for path in snapshot.files
        if path not in known and path.endswith((SUFFIX, ".jinja")) and parts
    ]
    snapshot.preload(rest)
    while parts:
        words = [path.removesuffix(".jinja") for path in parts]
        users = {path for path in rest if any(word in snapshot.text(path) for word in words)}
        found |= users
        rest = [path for path in rest if path not in users]
        parts = {path for path in users if path.endswith(".jinja")}
    return found
