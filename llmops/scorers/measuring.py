"""Asking a scorer: awaited where it must be, and always answered with a `Score`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from numbers import Real
from typing import Any

from llmops.core.scoring import Sample, Score, Scorer

Returned = Score | float | bool
"""What a function scorer may return; a bool counts as 1 or 0."""


async def measure(scorer: Scorer, sample: Sample) -> Score:
    """The scorer's score of `sample`.

    What the scorer raises is passed on: a scorer that fails has not said
    "bad". `TypeError` when it returns neither a score nor a number.
    """
    found: Any = scorer.score(sample)
    if inspect.isawaitable(found):
        found = await found
    return as_score(found, scorer.name)


def as_score(found: Any, name: str) -> Score:
    """What a scorer returned, as a `Score` whose value is a float.

    >>> as_score(True, "polite").value
    1.0
    """
    if isinstance(found, Score):
        if found.value is None or type(found.value) is float:
            return found
        return replace(found, value=float(found.value))
    if isinstance(found, Real):
        return Score(value=float(found))
    if callable(getattr(found, "item", None)) and getattr(found, "shape", None) == ():
        return as_score(found.item(), name)  # numpy's and torch's scalars
    raise TypeError(
        f"scorer `{name}` returned {type(found).__name__}, not a Score, a number or a bool"
    )


async def awaited(found: Awaitable[Any], name: str) -> Score:
    """The score that an asynchronous scorer comes to."""
    return as_score(await found, name)


def lacking(needs: Iterable[str], sample: Sample) -> str | None:
    """Why `sample` cannot be scored by a scorer with these needs; `None` when it can.

    >>> lacking({"contexts"}, Sample(output="Paris"))
    'the case has no contexts'
    """
    for need in sorted(needs):
        value = getattr(sample, need)
        if value is None or value in ((), []):
            return f"the case has no {_CALLED.get(need, need)}"
    return None


_CALLED = {"expected": "expected value"}
