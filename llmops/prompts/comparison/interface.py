"""What changed in the inputs a prompt takes and in the answers it gives.

Callers give inputs: what was accepted has to be accepted still, so an input
may grow wider. Readers get outputs: what could not come must not come now, so
an output may grow narrower. Everything else breaks somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from llmops.prompts.comparison.kinds import Change, ChangeKind
from llmops.prompts.comparison.values import listed, shown, spelled
from llmops.prompts.inputs import NOT_GIVEN, Input
from llmops.prompts.prompt import Prompt

BREAKING, BEHAVIOUR, COSMETIC = ChangeKind.BREAKING, ChangeKind.BEHAVIOUR, ChangeKind.COSMETIC


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChange:
    """What changed in one input or output."""

    name: str
    state: Literal["added", "removed", "changed"]
    details: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """The change, for programs."""
        return {
            "name": self.name,
            "state": self.state,
            "details": [each.to_json() for each in self.details],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceChange:
    """What changed for callers and readers."""

    inputs: tuple[ValueChange, ...]
    outputs: tuple[ValueChange, ...]
    answer: tuple[Change, ...]
    """What changed in the answer as a whole."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every single change."""
        sides = (*self.inputs, *self.outputs)
        return (*self.answer, *(detail for each in sides for detail in each.details))


def compare_interfaces(old: Prompt, new: Prompt) -> InterfaceChange:
    """What changed from `old` to `new`, each side in the order of its declarations."""
    return InterfaceChange(
        inputs=tuple(_side(_INPUTS, old.inputs, new.inputs)),
        outputs=tuple(_side(_OUTPUTS, old.outputs, new.outputs)),
        answer=tuple(_answer(old.outputs, new.outputs)),
    )


def _answer(old: tuple[Input, ...], new: tuple[Input, ...]) -> Iterator[Change]:
    if bool(old) != bool(new):
        now = "JSON now, and was free text" if new else "free text now, and was JSON"
        yield Change(kind=BREAKING, what=f"the answer is {now}", where=(new or old)[0].where)
        return
    before, after = ([each.name for each in values] for values in (old, new))
    if [name for name in before if name in after] != [name for name in after if name in before]:
        # A model writes its answer in the order of the schema.
        yield Change(kind=BEHAVIOUR, what="the outputs stand in another order", where=new[0].where)


@dataclass(frozen=True, slots=True)
class _Side:
    """How a side calls its values, and what a change means to who depends on it."""

    noun: str
    wider: ChangeKind
    narrower: ChangeKind
    needed: ChangeKind
    """What a required value that is new means."""
    described: ChangeKind


_INPUTS = _Side("input", BEHAVIOUR, BREAKING, BREAKING, COSMETIC)
# An output's description is part of the schema that the model is held to.
_OUTPUTS = _Side("output", BREAKING, BEHAVIOUR, BEHAVIOUR, BEHAVIOUR)


def _side(side: _Side, old: tuple[Input, ...], new: tuple[Input, ...]) -> Iterator[ValueChange]:
    before, after = _by_name(old), _by_name(new)
    for name in [*before, *(name for name in after if name not in before)]:
        details = tuple(_one(side, name, before.get(name), after.get(name)))
        if details:
            state: Literal["added", "removed", "changed"] = "changed"
            if name not in before:
                state = "added"
            elif name not in after:
                state = "removed"
            yield ValueChange(name=name, state=state, details=details)


def _one(side: _Side, label: str, old: Input | None, new: Input | None) -> Iterator[Change]:
    """The changes in what `label` names, down to the last property."""
    if new is None:
        if old is not None:
            yield Change(kind=BREAKING, what=f"{side.noun} `{label}` removed", where=old.where)
    elif old is None:
        need, kind = ("required", side.needed) if _needed(new) else ("optional", BEHAVIOUR)
        yield Change(kind=kind, what=f"{need} {side.noun} `{label}` added", where=new.where)
    else:
        for kind, what in _declared(side, old, new):
            yield Change(kind=kind, what=f"{side.noun} `{label}` {what}", where=new.where)
        yield from _within(side, label, old, new)


