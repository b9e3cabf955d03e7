"""Values of declarations and parameters, as a line of a review shows them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

_LONGEST = 60


def spelled(value: Any) -> str:
    """`value` as JSON, where `1`, `1.0` and `true` differ."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def shown(value: Any) -> str:
    """`value` as JSON between backticks, of which it holds none, cut where it is long.

    >>> shown("kind"), shown([1, 2])
    ('`"kind"`', '`[1, 2]`')
    """
    text = json.dumps(value, ensure_ascii=False).replace("`", "\\u0060")
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"


def quoted(text: str) -> str:
    """A text of somebody else's between backticks, in which it stays."""
    return f"`{text.replace('`', chr(39))}`"


def listed(values: Iterable[Any]) -> str:
    """Several of them."""
    return ", ".join(shown(each) for each in values)
