"""Values for a prompt's inputs as they are typed on a command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmops.core.errors import UsageError
from llmops.prompts.prompt import Prompt


def parse_assignments(prompt: Prompt, assignments: Iterable[str]) -> dict[str, Any]:
    """The inputs that `name=value` texts spell, each read by its declared kind.

    `name=@file` takes the file's text, byte for byte; `name=@@text` is the
    value `@text`. Arrays and objects are written as JSON. Raises `UsageError`
    for a text without `=`, an unknown name (with the nearest), a name given
    twice, a value of another kind, or a file that cannot be read.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(
                f"`{name}` is given no value", hint="write `--var name=value` or `name=@file`"
            )
        declared = prompt.input(name)
        if name in values:
            raise UsageError(f"the input `{name}` is given twice")
        values[name] = declared.parse(_text(name, value))
    return values


def _text(name: str, value: str) -> str:
    if value.startswith("@@") or not value.startswith("@"):
        return value.removeprefix("@")
    path = Path(value[1:])
    try:
        # Not as a document: a byte-order mark or a NUL is part of a value.
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}"
    except (OSError, ValueError) as error:
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise UsageError(
        f"the file for the input `{name}` {reason} ({path})",
        hint=f"write `{name}=@{value}` if the value itself starts with `@`",
    )
