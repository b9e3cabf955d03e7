"""The lock file: every version that a prompt ever had, and where its aliases point.

`prompts.lock` is JSON, one value a line. The first line names the format. Then
comes a block a prompt, sorted by name and divided by blank lines: its versions,
ascending, and the moves of its aliases in their order. Nothing in a block
depends on another block, so branches that touch different prompts merge.

    {"schema": "llmops.prompts.lock/1"}

    {"prompt": "support/answer", "version": "1.0.0", "content": "sha256:…", …, "seal": "…"}
    {"prompt": "support/answer", "alias": "production", "to": "1.0.0", …, "seal": "…"}

The seal is a digest of the line before it. It is no secret: it tells an edit by
hand, or half a merge, from what the commands wrote.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import read_document
from llmops.prompts.locked import Block, LockedVersion, Move
from llmops.prompts.refs import Alias, Digest, PromptRef
from llmops.prompts.versions import Version, VersionRange

LOCK_NAME = "prompts.lock"
SCHEMA = "llmops.prompts.lock/1"

_HEAD = json.dumps({"schema": SCHEMA})
_START = '{"prompt": "'
_SEAL = re.compile(r', "seal": "([0-9a-f]{16})"\}$')
_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} |\|{7} )")


@dataclass(frozen=True)
class Lock:
    """A lock file; blocks are read when they are asked for."""

    path: Path
    _lines: Mapping[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    """The lines of every prompt, each with its number in the file."""
    _blocks: dict[str, Block] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Lock:
        """The lock in `path`; an empty one if there is no such file."""
        return cls.parse(read_document(path, limit=None), path) if path.exists() else cls(path)

    @classmethod
    def parse(cls, text: str, path: Path) -> Lock:
        """The lock that `text` spells; `DocumentError` says which line is none.

        A line that stands there again counts once: a merge that keeps the
        lines of both sides leaves some twice when both had sorted the file.
        """
        lines: dict[str, dict[str, int]] = {}
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
            if number == 1 and line == _HEAD:
                continue
            if line.startswith(_START):
                name = line[len(_START) : line.find('"', len(_START))]
                lines.setdefault(name, {}).setdefault(line, number)
            elif line or number == 1:
                raise _strange(line, Where(path, number))
        return cls(
            path,
            {
                name: tuple((number, line) for line, number in found.items())
                for name, found in lines.items()
            },
        )

    def names(self) -> list[str]:
        """The prompts that have a version, sorted."""
        return sorted(self._lines)

    def block(self, name: str) -> Block:
        """All that is known of a prompt; empty for one that the lock does not have."""
        if name not in self._blocks:
            self._blocks[name] = _read_block(self._lines.get(name, ()), self.path)
        return self._blocks[name]

    def agrees(self, other: Lock, name: str) -> bool:
        """Whether both say the very same of a prompt."""
        ours, theirs = self._lines.get(name, ()), other._lines.get(name, ())
        return [line for _, line in ours] == [line for _, line in theirs]

    def holding(self, name: str, blob: str) -> list[LockedVersion]:
        """A prompt's versions whose file is that git object, newest first.

        Reads those lines alone, however long the prompt's history is.
        """
        return [
            LockedVersion.from_json(_open(line, Where(self.path, number)), number)
            for number, line in reversed(self._lines.get(name, ()))
            if blob in line and '"version": "' in line
        ]

    def versions(self, name: str) -> tuple[LockedVersion, ...]:
        """A prompt's versions, ascending."""
        return self.block(name).versions

    def version(self, name: str, wanted: Version) -> LockedVersion | None:
        """One version, if the lock has it."""
        return next((one for one in self.versions(name) if one.version == wanted), None)

    def aliases(self, name: str) -> dict[str, Move]:
        """Where a prompt's aliases point, by their names, sorted."""
        return self.block(name).aliases

    def moves(self, name: str, alias: str | None = None) -> list[Move]:
        """The moves of a prompt's aliases, or of one, oldest first."""
        return [one for one in self.block(name).moves if alias in (None, one.alias)]

    def where(self, entry: LockedVersion | Move) -> Where:
        """The line on which a version or a move stands."""
        return Where(self.path, entry.line)

    def select(self, ref: PromptRef) -> LockedVersion:
        """The version that a version number, a range, an alias or a digest means.

        Raises `NotFound` that says what there is.
        """
        known = self.versions(ref.name)
        match ref.selector:
            case Version() as wanted:
                found = [one for one in known if one.version == wanted]
            case VersionRange() as wanted:
                found = [one for one in known if wanted.holds(one.version)]
            case Digest(fingerprint):
                found = [one for one in known if one.content == fingerprint]
            case Alias(alias):
                found = [self._aliased(ref.name, alias)]
            case _:
                raise UsageError(f"`{ref}` does not name a locked version")
        if not found:
            shown = ", ".join(f"`{one.version}`" for one in known[-12:])
            raise NotFound(
                f"prompt `{ref.name}` has no version `{ref.selector}`",
                hint=f"versions are {shown}" if known else "run `llmops prompt lock`",
                where=Where(self.path),
            )
        return found[-1]

    def with_blocks(self, blocks: Mapping[str, Block]) -> Lock:
        """The lock with other blocks for some prompts; an empty block takes its prompt out."""
        kept = {name: found for name, found in self._lines.items() if name not in blocks}
        made = {}
        for name, block in blocks.items():
            entries: list[LockedVersion | Move] = [
                *sorted(block.versions, key=lambda one: one.version),
                *block.moves,
            ]
            if entries:
                made[name] = tuple((0, sealed(one.to_json())) for one in entries)
        return Lock(self.path, kept | made)

    def text(self) -> str:
        """The file's whole text."""
        blocks = ("".join(f"{line}\n" for _, line in self._lines[name]) for name in self.names())
        return "\n".join([f"{_HEAD}\n", *blocks])

    def check(self) -> Iterator[DocumentError]:
        """What is wrong with the file, a prompt at a time."""
        for name in self.names():
            try:
                self.block(name)
            except DocumentError as error:
                yield error

    def _aliased(self, name: str, alias: str) -> LockedVersion:
        aliases = self.aliases(name)
        if alias not in aliases:
            shown = ", ".join(f"`{each}`" for each in aliases)
            raise NotFound(
                f"prompt `{name}` has no alias `{alias}`",
                hint=f"aliases here are {shown}"
                if aliases
                else f"make it with `llmops prompt promote {name} VERSION --to {alias} --why …`",
                where=Where(self.path),
            )
        found = self.version(name, aliases[alias].to)
        if found is None:
            raise DocumentError(
                f"`{alias}` points to version {aliases[alias].to}, which the lock does not have",
                hint=_RESTORE,
                where=self.where(aliases[alias]),
            )
        return found


