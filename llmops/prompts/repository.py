"""All prompts of a folder, by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import inside
from llmops.prompts.prompt import SUFFIX, Prompt, load_prompt
from llmops.prompts.refs import (
    NAME_RULE,
    Alias,
    Digest,
    PromptRef,
    Revision,
    is_name,
)
from llmops.prompts.versions import Version, VersionRange


class PromptRepository:
    """The `*.prompty` files below a folder; a prompt's name is its path without the suffix.

    Hidden folders are left out. Files are read when they are asked for, so
    what is found is what is there now.
    """

    def __init__(self, root: Path):
        self.root = root

    def names(self) -> list[str]:
        """The names of all prompts, sorted.

        Raises `DocumentError` for a file whose path is no name, two names that
        differ only in case, and a link that leads out of the folder.
        """
        found: dict[str, Path] = {}
        for path in self._files():
            name = path.relative_to(self.root).as_posix().removesuffix(SUFFIX)
            twin = found.setdefault(name.casefold(), path)
            if twin != path:
                raise _differ_in_case(twin, path)
            inside(self.root, path)
        for path in found.values():
            name = path.relative_to(self.root).as_posix().removesuffix(SUFFIX)
            if not is_name(name):
                raise DocumentError(
                    f"`{name}` cannot name a prompt",
                    hint=f"names are {NAME_RULE}",
                    where=Where(path),
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

        Raises `NotFound` with the nearest name, `UsageError` if the file is
        not the version or content that is asked for, and `DocumentError` if
        it is broken.
        """
        wanted = PromptRef.parse(ref) if isinstance(ref, str) else ref
        path = self.path(wanted.name)
        if not path.is_file():
            raise NotFound.among("prompt", wanted.name, self.names(), where=Where(self.root))
        self._refuse_twins(path)
        inside(self.root, path)
        prompt = load_prompt(path, name=wanted.name)
        prompt.check()
        _refuse_other_versions(prompt, wanted)
        return prompt

    def path(self, name: str) -> Path:
        """Where the prompt `name` is, or would be."""
        return self.root / f"{name}{SUFFIX}"

    def _files(self) -> Iterator[Path]:
        if not self.root.is_dir():
            raise UsageError(
                "no folder of prompts is here",
                hint="`llmops init` makes one",
                where=Where(self.root),
            )
        for folder, folders, files in os.walk(self.root, onerror=_unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in folders:
                path = Path(folder, name)
                if path.is_symlink():
                    inside(self.root, path)
                    raise DocumentError(
                        "is a link to a folder, and every prompt in it would have two names",
                        hint="move the folder here, or remove the link",
                        where=Where(path),
                    )
            for name in sorted(files):
                if name.endswith(SUFFIX) and not name.startswith("."):
                    yield Path(folder, name)

    def _refuse_twins(self, path: Path) -> None:
        """Another spelling of the name would be the same file on other machines."""
        current = path
        while current != self.root:
            for entry in current.parent.iterdir():
                if entry != current and entry.name.casefold() == current.name.casefold():
                    raise _differ_in_case(current, entry)
            current = current.parent


def _refuse_other_versions(prompt: Prompt, wanted: PromptRef) -> None:
    """Raise `UsageError` unless the file as it is now is what `wanted` selects."""
    match wanted.selector:
        case None:
            return
        case Version() | VersionRange() as asked:
            current = Version.parse(prompt.version)
            if asked == current or (isinstance(asked, VersionRange) and asked.holds(current)):
                return
            reason = f"prompt `{prompt.name}` is at {current} here, which is not `{asked}`"
        case Digest(fingerprint):
            if fingerprint == prompt.fingerprint:
                return
            reason = f"prompt `{prompt.name}` has other content here: {prompt.fingerprint}"
        case Alias(name):
            reason = f"prompt `{prompt.name}` has no alias `{name}`"
        case Revision(name):
            reason = f"prompt `{prompt.name}` cannot be read at the git revision `{name}`"
    raise UsageError(
        reason,
        hint=f"only the file in this folder can be had: `{prompt.name}@{prompt.version}`",
        where=Where(prompt.path),
    )


def _differ_in_case(one: Path, other: Path) -> DocumentError:
    first, second = sorted((one, other))
    return DocumentError(
        f"differs from `{first}` only in case, and some file systems hold just one of them",
        hint="rename one of them",
        where=Where(second),
    )


def _unreadable(error: OSError) -> None:
    raise DocumentError(f"cannot be read: {error.strerror}", where=Where(Path(error.filename)))
