"""Released prompts in one file, for where there is no git.

The first line holds the digest of all that follows. Then come the lock and the
texts of what was packed, one JSON value a line:

    {"schema": "llmops.bundle/1", "sha256": "…"}
    {"lock": "…"}
    {"path": "support/answer.prompty", "blob": "…", "text": "…"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import write_text
from llmops.prompts.locked import LockedVersion
from llmops.prompts.lockfile import Lock
from llmops.prompts.prompt import Prompt
from llmops.prompts.refs import PromptRef, Revision
from llmops.prompts.repository import PromptRepository, files_of, read_locked, warn_deprecated

SCHEMA = "llmops.bundle/1"

_ANEW = "copy it again, or make it anew with `llmops prompt bundle -o FILE`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What a bundle holds."""

    versions: tuple[LockedVersion, ...]
    sha256: str
    """Of all but the first line."""

    def to_json(self) -> dict[str, Any]:
        """What was packed, for programs."""
        return {
            "sha256": self.sha256,
            "versions": [
                {"prompt": one.prompt, "version": str(one.version), "content": one.content}
                for one in self.versions
            ],
        }


def write_bundle(
    repository: PromptRepository, path: Path, *, keep: Iterable[str | PromptRef] = ()
) -> Packed:
    """Pack every version that an alias or a ref of `keep` names into one file.

    The same lock and the same `keep` give the same bytes. Raises `NotFound`
    for a ref that names no locked version, and `UsageError` if there is
    nothing to pack.
    """
    lock = repository.lock()
    wanted = {
        lock.select(PromptRef.parse(f"{name}@{alias}"))
        for name in lock.names()
        for alias in lock.aliases(name)
    }
    wanted |= {_kept(repository, lock, ref) for ref in keep}
    if not wanted:
        raise UsageError(
            "nothing to pack: no alias points to a version",
            hint="point one with `llmops prompt promote`, or name versions with `--keep`",
            where=Where(lock.path),
        )
    versions = tuple(sorted(wanted, key=lambda one: (one.prompt, one.version)))
    texts = repository.texts(versions)
    files = {
        (file, blob): texts[one][file] for one in versions for file, blob in files_of(one).items()
    }
    lines = [
        {"lock": _pointers(lock).text()},
        *(
            {"path": file, "blob": blob, "text": raw.decode("utf-8")}
            for (file, blob), raw in sorted(files.items())
        ),
    ]
    body = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    digest = _digest(body.encode("utf-8"))
    write_text(path, _head(digest) + body)
    return Packed(versions=versions, sha256=digest)


