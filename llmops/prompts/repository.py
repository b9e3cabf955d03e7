"""All prompts of a folder, in all their versions, by name."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import decode, inside
from llmops.prompts.deprecation import PromptDeprecated
from llmops.prompts.git import Git
from llmops.prompts.locked import LockedVersion
from llmops.prompts.lockfile import LOCK_NAME, Lock
from llmops.prompts.prompt import SUFFIX, Prompt, load_prompt, parse_prompt
from llmops.prompts.refs import NAME_RULE, Alias, Digest, PromptRef, Revision, Selector, is_name
from llmops.prompts.trees import MemoryTree
from llmops.prompts.versions import Version, VersionRange


class PromptRepository:
    """The `*.prompty` files below a folder; a prompt's name is its path without the suffix.

    Hidden folders are left out. Files are read when they are asked for, so
    what is found is what is there now. Older versions come out of git by the
    object ids in `prompts.lock`; nothing is checked out.
    """

    def __init__(self, root: Path):
        self.root = root
        self._locked: dict[LockedVersion, Prompt] = {}

    def names(self) -> list[str]:
        """The names of all prompts, sorted.

        Raises `DocumentError` for a file whose path is no name, two names that
        differ only in case, and a link that leads out of the folder.
        """
        if not self.root.is_dir():
            raise UsageError(
                "no folder of prompts is here",
                hint="`llmops init` makes one",
                where=Where(self.root),
            )
        found: dict[str, str] = {}
        for name in _names_below(self.root, str(self.root), ""):
            twin = found.setdefault(name.casefold(), name)
            if twin != name:
                raise _differ_in_case(self.path(twin), self.path(name))
        for name in found.values():
            if not is_name(name):
                raise DocumentError(
                    f"`{name}` cannot name a prompt",
                    hint=f"names are {NAME_RULE}",
                    where=Where(self.path(name)),
                )
        return sorted(found)

    def list(self) -> list[Prompt]:
        """All prompts, sorted by name.

        Front matter is read and validated; bodies are looked at when a prompt
        is used (`Prompt.check`).
        """
        return [load_prompt(self.path(name), name=name) for name in self.names()]

    def get(self, ref: str | PromptRef) -> Prompt:
        """The prompt that `ref` names, checked from head to body.

        A version, a range, an alias or a content comes from the lock file and
        is that very text, whatever the folder holds now; `@git:REVISION` is
        the file as of a commit. Warns with `PromptDeprecated` where the prompt
        says that it should no longer be used.

        Raises `NotFound` with what there is, `UsageError` where git is needed
        and lacks the text, and `DocumentError` if the prompt is broken.
        """
        wanted = PromptRef.parse(ref) if isinstance(ref, str) else ref
        match wanted.selector:
            case None:
                prompt = self._current(wanted.name)
            case Revision(revision):
                prompt = self._at(wanted.name, revision)
            case selector:
                prompt = self._select(wanted, selector)
        prompt.check()
        warn_deprecated(wanted, prompt)
        return prompt

    def path(self, name: str) -> Path:
        """Where the prompt `name` is, or would be."""
        return self.root / f"{name}{SUFFIX}"

    @property
    def lock_path(self) -> Path:
        """Where the lock file is, or would be."""
        return self.root / LOCK_NAME

    def lock(self) -> Lock:
        """The lock file as it is now; an empty one where there is none yet."""
        inside(self.root, self.lock_path)
        return Lock.read(self.lock_path)

    @cached_property
    def git(self) -> Git:
        """The git repository that the folder is in."""
        return Git(self.root)

    def load(self, locked: LockedVersion) -> Prompt:
        """A locked version, as it was locked; see `load_all`."""
        return next(iter(self.load_all([locked]).values()))

    def load_all(self, wanted: Iterable[LockedVersion]) -> dict[LockedVersion, Prompt]:
        """Locked versions, byte for byte, with one call of git for all that are not in the folder.

        Raises `UsageError` with the command that fetches them where this clone
        lacks their texts, and `DocumentError` for a text that is not the one
        that was locked.
        """
        wanted = list(dict.fromkeys(wanted))
        texts = self.texts(one for one in wanted if one not in self._locked)
        for one, files in texts.items():
            self._locked[one] = read_locked(one, files, self.root)
        return {one: self._locked[one] for one in wanted}

    def texts(self, wanted: Iterable[LockedVersion]) -> dict[LockedVersion, dict[str, bytes]]:
        """The files of locked versions, by their paths below the folder."""
        found = {one: self._in_folder(one) for one in wanted}
        absent = [one for one, files in found.items() if files is None]
        blobs = self.git.blobs(blob for one in absent for blob in files_of(one).values())
        return {one: files or self._in_git(one, blobs) for one, files in found.items()}

    def _current(self, name: str) -> Prompt:
        path = self.path(name)
        if not path.is_file():
            raise NotFound.among("prompt", name, self.names(), where=Where(self.root))
        self._refuse_twins(path)
        inside(self.root, path)
        return load_prompt(path, name=name)

    def _at(self, name: str, revision: str) -> Prompt:
        tree = self.git.tree(revision)
        path = f"{name}{SUFFIX}"
        if path not in tree.files:
            known = [one.removesuffix(SUFFIX) for one in tree.paths() if one.endswith(SUFFIX)]
            near = NotFound.among("prompt", name, known)
            raise NotFound(f"no prompt is named `{name}` at `{revision}`", hint=near.hint)
        return parse_prompt(tree.text(path), tree.where(path), name=name, tree=tree)

    def _select(self, wanted: PromptRef, selector: Selector) -> Prompt:
        lock = self.lock()
        if not lock.versions(wanted.name):
            return self._unlocked(wanted, selector)
        try:
            return self.load(lock.select(wanted))
        except NotFound as error:
            path = self.path(wanted.name)
            if isinstance(selector, Alias) or not path.is_file():
                raise
            current = load_prompt(path, name=wanted.name)
            if isinstance(selector, Digest) and current.fingerprint == selector.fingerprint:
                return current
            if isinstance(selector, Version) and current.version == str(selector):
                error.hint = "the file has that number, but is not locked: `llmops prompt lock`"
            raise

    def _unlocked(self, wanted: PromptRef, selector: Selector) -> Prompt:
        """The file, if it is what `wanted` selects; the lock does not know the prompt."""
        prompt = self._current(wanted.name)
        match selector:
            case Version() | VersionRange() as asked:
                current = Version.parse(prompt.version)
                if asked == current or (isinstance(asked, VersionRange) and asked.holds(current)):
                    return prompt
                reason = f"prompt `{prompt.name}` is at {current} here, which is not `{asked}`"
            case Digest(fingerprint):
                if fingerprint == prompt.fingerprint:
                    return prompt
                reason = f"prompt `{prompt.name}` has other content here: {prompt.fingerprint}"
            case _:
                reason = f"prompt `{prompt.name}` has no alias `{selector}`"
        raise NotFound(
            reason,
            hint=f"it was never locked, so there is only `{prompt.name}@{prompt.version}`; "
            "`llmops prompt lock` begins its history",
            where=Where(prompt.path),
        )

    def _in_folder(self, locked: LockedVersion) -> dict[str, bytes] | None:
        """The files of a version, if the folder holds these very bytes."""
        found = {}
        for path, blob in files_of(locked).items():
            try:
                raw = (self.root / path).read_bytes()
            except OSError:
                return None
            # Git may be set to keep other line ends than the folder has.
            spellings = (raw, raw.replace(b"\r\n", b"\n"))
            kept = next((one for one in spellings if _blob_id(one, len(blob)) == blob), None)
            if kept is None:
                return None
            found[path] = kept
        return found

    def _in_git(self, locked: LockedVersion, blobs: dict[str, bytes]) -> dict[str, bytes]:
        for path, blob in files_of(locked).items():
            if blob not in blobs:
                raise self.git.lacks(blob, what=f"the text of {path} in {_shown(locked)}")
        return {path: blobs[blob] for path, blob in files_of(locked).items()}

    def _refuse_twins(self, path: Path) -> None:
        """Another spelling of the name would be the same file on other machines."""
        current = path
        while current != self.root:
            for entry in current.parent.iterdir():
                if entry != current and entry.name.casefold() == current.name.casefold():
                    raise _differ_in_case(current, entry)
            current = current.parent


def files_of(locked: LockedVersion) -> dict[str, str]:
    """The git object of every file that a version is made of, by its path."""
    return {
        f"{locked.prompt}{SUFFIX}": locked.blob,
        **{part.path: part.blob for part in locked.parts},
    }


def read_locked(locked: LockedVersion, files: Mapping[str, bytes], root: Path) -> Prompt:
    """The prompt that the files of a locked version spell.

    Raises `DocumentError` if it is not the text that was locked.
    """
    main = f"{locked.prompt}{SUFFIX}"
    shown = root / f"{main}@{locked.version}"
    texts = {path: decode(raw, shown) for path, raw in files.items()}
    tree = MemoryTree({path: text for path, text in texts.items() if path != main}, shown=root)
    prompt = parse_prompt(texts[main], shown, name=locked.prompt, tree=tree)
    if prompt.version != str(locked.version) or prompt.fingerprint != locked.content:
        raise DocumentError(
            f"is not the text that was locked as {_shown(locked)}", where=Where(shown)
        )
    return prompt


def warn_deprecated(ref: PromptRef, prompt: Prompt) -> None:
    """Warn with `PromptDeprecated` if the prompt says that it should no longer be used."""
    if prompt.deprecated is None:
        return
    warnings.warn(
        f"prompt `{ref}` is deprecated: {prompt.deprecated.advice(date.today())}",
        PromptDeprecated,
        stacklevel=3,
    )


def _blob_id(content: bytes, digits: int) -> str:
    """What git calls a file of this content, in a repository with ids of so many digits."""
    algorithm = "sha1" if digits == 40 else "sha256"
    header = b"blob %d\0" % len(content)
    return hashlib.new(algorithm, header + content, usedforsecurity=False).hexdigest()


def _shown(locked: LockedVersion) -> str:
    return f"`{locked.prompt}@{locked.version}`"


def _names_below(root: Path, folder: str, prefix: str) -> Iterator[str]:
    """The names of the prompts in a folder and its folders, as they are spelled."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        raise DocumentError(
            f"cannot be read: {error.strerror}", where=Where(Path(folder))
        ) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():  # asked of all entries, since the listing knows it for nothing
            _refuse_link(root, entry)
        if entry.is_dir():
            yield from _names_below(root, entry.path, f"{prefix}{entry.name}/")
        elif entry.name.lower().endswith(SUFFIX):
            _refuse_odd(entry)
            yield prefix + entry.name.removesuffix(SUFFIX)


def _refuse_odd(entry: os.DirEntry[str]) -> None:
    where = Where(Path(entry.path))
    if not entry.name.endswith(SUFFIX):
        raise DocumentError(
            "is a prompt on some file systems, and none on others",
            hint=f"write `{SUFFIX}` in small letters",
            where=where,
        )
    if not entry.is_file():
        raise DocumentError("is no regular file", hint="put the file itself here", where=where)


def _refuse_link(root: Path, entry: os.DirEntry[str]) -> None:
    path = Path(entry.path)
    try:
        path.stat()
    except OSError as error:
        raise DocumentError(
            f"is a link that leads nowhere: {error.strerror}",
            hint="remove it, or put the file itself here",
            where=Where(path),
        ) from error
    if entry.is_dir() or entry.name.endswith(SUFFIX):
        inside(root, path)
    if entry.is_dir():
        raise DocumentError(
            "is a link to a folder, and every prompt in it would have two names",
            hint="move the folder here, or remove the link",
            where=Where(path),
        )


def _differ_in_case(one: Path, other: Path) -> DocumentError:
    first, second = sorted((one, other))
    return DocumentError(
        f"differs from `{first}` only in case, and some file systems hold just one of them",
        hint="rename one of them",
        where=Where(second),
    )
