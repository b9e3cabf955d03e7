"""Steps that every reader takes: variables become inputs, values become examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmops.prompts.exchange.values import Conversation, Piece, Turn, Variable


def variables(turns: Iterable[Turn | Conversation]) -> list[str]:
    """The names of the variables of all messages, in the order of their first use."""
    names: dict[str, None] = {}
    for turn in turns:
        if isinstance(turn, Conversation):
            names[turn.name] = None
        else:
            names |= {each.name: None for each in turn.pieces if isinstance(each, Variable)}
    return list(names)


def renamed(
    turns: Sequence[Turn | Conversation], named: Mapping[str, str]
) -> list[Turn | Conversation]:
    """The messages with each variable under its name in `named`."""

    def piece(each: Piece) -> Piece:
        return Variable(named[each.name]) if isinstance(each, Variable) else each

    return [
        Conversation(named[turn.name], turn.last)
        if isinstance(turn, Conversation)
        else Turn(turn.role, tuple(map(piece, turn.pieces)))
        for turn in turns
    ]


def as_text(value: Any) -> str | None:
    """A simple value as other tools print it; `None` for what has no such text.

    >>> as_text(True), as_text(2.0), as_text("x"), as_text([1])
    ('true', '2', 'x', None)
    """
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
    return None
