"""Messages as chat APIs spell them: a list of `role` and `content`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.core.chat import Role
from llmops.core.errors import DocumentError, Where

ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "developer": "developer",
}
"""The roles that a prompt may have."""


def read_chat(content: Any, where: Where) -> list[tuple[Role, str]]:
    """Who says what.

    Raises `DocumentError` for what is no list of messages, an unknown role,
    and a content that is more than one text, such as an image.
    """
    if not isinstance(content, list) or not content:
        raise DocumentError(
            "is data, and no list of messages with `role` and `content`", where=where
        )
    return [_message(each, number, where) for number, each in enumerate(content, 1)]


def read_role(role: Any, where: Where) -> Role:
    """A role by its name; `DocumentError` names those that there are."""
    known = ROLES.get(role.lower()) if isinstance(role, str) else None
    if known is None:
        raise DocumentError(
            f"`{role}` is not a role here",
            hint="roles are " + ", ".join(f"`{each}`" for each in ROLES),
            where=where,
        )
    return known


def _message(message: Any, number: int, where: Where) -> tuple[Role, str]:
    if not isinstance(message, Mapping) or not {"role", "content"} <= message.keys():
        raise DocumentError(f"message {number} has no `role` and `content`", where=where)
    for key in message.keys() - {"role", "content"}:
        raise DocumentError(
            f"message {number} has `{key}`, which a prompt cannot hold", where=where
        )
    return read_role(message["role"], where), read_content(message["content"], number, where)


def read_content(content: Any, number: int, where: Where) -> str:
    """The one text of a message's content."""
    match content:
        case str():
            return content
        case [{"type": "text", "text": str(text)}]:
            return text
    raise DocumentError(
        f"message {number} holds more than one text, such as an image, which a prompt cannot hold",
        where=where,
    )