_RESTORE = "take the file from git again (`git checkout HEAD -- prompts.lock` in its folder)"
_MOVED = (
    "of two branches' lines keep those of the one that is released, delete the other ones, "
    f"and promote again; else {_RESTORE}"
)
_MERGED = (
    "of that prompt, keep the lines of the branch that is released, and delete the other ones; "
    "then run `llmops prompt lock --base BRANCH` with that branch"
)
_MARKED = (
    "keep the lines of both sides, but of one prompt those of the branch that is released alone; "
    "delete the markers, and run `llmops prompt lock --base BRANCH` with that branch"
)


def sealed(line: Mapping[str, Any]) -> str:
    """A line of the lock, with its seal.

    >>> sealed({"prompt": "a", "version": "1.0.0"})
    '{"prompt": "a", "version": "1.0.0", "seal": "d5978f404d23b7b4"}'
    """
    body = json.dumps(line, ensure_ascii=False)[:-1]
    return f'{body}, "seal": "{_digest(body)}"}}'


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _read_block(lines: Iterable[tuple[int, str]], path: Path) -> Block:
    versions: dict[Version, LockedVersion] = {}
    moves: list[Move] = []
    standing: dict[str, Version] = {}
    for number, line in lines:
        where = Where(path, number or None)
        entry = _open(line, where)
        try:
            if "version" in entry:
                version = LockedVersion.from_json(entry, number)
                if version.version in versions:
                    raise DocumentError(
                        f"version {version.version} of `{version.prompt}` stands twice: "
                        "two branches made one",
                        hint=_MERGED,
                        where=where,
                    )
                versions[version.version] = version
            else:
                move = Move.from_json(entry, number)
                if move.came_from != standing.get(move.alias):
                    raise DocumentError(
                        f"`{move.alias}` of `{move.prompt}` is moved from "
                        f"{move.came_from or 'nowhere'} and was at "
                        f"{standing.get(move.alias) or 'nothing'}: two branches moved it, "
                        "or a line is missing",
                        hint=_MOVED,
                        where=where,
                    )
                standing[move.alias] = move.to
                moves.append(move)
        except (KeyError, TypeError, ValueError, UsageError) as error:
            if isinstance(error, DocumentError):
                raise
            raise DocumentError(
                f"not a line of this format: {error}", hint=_RESTORE, where=where
            ) from None
    return Block(versions=tuple(versions[each] for each in sorted(versions)), moves=tuple(moves))


def _open(line: str, where: Where) -> dict[str, Any]:
    seal = _SEAL.search(line)
    if not seal or _digest(line[: seal.start()]) != seal[1]:
        raise DocumentError(
            "this line was edited by hand: its seal does not fit",
            hint=f"{_RESTORE}; versions and aliases are written by `llmops prompt lock`, "
            "`promote` and `rollback`",
            where=where,
        )
    entry: dict[str, Any] = json.loads(line)
    return entry


def _strange(line: str, where: Where) -> DocumentError:
    if _CONFLICT.match(line):
        return DocumentError("holds a merge conflict marker", hint=_MARKED, where=where)
    if where.line == 1:
        return DocumentError(
            f"the first line is not `{_HEAD}`, so this is no lock that this llmops can read",
            hint=_RESTORE,
            where=where,
        )
    return DocumentError("not a line of a lock file", hint=_RESTORE, where=where)
