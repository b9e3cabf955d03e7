"""Constraints on the answer: how an endpoint is told of them, and whether it obeys.

Servers accept fields that they do not know and answer freely, with status
200. So before the first constrained call an endpoint is asked for one of two
words that nobody would say unasked, and each constrained answer is looked at.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any

from llmops.core.chat import ChatReply, Constraint
from llmops.core.errors import BadResponse, RequestRejected, Unsupported


class Dialect(StrEnum):
    """How an endpoint wants to hear of a constraint."""

    STRUCTURED_OUTPUTS = "structured_outputs"
    """vLLM's own field: JSON Schema, regular expression, choice, grammar."""
    RESPONSE_FORMAT = "response_format"
    """OpenAI's field: JSON Schema only."""


Ask = Callable[[dict[str, Any]], Awaitable[str]]
"""Sends the fields of a constraint with a harmless message; gives the answer's text."""

_FOUND: dict[str, frozenset[Dialect]] = {}
"""What each model identity was seen to obey; one probe a process is enough."""


def fields_for(constraint: Constraint, dialect: Dialect) -> dict[str, Any]:
    """The body's fields that carry `constraint`."""
    if dialect is Dialect.STRUCTURED_OUTPUTS:
        return {"structured_outputs": {constraint.kind: constraint.value}}
    schema = {"name": "answer", "strict": True, "schema": constraint.value}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


async def dialect_for(
    constraint: Constraint,
    identity: str,
    ask: Ask,
    candidates: Sequence[Dialect] = tuple(Dialect),
) -> Dialect:
    """The first of `candidates` that can carry `constraint` and was seen to bind.

    Raises `Unsupported` when there is none. A provider that fails while being
    asked raises its own error, and nothing is concluded.
    """
    if identity not in _FOUND:
        bind = [each for each in candidates if await _binds(each, ask)]
        _FOUND[identity] = frozenset(bind)
    found = _FOUND[identity]
    if Dialect.STRUCTURED_OUTPUTS in found:
        return Dialect.STRUCTURED_OUTPUTS
    if Dialect.RESPONSE_FORMAT in found and constraint.kind == "json":
        return Dialect.RESPONSE_FORMAT
    if found:
        raise Unsupported(
            f"this endpoint can hold an answer to a JSON Schema, not to a {constraint.kind}",
            hint="write the constraint as a JSON Schema, or serve the model with vLLM",
        )
    raise Unsupported(
        "this endpoint does not hold an answer to a constraint: asked for one of two words, "
        "it said something else or refused",
        hint="serve the model with vLLM 0.30 or newer (`llmops serve`)",
    )


def checked(constraint: Constraint, reply: ChatReply) -> ChatReply:
    """`reply`, when it is what `constraint` asks for; `BadResponse` otherwise."""
    problem = _problem(constraint, reply.text)
    if problem is None:
        return reply
    if reply.truncated:
        error = BadResponse(
            f"the answer was cut at {reply.usage.output_tokens} tokens, before it was {problem}",
            hint="raise the prompt's `maxOutputTokens` or the suite's `max_tokens`",
        )
    else:
        error = BadResponse(f"the answer is not {problem}, though the request was constrained")
    # The same seed and temperature give the same answer.
    error.retryable = False
    raise error


def _problem(constraint: Constraint, text: str) -> str | None:
    """What the text should be and is not."""
    match constraint.kind:
        case "choice":
            return None if text in constraint.value else "one of the choices"
        case "json":
            try:
                json.loads(text)
            except ValueError:
                return "JSON"
            return None
        case "regex":
            try:
                fits = re.fullmatch(constraint.value, text) is not None
            except re.error:  # a dialect of the server's that Python does not read
                return None
            return None if fits else "a match of the regular expression"
        case _:
            return None


async def _binds(dialect: Dialect, ask: Ask) -> bool:
    words = [_word(), _word()]
    try:
        if dialect is Dialect.STRUCTURED_OUTPUTS:
            text = await ask(fields_for(Constraint(kind="choice", value=words), dialect))
            return text in words
        schema = {
            "type": "object",
            "properties": {"word": {"type": "string", "enum": words}},
            "required": ["word"],
            "additionalProperties": False,
        }
        text = await ask(fields_for(Constraint(kind="json", value=schema), dialect))
        answer = json.loads(text)
        return isinstance(answer, dict) and answer.get("word") in words
    except (RequestRejected, ValueError) as error:
        if isinstance(error, RequestRejected) and type(error) is not RequestRejected:
            raise  # a wrong key or model says nothing about constraints
        return False


def _word() -> str:
    return "".join(random.choices("bcdfghjklmnpqrstvwxz", k=8))  # noqa: S311 - no secret
