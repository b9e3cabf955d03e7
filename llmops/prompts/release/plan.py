"""What `prompts.lock` should say of the files that are there now.

Working it out writes nothing, so that `lock` can do it and `check` can compare.

A version that is not released is a *draft*: as long as it is not committed,
another edit takes its place and its number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmops.core.errors import DocumentError, NotFound, Where
from llmops.prompts.comparison.changes import classify
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.locked import Block, LockedPart, LockedVersion
from llmops.prompts.lockfile import Lock
from llmops.prompts.prompt import SUFFIX, Prompt, load_prompt
from llmops.prompts.release.bumps import bumped, enough, least, predecessor
from llmops.prompts.release.released import refuse_lost, released_lock
from llmops.prompts.repository import PromptRepository
from llmops.prompts.version_line import with_version
from llmops.prompts.versions import Version


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one prompt needs."""

    name: str
    kind: ChangeKind
    """How the file differs from the version before."""
    before: Version | None
    """The version that it is measured against; `None` for a new prompt."""
    written: str
    """The version that the file says."""
    version: Version
    """The version that it gets."""
    again: bool = False
    """Whether it has the text of an older version again, and so its number."""
    prompt: Prompt | None = None
    """The prompt, if a new version is made of it."""
    asked: bool = False

    @property
    def rewrites(self) -> bool:
        """Whether the file has to say another version."""
        return self.written != str(self.version)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do, so that the lock says what the files are."""

    lock: Lock
    """As it is now."""
    released: Lock
    steps: tuple[Step, ...]
    """The prompts that need something, by name."""
    stale: tuple[LockedVersion, ...]
    """Drafts that nothing has any more."""
    blobs: dict[str, str]
    """The git object id of every file."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps and not self.stale


def plan_lock(
    repository: PromptRepository,
    *,
    names: Iterable[str] | None = None,
    bump: ChangeKind | None = None,
    base: str = "HEAD",
    held: bool = True,
) -> Plan:
    """Work out which prompts need which version; nothing is written.

    `names` limits it to some prompts, `bump` asks for a larger step than the
    changes need. Costs a parse for every file that differs from what is
    locked; the others are told by their git object ids. What is released has
    to be in the lock, unless it is not `held` to that here.

    Raises `UsageError` without git or for an unknown revision, and
    `DocumentError` for a broken file, a lock that was edited by hand, or a
    draft that an alias points to.
    """
    known = repository.names()
    lock = repository.lock()
    released = released_lock(repository, lock, base)
    if held:
        refuse_lost(lock, released)
    blobs = repository.git.files()
    wanted = _wanted(known, names)
    # A draft may have to get another number: a larger one, or the one before it
    # again, once versions of the branch are folded into one.
    anew = bump is not None or base != "HEAD"
    changed = [name for name in wanted if _needs_a_look(lock, released, blobs, name, anew=anew)]
    prompts = {name: _load(repository, blobs, name) for name in changed}
    bases = {name: _base(lock, released, name) for name in changed}
    old = repository.load_all(one for one in bases.values() if one)
    steps = []
    for name, prompt in prompts.items():
        before = bases[name]
        kind = classify(old[before], prompt) if before else ChangeKind.BREAKING
        step = _step(repository, lock, released, blobs, prompt, before, kind, bump)
        if not _is_done(step, standing(lock, blobs, name)):
            steps.append(step)
    current = {step.name: step.version for step in steps}
    stale = [
        draft
        for name in (wanted if names is not None else lock.names())
        for draft in _drafts(lock, released, name)
        if _replaced(draft, name in known, current, standing(lock, blobs, name))
    ]
    _refuse_pinned(lock, stale)
    return Plan(lock=lock, released=released, steps=tuple(steps), stale=tuple(stale), blobs=blobs)


def locked(
    prompt: Prompt, version: Version, blobs: dict[str, str], *, asked: bool
) -> LockedVersion:
    """The lock's line for a prompt whose file says `version`."""
    return LockedVersion(
        prompt=prompt.name,
        version=version,
        content=prompt.fingerprint,
        interface=prompt.interface_fingerprint,
        blob=blobs[f"{prompt.name}{SUFFIX}"],
        parts=tuple(
            LockedPart(path=part.path, content=part.fingerprint, blob=blobs[part.path])
            for part in prompt.parts
        ),
        asked=asked,
        deprecated=prompt.deprecated,
    )


def _wanted(known: list[str], names: Iterable[str] | None) -> list[str]:
    if names is None:
        return known
    wanted = sorted(set(names))
    for name in wanted:
        if name not in known:
            raise NotFound.among("prompt", name, known)
    return wanted


def _load(repository: PromptRepository, blobs: dict[str, str], name: str) -> Prompt:
    prompt = load_prompt(repository.path(name), name=name)
    for path in (f"{name}{SUFFIX}", *(part.path for part in prompt.parts)):
        if (repository.root / path).is_symlink():
            raise DocumentError(
                "is a link: git keeps where it leads, and could not give the locked text back",
                hint="put the file itself here",
                where=Where(repository.root / path),
            )
        if path not in blobs:
            raise DocumentError(
                "is ignored by git, which could not give the locked text back",
                hint="take it out of .gitignore, or move it out of the folder",
                where=Where(repository.root / path),
            )
    return prompt


