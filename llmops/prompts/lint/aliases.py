"""Rules on the lock file: an alias points to a version that is there and may be used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from llmops.core.errors import DocumentError, Where
from llmops.prompts.deprecation import Deprecation
from llmops.prompts.lint.findings import Finding, Level, found
from llmops.prompts.locked import Move
from llmops.prompts.lockfile import Lock


def aliases(lock: Lock, name: str, current: Deprecation | None, today: date) -> Iterator[Finding]:
    """What is wrong with a prompt's aliases; `current` is what its file says now."""
    try:
        moves = lock.aliases(name)
    except DocumentError as error:
        yield found(
            "broken", error.message, error.where or Where(lock.path), prompt=name, hint=error.hint
        )
        return
    for alias, move in moves.items():
        locked = lock.version(name, move.to)
        if locked is None:
            known = ", ".join(f"`{each.version}`" for each in lock.versions(name)[-6:])
            yield found(
                "dangling-alias",
                f"`{name}@{alias}` points to {move.to}, which the lock does not have",
                lock.where(move),
                prompt=name,
                hint=f"versions are {known}" if known else "take the file from git again",
            )
            continue
        if deprecated := current or locked.deprecated:
            yield _deprecated(lock, name, move, deprecated, today)


def _deprecated(lock: Lock, name: str, move: Move, deprecated: Deprecation, today: date) -> Finding:
    overdue = deprecated.overdue(today)
    return found(
        "deprecated-alias",
        f"`{name}@{move.alias}` points to {move.to}, which is deprecated",
        lock.where(move),
        prompt=name,
        hint=deprecated.advice(today),
        level=Level.ERROR if overdue else None,
    )