def _declared(side: _Side, old: Input, new: Input) -> Iterator[tuple[ChangeKind, str]]:
    """The changes in the declaration itself."""
    if old.kind is not new.kind:
        yield BREAKING, f"is of another kind: {old.kind} → {new.kind}"
    if not _needed(old) and _needed(new):
        yield side.narrower, "is required now"
    if _needed(old) and not _needed(new):
        yield side.wider, "is optional now"
    yield from _nulls(side, old, new)
    yield from _allowed(side, old.enum, new.enum)
    if _differ(old.default, new.default):
        yield BEHAVIOUR, _became("default", old.default, new.default)
    if old.description != new.description:
        yield side.described, "has another description"
    if _differ(old.example, new.example):
        yield COSMETIC, _became("example", old.example, new.example)
    if old.trusted != new.trusted:
        yield COSMETIC, "is trusted now" if new.trusted else "is not trusted any more"


def _nulls(side: _Side, old: Input, new: Input) -> Iterator[tuple[ChangeKind, str]]:
    def taken(declared: Input) -> bool:
        # What an input may be when it is left out, a caller may also spell out.
        left_out = side is _INPUTS and not declared.required and declared.default is NOT_GIVEN
        return declared.nullable or left_out

    if taken(old) and not taken(new) and (old.nullable or not _needed(new)):
        reason = "" if old.nullable else ", since it has a default now"
        yield side.narrower, f"cannot be null any more{reason}"
    elif new.nullable and not taken(old):
        yield side.wider, "can be null now"


def _allowed(
    side: _Side, old: tuple[Any, ...], new: tuple[Any, ...]
) -> Iterator[tuple[ChangeKind, str]]:
    if old and not new:
        yield side.wider, "may have any value now"
    elif new and not old:
        yield side.narrower, f"may only be {listed(new)} now"
    else:
        if gone := [each for each in old if each not in new]:
            yield side.narrower, f"may not be {listed(gone)} any more"
        if come := [each for each in new if each not in old]:
            yield side.wider, f"may be {listed(come)} now"
        if not gone and not come and spelled(old) != spelled(new):
            yield BEHAVIOUR, "lists its values in another way"


def _within(side: _Side, label: str, old: Input, new: Input) -> Iterator[Change]:
    """The changes in the items of an array and the properties of an object."""
    if old.kind is not new.kind:
        return
    if old.items is not None and new.items is not None:
        yield from _one(side, f"{label}[]", old.items, new.items)
    elif old.items is not new.items:
        yield _freedom(side, label, "items", new, free=new.items is None)
    if old.properties and new.properties:
        before, after = _by_name(old.properties), _by_name(new.properties)
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _one(side, f"{label}.{name}", before.get(name), after.get(name))
    elif old.properties != new.properties:
        yield _freedom(side, label, "properties", new, free=not new.properties)


def _freedom(side: _Side, label: str, part: str, new: Input, *, free: bool) -> Change:
    now = f"takes any {part} now" if free else f"has its {part} declared now"
    return Change(
        kind=side.wider if free else side.narrower,
        what=f"{side.noun} `{label}` {now}",
        where=new.where,
    )


def _by_name(values: Iterable[Input]) -> dict[str, Input]:
    return {each.name: each for each in values}


def _needed(declared: Input) -> bool:
    return declared.required and declared.default is NOT_GIVEN


def _differ(old: Any, new: Any) -> bool:
    if old is NOT_GIVEN or new is NOT_GIVEN:
        return old is not new
    return spelled(old) != spelled(new)


def _became(what: str, old: Any, new: Any) -> str:
    if old is NOT_GIVEN:
        return f"has {'an' if what == 'example' else 'a'} {what} now: {shown(new)}"
    if new is NOT_GIVEN:
        return f"has no {what} any more (it was {shown(old)})"
    return f"has another {what}: {shown(old)} → {shown(new)}"
