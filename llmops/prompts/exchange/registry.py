"""Prompts into a registry and out of it.

What is there already is found by its version and content, so that exporting
twice publishes once. All of it is worked out before the first change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from llmops.core.errors import UsageError, Where
from llmops.core.registry import PromptRegistry, RegisteredPrompt, check_content, is_alias
from llmops.prompts.exchange.choosing import Chosen, choose
from llmops.prompts.exchange.registered import (
    CONTENT,
    NAME,
    SOURCE,
    VERSION,
    name_of,
    read_registered,
    register,
    registry_name,
)
from llmops.prompts.exchange.values import Imported
from llmops.prompts.prompt import Prompt
from llmops.prompts.repository import PromptRepository


class Status(StrEnum):
    """What exporting did with a version."""

    PUBLISHED = "published"
    RECOGNISED = "recognised"
    """It was there without our tags, word for word; it has them now."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class MovedAlias:
    """That an alias points to this version now."""

    alias: str
    came_from: int | None
    """The number it pointed to before."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One version of a prompt, and where it is in the registry."""

    name: str
    version: str
    registered: str
    """What the prompt is called there."""
    number: int
    status: Status
    moved: tuple[MovedAlias, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One version on its way."""

    prompt: Prompt
    wanted: RegisteredPrompt
    there: RegisteredPrompt | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is to be done for one prompt."""

    wanted: Chosen
    steps: tuple[_Step, ...]
    aliases: Mapping[str, int]
    """Where the registry's aliases point before."""


def export_prompts(
    repository: PromptRepository,
    registry: PromptRegistry,
    refs: Iterable[str] | None = None,
    *,
    message: str | None = None,
) -> list[Exported]:
    """Publish versions that the registry does not have, and point its aliases as the lock does.

    A ref without a version means the current one and every version that an
    alias names; no refs mean all prompts. Aliases that only the registry has
    are left alone. `message` is the commit message of new versions.

    Raises `UsageError`, with nothing published, for a prompt that has changed
    since it was locked, and for a version that is there with other content.
    """
    wanted = choose(repository, refs)
    known = set(registry.names())
    plans = []
    for each in wanted:
        name = registry_name(each.name)
        there = registry.versions(name) if name in known else []
        plans.append(_plan(each, there, message, registry.location))
    return [made for plan in plans for made in _carry_out(registry, plan)]


def import_prompts(
    registry: PromptRegistry, refs: Iterable[str], *, into: str | None = None
) -> list[Imported]:
    """The prompts that `NAME`, `NAME@ALIAS`, `NAME@NUMBER` or `prompts:/NAME/NUMBER` name.

    `NAME` is as the registry or as we spell it; without a version, the newest
    is meant. `into` is the name of a prompt that comes alone, unless it ends
    with `/`; else it is a folder. Nothing is written. Raises `NotFound` for
    what is not there, and `DocumentError` for what a prompt cannot hold.
    """
    found = [registry.get(*_parsed(ref)) for ref in refs]
    if into and not into.endswith("/") and len(found) == 1:
        return [read_registered(found[0], into)]
    folder = f"{into.rstrip('/')}/" if into else ""
    imported = [read_registered(each, folder + name_of(each)) for each in found]
    names = [each.name for each in imported]
    for each in imported:
        if names.count(each.name) > 1:
            raise UsageError(f"two of the prompts would be named `{each.name}`")
    return imported


def _parsed(ref: str) -> tuple[str, int | str | None]:
    """The registry's name, and the number or alias."""
    if ref.startswith("prompts:/"):
        name, _, number = ref.removeprefix("prompts:/").partition("/")
        ref = f"{name}@{number}" if number else name
    name, at, version = ref.partition("@")
    name = registry_name(name) if "/" in name else name
    if not at or version == "latest":
        return name, None
    return name, int(version) if version.isdecimal() else version


def _plan(
    wanted: Chosen, there: Sequence[RegisteredPrompt], message: str | None, location: str
) -> _Plan:
    for each in there:
        if each.tags.get(NAME, wanted.name) != wanted.name:
            raise UsageError(
                f"`{each.name}` in {location} is the prompt `{each.tags[NAME]}`, "
                f"and not `{wanted.name}`"
            )
    steps: list[_Step] = []
    for prompt in wanted.prompts:
        taken = [step.there for step in steps]
        free = [each for each in there if each not in taken]
        steps.append(_step(prompt, free, message, location))
    return _Plan(
        wanted=wanted,
        steps=tuple(steps),
        aliases={alias: each.number or 0 for each in there for alias in each.aliases},
    )


def _step(
    prompt: Prompt, there: Sequence[RegisteredPrompt], message: str | None, location: str
) -> _Step:
    registered, notes = register(prompt, message=message)
    check_content(registered)
    found = next((each for each in there if _same_words(each, registered)), None)
    for each in there:
        if CONTENT in each.tags and each.tags.get(VERSION) == prompt.version:
            if each.tags[CONTENT] != prompt.fingerprint:
                raise UsageError(
                    f"`{prompt.name}@{prompt.version}` is in {location} with other content",
                    hint=f"number {each.number} there; give the new text a version of its own: "
                    "`llmops prompt lock`",
                    where=Where(prompt.path),
                )
            if each.tags.get(SOURCE) != registered.tags.get(SOURCE):
                notes.append("the text that is there differs in comments or words for people")
            return _Step(prompt=prompt, wanted=registered, there=each, notes=tuple(notes))
    return _Step(prompt=prompt, wanted=registered, there=found, notes=tuple(notes))


def _same_words(there: RegisteredPrompt, wanted: RegisteredPrompt) -> bool:
    """Whether somebody else has published just this."""
    return CONTENT not in there.tags and (
        there.template,
        there.model_config,
        there.response_format,
    ) == (
        wanted.template,
        wanted.model_config,
        wanted.response_format,
    )


def _carry_out(registry: PromptRegistry, plan: _Plan) -> list[Exported]:
    made = {step.prompt.version: _publish(registry, step) for step in plan.steps}
    newest = plan.steps[-1].prompt.version
    for alias, version in plan.wanted.aliases.items():
        one = made[version]
        if not is_alias(alias):
            note = f"`{alias}` cannot be an alias there, where it means a version by itself"
            made[version] = replace(one, notes=(*one.notes, note))
        elif plan.aliases.get(alias) != one.number:
            registry.set_alias(one.registered, alias, one.number)
            moved = MovedAlias(alias=alias, came_from=plan.aliases.get(alias))
            made[version] = replace(one, moved=(*one.moved, moved))
    if plan.wanted.whole:
        notes = [
            f"the alias `{alias}` is only there, on number {number}: left alone"
            for alias, number in sorted(plan.aliases.items())
            if alias not in plan.wanted.aliases
        ]
        made[newest] = replace(made[newest], notes=(*made[newest].notes, *notes))
    return list(made.values())


def _publish(registry: PromptRegistry, step: _Step) -> Exported:
    wanted, there = step.wanted, step.there
    if there is None:
        status, number = Status.PUBLISHED, registry.publish(wanted).number
    elif CONTENT in there.tags:
        status, number = Status.UNCHANGED, there.number
    else:
        status, number = Status.RECOGNISED, there.number
        registry.set_tags(wanted.name, number or 0, wanted.tags)
    return Exported(
        name=step.prompt.name,
        version=step.prompt.version,
        registered=wanted.name,
        number=number or 0,
        status=status,
        notes=step.notes,
    )
