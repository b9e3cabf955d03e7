"""References to prompts: a name, and which of its versions is meant.

support/answer                what the repository holds now
support/answer@1.2.0          that version
support/answer@^1             the newest compatible version
support/answer@production     the version that an alias points to
support/answer@sha256:4f1e…   that very content
support/answer@git:v2.3       the file as of a git revision
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llmops.core.errors import UsageError
from llmops.prompts.versions import Version, VersionRange

_PART = "[a-z0-9][a-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")
_ALIAS = re.compile("[a-z][a-z0-9_-]*")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@{}^~+-]*")

NAME_RULE = "lower-case letters, digits, `.`, `_` and `-`, in folders divided by `/`"


def is_name(text: str) -> bool:
    """Whether `text` can name a prompt.

    >>> is_name("support/answer-v2"), is_name("../secrets"), is_name("Support")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def is_alias(text: str) -> bool:
    """Whether `text` can name an alias.

    >>> is_alias("production"), is_alias("Production"), is_alias("2026")
    (True, False, False)
    """
    return _ALIAS.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that is moved from version to version, such as `production`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Digest:
    """A content fingerprint."""

    fingerprint: str

    def __str__(self) -> str:
        return self.fingerprint


@dataclass(frozen=True, slots=True)
class Revision:
    """Anything that git resolves to a commit."""

    name: str

    def __str__(self) -> str:
        return f"git:{self.name}"


Selector = Version | VersionRange | Alias | Digest | Revision


@dataclass(frozen=True, slots=True)
class PromptRef:
    """A prompt's name with what selects one of its versions; `None` means the current one."""

    name: str
    selector: Selector | None = None

    @classmethod
    def parse(cls, text: str) -> PromptRef:
        """Read a reference; `UsageError` says what is wrong with it.

        >>> PromptRef.parse("support/answer@^1.2").selector
        VersionRange(given=(1, 2))
        >>> str(PromptRef.parse("support/answer@production"))
        'support/answer@production'
        """
        name, at, selector = text.partition("@")
        if not is_name(name):
            raise UsageError(f"`{name}` is not a prompt's name", hint=f"names are {NAME_RULE}")
        return cls(name, _selector(selector, text) if at else None)

    def __str__(self) -> str:
        return self.name if self.selector is None else f"{self.name}@{self.selector}"


def _selector(text: str, whole: str) -> Selector:
    if text.startswith("^"):
        return VersionRange.parse(text)
    if text[:1].isdigit():
        return Version.parse(text)
    if text.startswith("git:") and _REVISION.fullmatch(text[4:]):
        return Revision(text[4:])
    if _DIGEST.fullmatch(text):
        return Digest(text)
    if _ALIAS.fullmatch(text):
        return Alias(text)
    if text.startswith("sha256:"):
        hint = "a fingerprint is `sha256:` and 64 hexadecimal digits"
    else:
        hint = "after `@` stands a version, `^1`, an alias, `sha256:…` or `git:REVISION`"
    raise UsageError(f"`{whole}` is not a reference to a prompt", hint=hint)
