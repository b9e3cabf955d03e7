"""The shared registry, as its users see it: released prompts by name, number and alias.

A registry numbers what is published under a name: 1, 2, 3 and so on. Numbers
and texts stay as they are; aliases and tags may be moved and set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from llmops.core.errors import UsageError

MOST_TEXT = 100_000
"""Characters that a template, or the value of a tag, may have."""
MOST_MESSAGE = 5_000
"""Characters that a commit message may have."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,250}")
_ALIAS = re.compile(r"(?!(?:latest|v?\d+)$)[A-Za-z0-9_-]{1,250}", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,249}")


class Turn(NamedTuple):
    """One message of a template."""

    role: str
    content: str


Template = str | tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True)
class RegisteredPrompt:
    """One version of a prompt in a registry."""

    name: str
    """As the registry spells it: letters, digits, `.`, `_` and `-`."""
    number: int | None = None
    """The registry's own; `None` before it is published."""
    template: Template
    """One text, or the messages of a chat; gaps are written `{{name}}` or in Jinja2."""
    commit_message: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    """Those that name this version, sorted."""
    model_config: Mapping[str, Any] = field(default_factory=dict)
    """The model and how it is sampled, in the registry's words."""
    response_format: Mapping[str, Any] | None = None
    """The JSON Schema of the answer."""


@runtime_checkable
class PromptRegistry(Protocol):
    """A store of prompts that many projects share.

    Every method raises `NotFound` for a name, number or alias that is not
    there, `UsageError` for one that cannot be, and `ProviderError` when the
    registry does not answer as it should.
    """

    @property
    def location(self) -> str:
        """Where it is, for people; without passwords."""
        ...

    def names(self) -> list[str]:
        """The names of all prompts, sorted."""
        ...

    def versions(self, name: str) -> list[RegisteredPrompt]:
        """All versions of a prompt, oldest first; empty if the name is unknown."""
        ...

    def get(self, name: str, version: int | str | None = None) -> RegisteredPrompt:
        """The version of that number or alias; left out, the newest."""
        ...

    def publish(self, prompt: RegisteredPrompt) -> RegisteredPrompt:
        """Add a version under `prompt.name`, and give it back with its number.

        Number and aliases of `prompt` are not looked at. All of it is there
        afterwards, or nothing.
        """
        ...

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias to a version, wherever it pointed before."""
        ...

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; the version stays. Nothing happens if it is not there."""
        ...

    def set_tags(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version; others stay as they are."""
        ...


def check_name(name: str) -> None:
    """Raise `UsageError` for what cannot name a prompt in a registry."""
    if not _NAME.fullmatch(name) or not name.strip("."):
        raise UsageError(
            f"`{name}` cannot name a prompt in a registry",
            hint="names there are letters, digits, `.`, `_` and `-`, 250 at most",
        )


def is_alias(alias: str) -> bool:
    """Whether a registry takes `alias`; `latest`, numbers and `v1` mean versions by themselves.

    >>> is_alias("production"), is_alias("latest"), is_alias("v2")
    (True, False, False)
    """
    return _ALIAS.fullmatch(alias) is not None


def check_alias(alias: str) -> None:
    """Raise `UsageError` for what a registry does not take as an alias."""
    if not is_alias(alias):
        raise UsageError(
            f"`{alias}` cannot be an alias in a registry",
            hint="letters, digits, `_` and `-`; `latest`, numbers and `v1` are versions already",
        )


def check_content(prompt: RegisteredPrompt) -> None:
    """Raise `UsageError` for what is empty, too long or badly named in `prompt`."""
    check_name(prompt.name)
    if not prompt.template:
        raise UsageError(f"the prompt `{prompt.name}` has no text")
    is_text = isinstance(prompt.template, str)
    what = f"the prompt `{prompt.name}`{'' if is_text else ', as JSON in ASCII,'}"
    _check_length(what, _stored(prompt.template), MOST_TEXT)
    _check_length("the commit message", prompt.commit_message, MOST_MESSAGE)
    check_tags(prompt.tags)


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise `UsageError` for a tag that a registry does not take."""
    for key, value in tags.items():
        if not _TAG.fullmatch(key) or key.startswith(("mlflow.", "_mlflow")):
            raise UsageError(
                f"`{key}` cannot be a tag in a registry",
                hint="letters, digits, `.`, `_` and `-`; what begins with `mlflow` is taken",
            )
        _check_length(f"the tag `{key}`", value, MOST_TEXT)


def _stored(template: Template) -> str:
    """The template as a registry keeps it: a chat is JSON there, with `\\u00e4` for `ä`."""
    return (
        template if isinstance(template, str) else json.dumps([one._asdict() for one in template])
    )


def _check_length(what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise UsageError(f"{what} has {len(text):,} characters, and a registry holds {most:,}")
