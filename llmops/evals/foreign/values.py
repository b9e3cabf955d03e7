"""Numbers, verdicts and ids, as tools spell them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from llmops.core.scoring import Outcome, Score, Verdict

_WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def number(value: Any) -> float | None:
    """A finite number, a truth value, or a text that spells one of these; else `None`.

    >>> number("0.5"), number(True), number("no"), number("n/a"), number(float("nan"))
    (0.5, 1.0, 0.0, None, None)
    """
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS:
            return _WORDS[word]
        try:
            value = float(word)
        except ValueError:
            return None
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None


def whole(value: Any) -> int:
    """A count, 0 where there is none."""
    return int(number(value) or 0)


def verdict(check: str, value: float | None, *, passed: bool | None, why: str = "") -> Verdict:
    """A judgement: `passed` as the tool said it, `None` where it only measured."""
    if value is None:
        score = Score.unscored(why or "it has no score")
        return Verdict(check=check, outcome=Outcome.UNSCORED, score=score)
    outcome = Outcome.FAILED if passed is False else Outcome.PASSED
    return Verdict(check=check, outcome=outcome, score=Score(value=value, rationale=why))


def failure(check: str, reason: str) -> Verdict:
    """A check that failed on its own: nothing was judged."""
    return Verdict(check=check, outcome=Outcome.ERROR, score=Score.unscored(reason))


def made_id(name: str, content: Any) -> str:
    """An id for a case that has none: what it is called, and a digest of what it asks.

    >>> made_id("Is it open?", {"day": "Sunday"})
    'Is-it-open-951c71440072'
    """
    spelled = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    digest = hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    start = re.sub(r"\W+", "-", name)[:40].strip("-_")
    return f"{start}-{digest}" if start else digest


def as_text(value: Any) -> str | None:
    """A text as it is, anything else as JSON; `None` stays."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
