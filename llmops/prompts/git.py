"""Reading a git repository: objects, trees and who is at work.

Every call is one short `git` process. Nothing is checked out, and neither the
index nor the working tree is written, so it is safe beside a person at work.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from llmops.core.errors import NotFound, UsageError, Where
from llmops.core.files import decode
from llmops.prompts.trees import NoSuchFile


class ObjectMissing(UsageError):
    """A text that git should have is not in this clone."""


class Git:
    """The git repository that a folder is in; the folder is what paths are relative to.

    Cheap to make: git is asked at the first use.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def of(cls, folder: Path) -> Git:
        """The repository that holds `folder`.

        Raises `UsageError` where git is not installed, or the folder is in no
        repository.
        """
        git = cls(folder)
        _ = git._place
        return git

    @property
    def top(self) -> Path:
        """The root of the working tree."""
        return self._place[0]

    @property
    def prefix(self) -> str:
        """The folder's path below the root, with a `/` at its end, or nothing."""
        return self._place[1]

    @cached_property
    def _place(self) -> tuple[Path, str]:
        told = self._run("rev-parse", "--show-toplevel", "--show-prefix").decode().split("\n")
        return Path(told[0]), told[1]

    @property
    def common_folder(self) -> Path:
        """The `.git` folder, that of the main one for a linked working tree."""
        told = self._run("rev-parse", "--path-format=absolute", "--git-common-dir")
        return Path(told.decode().rstrip("\n"))

    def has_commits(self) -> bool:
        """Whether there is a commit at all; `UsageError` if HEAD names one that cannot be read."""
        if self._try("rev-parse", "--verify", "--quiet", "HEAD").returncode:
            return False
        if self._resolve("HEAD") is None:
            raise UsageError(
                "the git repository is damaged: the commit of HEAD cannot be read",
                hint="`git fsck` tells what is missing",
                where=Where(self.top),
            )
        return True

    def merging(self) -> bool:
        """Whether a merge was begun and is not committed yet."""
        return self._resolve("MERGE_HEAD") is not None

    def commit(self, revision: str) -> str:
        """The full id of the commit that `revision` names; `NotFound` suggests the nearest."""
        found = self._resolve(revision)
        if found is None and not self.has_commits():
            raise UsageError(
                "the git repository has no commit yet",
                hint='make one first: `git add -A && git commit -m "…"`',
                where=Where(self.top),
            )
        if found is None:
            near = NotFound.among("git revision", revision, self._refs())
            if not (near.hint or "").startswith("did you mean"):
                fetch = "git fetch --unshallow" if self._is_shallow() else "git fetch origin"
                near.hint = f"{near.hint}; if the remote has it, run `{fetch}`"
            raise near
        return found

    def objects(self, *revisions: str) -> set[str]:
        """The ids of all objects of the commits that `git rev-list` finds for `revisions`."""
        if not self.has_commits() and "--all" not in revisions:
            return set()
        told = self._run("rev-list", "--objects", "--missing=allow-any", *revisions)
        return {line.split(b" ", 1)[0].decode() for line in told.splitlines()}

    def merge_base(self, revision: str) -> str:
        """The commit on which HEAD and `revision` went apart.

        Raises `UsageError` where the clone does not reach back so far.
        """
        commit = self.commit(revision)
        done = self._try("merge-base", commit, "HEAD")
        if done.returncode:
            raise UsageError(
                f"`{revision}` and HEAD have no common commit in this clone", hint=self._deepen()
            )
        return done.stdout.decode().strip()

    def tree(self, revision: str) -> GitTree:
        """The folder as it is in `revision`."""
        return GitTree(self, revision, self.commit(revision))

    def files(self) -> dict[str, str]:
        """The blob id that every file of the folder has, or would have once it is committed.

        Untracked files count, ignored ones do not. Unchanged files are not
        read: git's index knows their ids.
        """
        listed = self._run(
            "ls-files", "-z", "-t", "--stage", "--modified", "--others", "--exclude-standard"
        )
        known: dict[str, str] = {}
        dirty: set[str] = set()
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            tag, _, rest = entry.partition(" ")
            if tag == "?":
                dirty.add(rest)
                continue
            about, _, path = rest.partition("\t")
            if tag == "C" or about[-1:] != "0":
                dirty.add(path)
            elif path:
                known[path] = about.split(" ")[1]
        present = sorted(path for path in dirty if _is_plain(self.folder / path))
        for path in dirty:
            known.pop(path, None)
        return known | self.hashes(present)

    def hashes(self, paths: list[str]) -> dict[str, str]:
        """The blob ids that files would have once they are committed, with git's own filters."""
        if not paths:
            return {}
        folder = self.folder.absolute()
        named = b"".join(_quoted(os.fsencode(folder / path)) + b"\n" for path in paths)
        told = self._run("hash-object", "--stdin-paths", given=named)
        return dict(zip(paths, told.decode().split(), strict=True))

    def blobs(self, wanted: Iterable[str]) -> dict[str, bytes]:
        """The contents of objects, by what they were asked as: an id, or `REVISION:path`.

        What the repository does not have is left out.
        """
        names = list(dict.fromkeys(wanted))
        if not names:
            return {}
        told = self._run(
            "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode()
        )
        found: dict[str, bytes] = {}
        at = 0
        for name in names:
            end = told.index(b"\n", at)
            *_, kind, size = told[at:end].split(b" ")
            at = end + 1
            if size in (b"missing", b"ambiguous"):
                continue
            if kind == b"blob":
                found[name] = told[at : at + int(size)]
            at += int(size) + 1
        return found

    def blob(self, name: str, *, what: str) -> bytes:
        """One object; `what` says in errors whose text it is.

        Raises `LlmopsError` with the command that fetches it when this clone
        lacks it.
        """
        found = self.blobs([name]).get(name)
        if found is None:
            raise self.lacks(name, what=what)
        return found

    def lacks(self, name: str, *, what: str) -> ObjectMissing:
        """The error for an object that this clone does not have."""
        return ObjectMissing(
            f"{what} is not in this clone (git object {name})", hint=self._deepen()
        )

    def identity(self) -> str:
        """Who is at work, as in a commit: `Name <address>`; `UsageError` if git was not told."""
        done = self._try("var", "GIT_AUTHOR_IDENT")
        if done.returncode:
            raise UsageError(
                "git does not know who you are",
                hint='run `git config user.name "…"` and `git config user.email "…"`',
            )
        return done.stdout.decode("utf-8", "replace").rpartition(">")[0] + ">"

    def _deepen(self) -> str:
        if self._is_shallow():
            return "this is a shallow clone; run `git fetch --unshallow`"
        return (
            "run `git fetch --all` if another clone has it; if it was locked and never committed, "
            "`llmops prompt lock --base REVISION`, with the last revision whose lock does not "
            "have it, makes that version anew"
        )

    def _is_shallow(self) -> bool:
        return self._run("rev-parse", "--is-shallow-repository").strip() == b"true"

    def _resolve(self, revision: str) -> str | None:
        done = self._try(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return None if done.returncode else done.stdout.decode().strip().splitlines()[-1]

    def _refs(self) -> list[str]:
        told = self._run("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
        return told.decode("utf-8", "replace").split()

    def _run(self, *words: str, given: bytes | None = None) -> bytes:
        done = self._try(*words, given=given)
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = told[0].removeprefix("fatal: ") if told else f"exit status {done.returncode}"
            if "not a git repository" in reason:
                raise UsageError(
                    "not in a git repository, where the versions of prompts are kept",
                    hint="run `git init` in the project's folder, or use a bundle",
                    where=Where(self.folder),
                )
            raise UsageError(f"git {words[0]} failed: {reason}", where=Where(self.folder))
        return done.stdout

    def _try(self, *words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603
                ["git", "-C", str(self.folder), "--literal-pathspecs", *words],  # noqa: S607
                input=given if given is not None else b"",
                capture_output=True,
                env=_environment(os.environ),
                check=False,
            )
        except FileNotFoundError:
            raise UsageError(
                "git is not installed, and the versions of prompts are kept in it",
                hint="install git, or use a bundle (`llmops prompt bundle`) where there is none",
            ) from None


class GitTree:
    """The files of a folder as they are in a git revision."""

    def __init__(self, git: Git, revision: str, commit: str):
        self.git = git
        self.revision = revision
        self.commit = commit

    def text(self, path: str) -> str:
        """A file's text; `NoSuchFile` if the revision does not have it."""
        name = f"{self.commit}:{self.git.prefix}{path}"
        found = self.git.blobs([name]).get(name)
        if found is None:
            raise NoSuchFile(self.where(path))
        return decode(found, self.where(path))

    def where(self, path: str) -> Path:
        """The file's path, with the revision."""
        return Path(f"{self.git.folder / path}@{self.revision}")

    def paths(self) -> list[str]:
        """All files, sorted."""
        return sorted(self.files)

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The blob id of every file."""
        told = self.git._run("ls-tree", "-r", "-z", self.commit)
        files = {}
        for entry in told.decode("utf-8", "surrogateescape").split("\0"):
            about, _, path = entry.partition("\t")
            mode, _, rest = about.partition(" ")
            if mode.startswith("100"):
                files[path] = rest.split(" ")[1]
        return files


def _is_plain(path: Path) -> bool:
    """Whether git would keep the file's text; of a link, it keeps where that leads."""
    return path.is_file() and not path.is_symlink()


def _quoted(path: bytes) -> bytes:
    """A path as git reads it from a list with one a line, whatever characters it has."""
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for git: plain messages, no questions, and no lock that others wait for."""
    made = {
        **given,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    # In the hooks of a linked worktree git sets the first alone, and means by it that the
    # current folder is the root; for the git that we start that would be the prompts folder.
    if made.get("GIT_DIR"):
        made.setdefault("GIT_WORK_TREE", ".")
    # Set by git for its hooks, relative to a folder that is not ours.
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        if made.get(name):
            made[name] = str(Path(made[name]).absolute())
    return made
