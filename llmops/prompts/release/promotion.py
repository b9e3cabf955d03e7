"""Moving an alias: a recorded and reversible act, on the evidence of an evaluation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from llmops.core.errors import NotFound, UsageError, Where
from llmops.core.files import write_text
from llmops.prompts.locked import Block, Evidence, LockedVersion, Move
from llmops.prompts.lockfile import Lock
from llmops.prompts.refs import Alias, PromptRef, is_alias
from llmops.prompts.release.turns import only_writer
from llmops.prompts.repository import PromptRepository
from llmops.prompts.versions import Version


def promote(
    repository: PromptRepository,
    name: str,
    version: str,
    *,
    to: str,
    why: str,
    evidence: Evidence | None = None,
    force: bool = False,
    who: str | None = None,
) -> Move | None:
    """Point the alias `to` to a locked version; the lock file is all that is written.

    `evidence` is a passing evaluation of that very content; without one the
    move is refused, or recorded as forced with `force`. `who` defaults to the
    git identity. Gives `None` when the alias points there already.

    Raises `UsageError` for a missing reason or evidence, and `NotFound` for a
    version that is not locked.
    """
    with only_writer(repository):
        lock = repository.lock()
        target = _target(repository, lock, name, version)
        alias = _alias(to)
        standing = lock.aliases(name).get(alias)
        if standing is not None and standing.to == target.version:
            return None
        reason = _reason(why)
        if not reason:
            raise UsageError("a move needs a reason", hint='say it with `--why "…"`')
        if evidence is None and not force:
            raise UsageError(
                f"no passing evaluation of `{name}@{target.version}` is known, "
                f"whose content is {target.content}",
                hint="run a suite on it (`llmops eval run …`) and promote again; "
                "`--force --why …` moves it without, and is recorded",
            )
        move = Move(
            prompt=name,
            alias=alias,
            to=target.version,
            came_from=standing.to if standing else None,
            why=reason,
            who=who or repository.git.identity(),
            at=_now(),
            evidence=evidence,
            forced=evidence is None,
        )
        _record(repository, lock, move)
        return move


def rollback(
    repository: PromptRepository,
    name: str,
    alias: str,
    *,
    why: str = "",
    who: str | None = None,
) -> Move:
    """Point an alias back to where it was before its last promotion.

    Done again, it goes back one promotion more. The evidence of then is
    recorded again. Raises `NotFound` for an unknown alias, and `UsageError`
    where there is nothing to go back to.
    """
    with only_writer(repository):
        lock = repository.lock()
        if not lock.versions(name):
            raise NotFound.among("locked prompt", name, lock.names(), where=Where(lock.path))
        lock.select(PromptRef(name, Alias(_alias(alias))))
        stack = _stack(lock.moves(name, alias))
        if len(stack) < 2:
            raise UsageError(
                f"`{alias}` of `{name}` was nowhere before {stack[-1].to}: "
                "there is nothing to go back to",
                hint=f"`llmops prompt history {name}` shows its moves",
                where=lock.where(stack[-1]),
            )
        standing, earlier = stack[-1], stack[-2]
        lock.select(PromptRef(name, earlier.to))
        move = replace(
            earlier,
            came_from=standing.to,
            kind="rollback",
            why=_reason(why) or f"rolled back from {standing.to}",
            who=who or repository.git.identity(),
            at=_now(),
            line=None,
        )
        _record(repository, lock, move)
        return move


def _stack(moves: list[Move]) -> list[Move]:
    """The promotions that led to where the alias is; a rollback takes the last one back."""
    stack: list[Move] = []
    for move in moves:
        if move.kind == "rollback" and len(stack) > 1:
            stack.pop()
        else:
            stack.append(move)
    return stack


def _target(repository: PromptRepository, lock: Lock, name: str, version: str) -> LockedVersion:
    if not lock.versions(name):
        if repository.path(name).is_file():
            raise UsageError(
                f"prompt `{name}` is not locked, so it has no version to point to",
                hint="run `llmops prompt lock`",
                where=Where(repository.path(name)),
            )
        raise NotFound.among("prompt", name, {*lock.names(), *repository.names()})
    return lock.select(PromptRef(name, Version.parse(version)))


def _alias(name: str) -> str:
    if not is_alias(name):
        raise UsageError(
            f"`{name}` cannot name an alias",
            hint="a lower-case letter, then letters, digits, `-` and `_`: `production`",
        )
    return name


def _reason(why: str) -> str:
    try:
        why.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("the reason is not UTF-8 text") from None
    return why.strip()


def _record(repository: PromptRepository, lock: Lock, move: Move) -> None:
    block = lock.block(move.prompt)
    changed = Block(versions=block.versions, moves=(*block.moves, move))
    write_text(repository.lock_path, lock.with_blocks({move.prompt: changed}).text())


def _now() -> str:
    # To the microsecond: no two lines of the lock may be the same.
    return datetime.now(UTC).isoformat(timespec="microseconds")