def standing(lock: Lock, blobs: dict[str, str], name: str) -> LockedVersion | None:
    """The locked version that the files are, byte for byte."""
    found = lock.holding(name, blobs.get(f"{name}{SUFFIX}", "none"))
    matching = (
        one for one in found if all(blobs.get(part.path) == part.blob for part in one.parts)
    )
    return next(matching, None)


def _needs_a_look(
    lock: Lock, released: Lock, blobs: dict[str, str], name: str, *, anew: bool
) -> bool:
    """Whether the files are no locked version, or, `anew`, one that is only a draft."""
    now = standing(lock, blobs, name)
    return now is None or (anew and released.version(name, now.version) is None)


def _is_done(step: Step, now: LockedVersion | None) -> bool:
    """Whether the files and the lock are as the step would leave them."""
    if step.again:
        return not step.rewrites  # the line ends are others, and nothing more
    return now is not None and now.version == step.version


def _drafts(lock: Lock, released: Lock, name: str) -> list[LockedVersion]:
    if lock.agrees(released, name):
        return []
    return [one for one in lock.versions(name) if released.version(name, one.version) is None]


def _base(lock: Lock, released: Lock, name: str) -> LockedVersion | None:
    known = (one.version for one in released.versions(name) if lock.version(name, one.version))
    base = predecessor(known)
    return lock.version(name, base) if base else None


def _step(
    repository: PromptRepository,
    lock: Lock,
    released: Lock,
    blobs: dict[str, str],
    prompt: Prompt,
    before: LockedVersion | None,
    kind: ChangeKind,
    bump: ChangeKind | None,
) -> Step:
    name = prompt.name
    step = Step(
        name=name,
        kind=kind,
        before=before.version if before else None,
        written=prompt.version,
        version=Version.parse(prompt.version),
        prompt=prompt,
    )
    if before is None:
        return step
    again = _released_again(repository, released, blobs, prompt)
    if again is not None:
        return replace(step, version=again.version, again=True, prompt=None)
    versions = [one.version for one in released.versions(name)]
    # Files can differ where their contents do not, as by a comment in a partial.
    needed = max(kind, ChangeKind.COSMETIC)
    lowest = least(versions, needed)
    version = max(lowest, bumped(before.version, bump)) if bump else lowest
    written = Version.parse(prompt.version)
    draft = lock.version(name, written)
    # A number that an earlier lock worked out was nobody's wish.
    wished = draft is None or draft.asked
    if wished and written.release >= version.release and enough(written, versions, needed):
        version = written
    return replace(step, kind=needed, version=version, asked=version != lowest)


def _released_again(
    repository: PromptRepository, released: Lock, blobs: dict[str, str], prompt: Prompt
) -> LockedVersion | None:
    """The released version that has this text but for the number: same content, same version."""
    parts = {part.path: blobs[part.path] for part in prompt.parts}
    candidates = [
        one
        for one in reversed(released.versions(prompt.name))
        if one.content == prompt.fingerprint
        and {part.path: part.blob for part in one.parts} == parts
        and not _candidate_for(one.version, Version.parse(prompt.version))
    ]
    if not candidates:
        return None
    texts = repository.load_all(candidates)
    for one in candidates:
        same = with_version(prompt.source, one.version, path=prompt.path)
        if same.replace("\r\n", "\n") == texts[one].source.replace("\r\n", "\n"):
            return one
    return None


def _candidate_for(released: Version, written: Version) -> bool:
    """Whether a text that was a pre-release is to be the release: the one second number it gets."""
    return bool(released.prerelease) and not written.prerelease and written > released


def _replaced(
    draft: LockedVersion, exists: bool, current: dict[str, Version], now: LockedVersion | None
) -> bool:
    return not exists or draft.prompt in current or now != draft


def _refuse_pinned(lock: Lock, stale: list[LockedVersion]) -> None:
    for draft in stale:
        for alias, move in lock.aliases(draft.prompt).items():
            if move.to == draft.version:
                back = f"`llmops prompt rollback {draft.prompt} --from {alias}` takes the move back"
                if move.came_from is None:
                    back = "`git checkout HEAD -- prompts.lock` in its folder takes the move back"
                raise DocumentError(
                    f"`{draft.prompt}` was edited after `{alias}` was pointed to "
                    f"{draft.version}, which is not committed yet",
                    hint=f"commit {draft.version} first, with the text that it has; or {back}",
                    where=lock.where(move),
                )


def without_drafts(block: Block, stale: Iterable[LockedVersion]) -> Block:
    """The block without the drafts that nothing has any more."""
    gone = set(stale)
    return replace(block, versions=tuple(one for one in block.versions if one not in gone))
