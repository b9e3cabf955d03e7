"""How a sample fills a judge's prompt: which of its parts goes into which variable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import NotFound, UsageError
from llmops.core.scoring import Sample
from llmops.core.services import Declared, Renderable

PARTS = ("output", "expected", "contexts")
"""Parts of a sample that go into a variable of their name; others come from its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a variable's value comes from."""

    variable: str
    kind: str
    part: str
    """`output`, `expected`, `contexts`, or a variable of the case's input."""
    needed: bool
    """Whether the prompt cannot do without it."""


class Filling:
    """The variables of one judge's prompt, each with its source."""

    def __init__(
        self,
        prompt: Renderable,
        mapping: Mapping[str, str],
        fixed: Mapping[str, Any],
        own: Iterable[str],
    ):
        """`fixed` values come from the suite, those named in `own` from the judge itself.

        Raises `NotFound` for a variable that the prompt does not declare.
        """
        declared = {each.name: each for each in prompt.inputs}
        own = frozenset(own)
        for name in (*mapping, *fixed, *sorted(own)):
            if name not in declared:
                raise NotFound.among(f"input of the prompt `{prompt.name}`", name, declared)
        taken = own | fixed.keys()
        for name in mapping:
            if name in taken:
                raise UsageError(f"the input `{name}` of `{prompt.name}` is filled by the judge")
        self._fixed = dict(fixed)
        self._sources = tuple(
            Source(
                variable=name,
                kind=str(each.kind),
                part=mapping.get(name, name),
                needed=name in mapping or must_be_given(each),
            )
            for name, each in declared.items()
            if name not in taken
        )

    @property
    def needs(self) -> frozenset[str]:
        """The parts that a sample must have: `expected`, `contexts`."""
        return frozenset(
            each.part for each in self._sources if each.needed and each.part in PARTS[1:]
        )

    @property
    def needs_inputs(self) -> frozenset[str]:
        """The variables that the case's input must have."""
        return frozenset(
            each.part for each in self._sources if each.needed and each.part not in PARTS
        )

    def values(self, sample: Sample) -> dict[str, Any]:
        """The prompt's inputs for `sample`; `UsageError` says what the case lacks."""
        values = dict(self._fixed)
        for source in self._sources:
            found = self._part(source, sample)
            if found is not None:
                values[source.variable] = shaped(found, source.kind)
            elif source.needed:
                raise UsageError(f"the case has no `{source.part}`")
        return values

    @staticmethod
    def _part(source: Source, sample: Sample) -> Any:
        if source.part == "contexts":
            return list(sample.contexts) or None
        return (
            getattr(sample, source.part)
            if source.part in PARTS
            else (sample.input.get(source.part))
        )


def shaped(value: Any, kind: str) -> Any:
    """`value` as the kind of value that a prompt declares.

    Several texts become one with an empty line between them, other values the
    JSON that spells them; one text becomes a list of it.

    >>> shaped(["Paris", "Rome"], "string"), shaped("Paris", "array"), shaped(75, "string")
    ('Paris\\n\\nRome', ['Paris'], '75')
    """
    if kind == "string" and not isinstance(value, str):
        if isinstance(value, Sequence) and all(isinstance(each, str) for each in value):
            value = "\n\n".join(value)
        else:
            value = json.dumps(value, ensure_ascii=False, default=str)
    if kind == "array" and not isinstance(value, list):
        value = list(value) if isinstance(value, tuple) else [value]
    return _spellable(value)


def _spellable(value: Any) -> Any:
    """`value` without half surrogate pairs, which no request could carry."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return [_spellable(each) for each in value] if isinstance(value, list) else value


def must_be_given(declared: Declared) -> bool:
    """Whether the prompt cannot do without an input."""
    try:
        declared.absent()
    except UsageError:
        return True
    return False
