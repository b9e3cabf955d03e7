"""Which versions of which prompts a list of refs means, to be handed on whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmops.core.errors import UsageError, Where
from llmops.prompts.locked import LockedVersion
from llmops.prompts.lockfile import Lock
from llmops.prompts.prompt import Prompt, load_prompt
from llmops.prompts.refs import Alias, PromptRef, Revision
from llmops.prompts.repository import PromptRepository
from llmops.prompts.versions import Version


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What of one prompt is meant."""

    name: str
    prompts: tuple[Prompt, ...]
    """Its versions, ascending."""
    aliases: Mapping[str, str]
    """The version that each alias names."""
    whole: bool
    """Whether all of its aliases are meant, and not those of chosen versions."""


def choose(repository: PromptRepository, refs: Iterable[str] | None = None) -> list[Chosen]:
    """What `refs` mean: without a version, the current one and all that aliases name.

    No refs mean all prompts. Raises `NotFound` for what is not there, and
    `UsageError` for a current one that has changed since it was locked.
    """
    lock = repository.lock()
    if refs is None:
        # A prompt that is no longer in the folder may still be in production.
        aliased = (name for name in lock.names() if lock.aliases(name))
        parsed = [PromptRef(name) for name in sorted({*repository.names(), *aliased})]
    else:
        parsed = [PromptRef.parse(ref) for ref in refs]
    found: dict[str, list[LockedVersion | Prompt]] = {}
    for ref in parsed:
        found.setdefault(ref.name, []).extend(_versions(repository, lock, ref))
    locked = [one for each in found.values() for one in each if isinstance(one, LockedVersion)]
    loaded = repository.load_all(locked)
    whole = {ref.name for ref in parsed if ref.selector is None}
    return [
        _chosen(
            name, [one if isinstance(one, Prompt) else loaded[one] for one in each], lock, whole
        )
        for name, each in found.items()
    ]


def _versions(
    repository: PromptRepository, lock: Lock, ref: PromptRef
) -> list[LockedVersion | Prompt]:
    """What a ref means: locked versions, or a prompt that was never locked."""
    if not lock.versions(ref.name) or isinstance(ref.selector, Revision):
        return [repository.get(ref)]
    if ref.selector is not None:
        return [lock.select(ref)]
    aliased = [lock.select(PromptRef(ref.name, Alias(alias))) for alias in lock.aliases(ref.name)]
    path = repository.path(ref.name)
    if not path.is_file():
        return [*aliased] or [repository.get(ref)]  # which says that it is not there
    current = load_prompt(path, name=ref.name)
    known = lock.version(ref.name, Version.parse(current.version))
    if known is None or known.content != current.fingerprint:
        raise UsageError(
            f"prompt `{ref.name}` has changed since it was locked",
            hint=f"run `llmops prompt lock`, or name a version: `{ref.name}@…`",
            where=Where(path),
        )
    return [*aliased, known]


def _chosen(name: str, prompts: Sequence[Prompt], lock: Lock, whole: set[str]) -> Chosen:
    by_version: dict[str, Prompt] = {}
    for prompt in prompts:
        other = by_version.setdefault(prompt.version, prompt)
        if other.fingerprint != prompt.fingerprint:
            raise UsageError(f"two texts of `{name}` are both version {prompt.version}")
    content = {str(one.version): one.content for one in lock.versions(name)}
    aliases = {alias: str(move.to) for alias, move in lock.aliases(name).items()}
    return Chosen(
        name=name,
        prompts=tuple(by_version[each] for each in sorted(by_version, key=Version.parse)),
        aliases={
            alias: version
            for alias, version in aliases.items()
            if version in by_version and by_version[version].fingerprint == content[version]
        },
        whole=name in whole,
    )
