"""What a metric's answers say, in a sentence: how many held, and the first that did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops.scorers.references import shown

_JUDGED = ("verdict", "attributed")
_SAID = ("feedback", "reason")


def told(answers: Sequence[Any]) -> str:
    """The verdicts among `answers`, counted; or what the last one gives as its reason.

    >>> from types import SimpleNamespace as Answer
    >>> told([Answer(verdict=1, reason="it says so"), Answer(verdict=0, reason="it is silent")])
    '1 of 2 hold; not `it is silent`'
    """
    verdicts = [verdict for answer in answers for verdict in _verdicts(answer)]
    if verdicts:
        failed = [why for held, why in verdicts if not held]
        counted = f"{len(verdicts) - len(failed)} of {len(verdicts)} hold"
        return f"{counted}; not {shown(failed[0], 160)}" if failed else counted
    if ratings := [answer.rating for answer in answers if hasattr(answer, "rating")]:
        return "rated " + " and ".join(str(each) for each in ratings)
    said = (getattr(answer, name, "") for answer in reversed(answers) for name in _SAID)
    return next((text for text in said if text), "")


def _verdicts(answer: Any) -> list[tuple[bool, str]]:
    """Each judgement in an answer, with what it is about."""
    lists = (getattr(answer, name, None) for name in ("statements", "classifications"))
    items = next((each for each in lists if each), [answer])
    return [
        (int(getattr(item, name)) == 1, str(getattr(item, "statement", "") or item.reason))
        for item in items
        for name in _JUDGED
        if hasattr(item, name)
    ]
