"""Everything that differs between two versions of a prompt, ready to be read by a reviewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import LlmopsError, Where
from llmops.prompts.comparison.changes import Change, ChangeKind, classify
from llmops.prompts.comparison.interface import ValueChange, compare_interfaces
from llmops.prompts.comparison.messages import MessageChange, compare_messages
from llmops.prompts.comparison.parameters import ParameterChange, compare_parameters
from llmops.prompts.comparison.parts import PartChange, compare_parts
from llmops.prompts.comparison.values import quoted
from llmops.prompts.prompt import Prompt

CountTokens = Callable[[Prompt], int]
"""Tokens of a rendered prompt; raises `LlmopsError` that says why they cannot be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two versions."""

    name: str
    version: str
    fingerprint: str

    def to_json(self) -> dict[str, Any]:
        """What identifies it."""
        return {"name": self.name, "version": self.version, "fingerprint": self.fingerprint}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """How many tokens reach the model, by its own tokenizer."""

    before: int | None = None
    after: int | None = None
    reason: str | None = None
    """Why a count is missing."""

    def to_json(self) -> dict[str, Any]:
        """The counts, for programs."""
        return {"before": self.before, "after": self.after, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDiff:
    """What changed from one version of a prompt to another."""

    before: Side | None
    """`None` where the prompt is new."""
    after: Side | None
    """`None` where the prompt is gone."""
    kind: ChangeKind
    reasons: tuple[Change, ...]
    """All that changed, in words, the weightiest first."""
    inputs: tuple[ValueChange, ...]
    outputs: tuple[ValueChange, ...]
    parameters: tuple[ParameterChange, ...]
    messages: tuple[MessageChange, ...]
    """All of them, also those that stayed."""
    parts: tuple[PartChange, ...]
    tokens: Tokens

    @property
    def name(self) -> str:
        """What the prompt is called, or was when it was there."""
        side = self.after or self.before
        return side.name if side else ""

    def to_json(self) -> dict[str, Any]:
        """The whole difference, for programs."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "bump": self.kind.bump,
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json() if self.after else None,
            "reasons": [each.to_json() for each in self.reasons],
            "inputs": [each.to_json() for each in self.inputs],
            "outputs": [each.to_json() for each in self.outputs],
            "parameters": [each.to_json() for each in self.parameters],
            "messages": [each.to_json() for each in self.messages],
            "parts": [each.to_json() for each in self.parts],
            "tokens": self.tokens.to_json(),
        }


def compare(
    old: Prompt | None, new: Prompt | None, *, count_tokens: CountTokens | None = None
) -> PromptDiff:
    """What changed from `old` to `new`; `None` stands for a side that lacks the prompt.

    Works offline; without `count_tokens`, tokens are not counted. Raises
    `DocumentError` for a template that cannot be read, and `ValueError` when
    there is nothing on either side.
    """
    if old is None or new is None:
        return _alone(old, new, count_tokens)
    kind = classify(old, new)
    interface = compare_interfaces(old, new)
    parameters = compare_parameters(old, new)
    messages = compare_messages(old.messages_source(), new.messages_source())
    parts = compare_parts(old, new)
    reached = min(kind, ChangeKind.BEHAVIOUR)
    found = [
        *interface.changes,
        *_parameters(parameters, new),
        *_messages(messages, old, new, reached),
        *_parts(parts, new, reached),
        *_for_people(old, new),
    ]
    return PromptDiff(
        before=_side(old),
        after=_side(new),
        kind=kind,
        reasons=_weighed(found, kind, new),
        inputs=interface.inputs,
        outputs=interface.outputs,
        parameters=parameters,
        messages=messages,
        parts=parts,
        tokens=_tokens(old, new, count_tokens),
    )


