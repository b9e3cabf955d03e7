"""A case's references as texts, and the best score over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmops.core.scoring import Sample, Score


def references(expected: Any) -> tuple[str, ...]:
    """The acceptable texts: of one text, one number, or a list of these.

    A number reads as JSON spells it; a mapping holds no text to compare with.

    >>> references(["Paris", 75]), references(True), references({"a": 1})
    (('Paris', '75'), ('true',), ())
    """
    if isinstance(expected, str):
        return (expected,)
    if isinstance(expected, bool):
        return ("true" if expected else "false",)
    if expected is None or isinstance(expected, Mapping):
        return ()
    if isinstance(expected, (list, tuple, set, frozenset)):
        each = (references(one) for one in expected if not isinstance(one, (list, tuple)))
        return tuple(text for texts in each for text in texts)
    return (str(expected),)


def best(sample: Sample, compare: Callable[[str], Score]) -> Score:
    """The highest score that `compare` gives over the sample's references.

    Unscored when none of the expected values is a text or a number.
    """
    found: Score | None = None
    for reference in references(sample.expected):
        score = compare(reference)
        if found is None or (score.value or 0.0) > (found.value or 0.0):
            found = score
    if found is None:
        kind = type(sample.expected).__name__
        return Score.unscored(f"the expected value ({kind}) holds no text to compare with")
    return found


def shown(text: str, limit: int = 60) -> str:
    """`text` for a rationale: on one line and short.

    >>> shown("a\\nb" * 50, 12)
    '`a⏎ba⏎ba⏎ba⏎…`'
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return f"`{cut}`".replace("\r", "").replace("\n", "⏎")
