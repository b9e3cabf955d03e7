"""What is released, and therefore stays: the lock as it is committed.

A version is *released* once the lock of the base revision has it, and a move
of an alias likewise. Nothing that is done to the files may change them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from llmops.core.errors import DocumentError, Where
from llmops.core.files import decode
from llmops.prompts.locked import Block, Move
from llmops.prompts.lockfile import LOCK_NAME, Lock
from llmops.prompts.repository import PromptRepository


def lock_at(repository: PromptRepository, revision: str) -> Lock:
    """The lock as of a revision; empty where that has none, or there is no commit yet."""
    git = repository.git
    path = Path(f"{repository.lock_path}@{revision}")
    name = f"{revision}:./{LOCK_NAME}"
    found = git.blobs([name]).get(name)
    if found is None:
        if revision != "HEAD" or git.has_commits():
            git.commit(revision)  # raises if it is no revision at all
        return Lock(path)
    return Lock.parse(decode(found, path), path)


def released_lock(repository: PromptRepository, lock: Lock, base: str) -> Lock:
    """What nobody may change any more: the lock of `base`.

    While a merge is going on, what the other branch has is released as well.
    """
    ours = lock_at(repository, base)
    if base == "HEAD" and not ours.names() and lock.names():
        return _ever_committed(repository, lock)
    merging = base == "HEAD" and repository.git.merging()
    theirs = lock_at(repository, "MERGE_HEAD") if merging else ours
    joined = {
        name: _joined(lock, ours, theirs, name)
        for name in {*ours.names(), *theirs.names()}
        if not (lock.agrees(ours, name) and lock.agrees(theirs, name))
    }
    return ours.with_blocks(joined)


def refuse_lost(lock: Lock, released: Lock) -> None:
    """Raise `DocumentError` if `lock` does not have all that is released, as it was."""
    for name in released.names():
        if lock.agrees(released, name):
            continue
        for one in released.versions(name):
            if lock.version(name, one.version) != one:
                lost = "is not what was released" if lock.version(name, one.version) else "is gone"
                raise DocumentError(
                    f"version {one.version} of `{name}` {lost}: a released version stays for good",
                    hint=f"see {released.path}; if another branch released that number, name "
                    "it: `llmops prompt lock --base BRANCH`",
                    where=Where(lock.path),
                )
        if not _begins(lock.block(name).moves, released.block(name).moves):
            raise DocumentError(
                f"a move of an alias of `{name}` is gone or changed: their history only grows",
                hint=f"see {released.path}; an alias is moved back with `llmops prompt rollback`",
                where=Where(lock.path),
            )


def _ever_committed(repository: PromptRepository, lock: Lock) -> Lock:
    """What the lock has of which any commit has the text.

    HEAD has no lock here: it is the first one, or the folder was moved, or the
    branch begins anew. Only the first has nothing to lose.
    """
    committed = repository.git.objects("--all")
    blocks = {}
    for name in lock.names():
        block = lock.block(name)
        known = tuple(one for one in block.versions if one.blob in committed)
        if known:
            blocks[name] = replace(block, versions=known)
    return Lock(lock.path).with_blocks(blocks)


def _joined(lock: Lock, ours: Lock, theirs: Lock, name: str) -> Block:
    """What two branches have released of a prompt.

    Where both gave one number, or moved one alias, the one counts that was
    kept. A block that cannot be read, as after a merge that kept the lines of
    both, has nothing to say: what is there now repairs it.
    """
    now = lock.block(name)
    try:
        sides = [theirs.block(name), ours.block(name)]
    except DocumentError:
        return now
    versions = {one.version: one for side in sides for one in side.versions}
    kept = {one.version: one for one in now.versions if any(one in side.versions for side in sides)}
    moves = next((each.moves for each in sides if _begins(now.moves, each.moves)), sides[1].moves)
    return Block(versions=tuple((versions | kept).values()), moves=moves)


def _begins(moves: tuple[Move, ...], earlier: tuple[Move, ...]) -> bool:
    return moves[: len(earlier)] == earlier