class PromptBundle:
    """The prompts of a bundle, by the same refs as in their repository.

    The file's digest is checked when it is read; `DocumentError` says that it
    is damaged, be it by a single bit.
    """

    def __init__(self, path: Path):
        self.path = path
        body = _verified(path)
        try:
            lines = [json.loads(line) for line in body.decode("utf-8").split("\n") if line]
            self._lock = Lock.parse(lines[0]["lock"], Path(f"{path}:prompts.lock"))
            self._texts = {
                (line["path"], line["blob"]): line["text"].encode("utf-8") for line in lines[1:]
            }
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise DocumentError(
                "is not what `llmops prompt bundle` writes", hint=_ANEW, where=Where(path)
            ) from None
        self._loaded: dict[LockedVersion, Prompt] = {}

    def lock(self) -> Lock:
        """The lock as of when the bundle was made."""
        return self._lock

    def versions(self) -> list[LockedVersion]:
        """The versions whose text is in the bundle, by name and number."""
        return [
            one
            for name in self._lock.names()
            for one in self._lock.versions(name)
            if self._files(one) is not None
        ]

    def names(self) -> list[str]:
        """The names of the prompts that the bundle holds a version of, sorted."""
        return sorted({one.prompt for one in self.versions()})

    def list(self) -> list[Prompt]:
        """Every version in the bundle, by name and number."""
        return [self._load(one) for one in self.versions()]

    def get(self, ref: str | PromptRef) -> Prompt:
        """The prompt that `ref` names: the very text that the repository would give.

        Raises `NotFound` for what the lock does not know, and `UsageError` for
        a version that was not packed, or for a ref that only a checkout can
        answer.
        """
        wanted = PromptRef.parse(ref) if isinstance(ref, str) else ref
        if not self._lock.versions(wanted.name):
            raise NotFound.among("prompt", wanted.name, self.names(), where=Where(self.path))
        if wanted.selector is None or isinstance(wanted.selector, Revision):
            raise UsageError(
                f"`{wanted}` means a checkout, and this is a bundle of released versions",
                hint=f"say which one: {self._shown(wanted.name)}",
                where=Where(self.path),
            )
        prompt = self._load(self._lock.select(wanted))
        prompt.check()
        warn_deprecated(wanted, prompt)
        return prompt

    def _load(self, locked: LockedVersion) -> Prompt:
        if locked not in self._loaded:
            files = self._files(locked)
            if files is None:
                raise UsageError(
                    f"`{locked.prompt}@{locked.version}` is not in this bundle",
                    hint=f"pack it with `--keep {locked.prompt}@{locked.version}`; "
                    f"here are {self._shown(locked.prompt)}",
                    where=Where(self.path),
                )
            self._loaded[locked] = read_locked(locked, files, self.path)
        return self._loaded[locked]

    def _files(self, locked: LockedVersion) -> dict[str, bytes] | None:
        wanted = files_of(locked)
        if any(entry not in self._texts for entry in wanted.items()):
            return None
        return {path: self._texts[path, blob] for path, blob in wanted.items()}

    def _shown(self, name: str) -> str:
        there = [f"`{one.prompt}@{one.version}`" for one in self.versions() if one.prompt == name]
        aliases = [f"`{name}@{alias}`" for alias in self._lock.aliases(name)]
        return ", ".join([*aliases, *there]) or "none of its versions"


def _pointers(lock: Lock) -> Lock:
    """The lock without who moved an alias, from where and why: that is not for who runs the app."""
    blocks = {}
    for name in lock.names():
        block = lock.block(name)
        last = tuple(
            replace(
                move, came_from=None, kind="promote", why="", who="", evidence=None, forced=False
            )
            for move in block.aliases.values()
        )
        blocks[name] = replace(block, moves=last)
    return lock.with_blocks(blocks)


def _kept(repository: PromptRepository, lock: Lock, ref: str | PromptRef) -> LockedVersion:
    wanted = PromptRef.parse(ref) if isinstance(ref, str) else ref
    if isinstance(wanted.selector, Revision):
        raise UsageError(
            f"`{wanted}` is no locked version", hint="name a version, a range or an alias"
        )
    if wanted.selector is None:
        wanted = PromptRef.parse(f"{wanted.name}@{repository.get(wanted).version}")
    if not lock.versions(wanted.name):
        raise NotFound.among("locked prompt", wanted.name, lock.names(), where=Where(lock.path))
    return lock.select(wanted)


def _head(digest: str) -> str:
    return json.dumps({"schema": SCHEMA, "sha256": digest}) + "\n"


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _verified(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DocumentError("no such file", where=Where(path)) from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=Where(path)) from error
    head, newline, body = raw.partition(b"\n")
    if not head.startswith(b'{"schema": "llmops.bundle/'):
        raise DocumentError(
            "is no bundle of prompts",
            hint="make one with `llmops prompt bundle -o FILE`",
            where=Where(path),
        )
    # Compared as a whole, so that the head is covered like the rest.
    if head + newline != _head(_digest(body)).encode():
        raise DocumentError(
            "is damaged, or of another version of llmops: its digest does not fit",
            hint=_ANEW,
            where=Where(path),
        )
    return body