def _alone(old: Prompt | None, new: Prompt | None, count_tokens: CountTokens | None) -> PromptDiff:
    """A prompt that only one side has."""
    prompt = new or old
    if prompt is None:
        raise ValueError("there is no prompt on either side")
    where = Where(prompt.path)
    if new is None:
        reason = Change(kind=ChangeKind.BREAKING, what="prompt removed", where=where)
    else:
        reason = Change(kind=ChangeKind.BEHAVIOUR, what="prompt added", where=where)
    return PromptDiff(
        before=_side(old),
        after=_side(new),
        kind=reason.kind,
        reasons=(reason,),
        inputs=(),
        outputs=(),
        parameters=(),
        messages=compare_messages(
            old.messages_source() if old else (), new.messages_source() if new else ()
        ),
        parts=(),
        tokens=_tokens(old, new, count_tokens),
    )


def _side(prompt: Prompt | None) -> Side | None:
    if prompt is None:
        return None
    return Side(name=prompt.name, version=prompt.version, fingerprint=prompt.fingerprint)


def _tokens(old: Prompt | None, new: Prompt | None, count: CountTokens | None) -> Tokens:
    if count is None:
        return Tokens(reason="not asked for")
    counted: list[int | None] = []
    reason = None
    for prompt in (old, new):
        if counted and old and new and old.fingerprint == new.fingerprint:
            counted.append(counted[0])
            continue
        try:
            counted.append(count(prompt) if prompt else None)
        except LlmopsError as error:
            reason = reason or error.message
            counted.append(None)
    return Tokens(before=counted[0], after=counted[1], reason=reason)


def _weighed(found: list[Change], kind: ChangeKind, new: Prompt) -> tuple[Change, ...]:
    """The changes by weight, with a word for a change that none of them tells."""
    untold = {
        ChangeKind.COSMETIC: "comments, order or white space that no model sees",
        ChangeKind.BEHAVIOUR: "the template or the interface written in another way",
    }
    if kind in untold and kind not in {each.kind for each in found}:
        found = [*found, Change(kind=kind, what=untold[kind], where=Where(new.path))]
    return tuple(sorted(found, key=lambda each: each.kind, reverse=True))


def _parameters(changes: tuple[ParameterChange, ...], new: Prompt) -> Iterator[Change]:
    for each in changes:
        yield Change(
            kind=ChangeKind.BEHAVIOUR,
            what=each.told,
            where=Where(new.path),
        )


def _messages(
    changes: tuple[MessageChange, ...], old: Prompt, new: Prompt, kind: ChangeKind
) -> Iterator[Change]:
    words = {"added": "added", "removed": "removed", "changed": "reworded"}
    for each in changes:
        if each.state == "same":
            continue
        what = f"{each.label} {words[each.state]}"
        if kind is ChangeKind.COSMETIC:
            what = f"{each.label} written in another way"
        if each.old_role:
            what = f"a message of `{each.old_role}` is one of `{each.role}` now"
        path = old.path if each.state == "removed" else new.path
        yield Change(kind=kind, what=what, where=Where(path, each.line))


def _parts(changes: tuple[PartChange, ...], new: Prompt, kind: ChangeKind) -> Iterator[Change]:
    for each in changes:
        what = "examples" if each.path == new.examples_path else "partial"
        where = Where(new.tree.where(each.path)) if new.tree else None
        seen = ChangeKind.COSMETIC if each.cosmetic else kind
        told = "reads differently" if each.cosmetic and each.state == "changed" else each.state
        yield Change(kind=seen, what=f"{what} {quoted(each.path)} {told}", where=where)


def _for_people(old: Prompt, new: Prompt) -> Iterator[Change]:
    """What is told to people and no model."""
    told = {
        "display_name": "title",
        "description": "description",
        "authors": "authors",
        "tags": "tags",
        "deprecated": "deprecation",
    }
    for attribute, name in told.items():
        if getattr(old, attribute) != getattr(new, attribute):
            first = "a" if getattr(old, attribute) in (None, "", ()) else "another"
            gone = getattr(new, attribute) in (None, "", ())
            what = f"no {name} any more" if gone else f"{first} {name}"
            yield Change(kind=ChangeKind.COSMETIC, what=what, where=Where(new.path))
