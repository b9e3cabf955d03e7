"""What can go wrong, as one tree.

    LlmopsError
    ├── UsageError                  exit 2   a command, option or call that makes no sense
    │   ├── DocumentError                    a file that is broken: says path and line
    │   └── NotFound                         a name that nothing has: suggests the nearest
    ├── MissingExtra                exit 3   an optional package is not installed
    ├── ServerStartError            exit 3   a model server did not come up
    ├── Interrupted                 exit 130 Ctrl-C or SIGTERM, with what is safe
    └── ProviderError               exit 3   a model or a registry did not answer as it should
        ├── ProviderUnavailable              refused, timed out, cut off      (retried)
        ├── RateLimited                      429, with `retry_after`          (retried)
        ├── ServerFault                      5xx                              (retried)
        ├── BadResponse                      HTML, half a JSON, no choices    (retried)
        └── RequestRejected                  4xx: the same request fails again
            ├── ContextTooLong
            ├── ModelNotFound
            ├── AuthenticationFailed
            └── Unsupported                  an ability that this provider lacks

A message says what and where, a hint says what to do. `main()` prints both
and exits with `exit_code`; nothing else turns an error into an exit.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What a command's exit status means."""

    PASSED = 0
    """All went well; a judged command passed."""
    FAILED = 1
    """Judged and failed: a gate, a block, lock drift."""
    USAGE = 2
    """Usage or configuration: the input has to be changed."""
    INCONCLUSIVE = 3
    """No judgement: provider down, extra missing, too little scored."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C or SIGTERM."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file; `line` counts from 1, `None` where no line is to blame."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


class LlmopsError(Exception):
    """Base of every error that the package raises on purpose."""

    exit_code = ExitCode.INCONCLUSIVE

    def __init__(self, message: str, *, hint: str | None = None, where: Where | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(LlmopsError):
    """A command, option or call that makes no sense as given."""

    exit_code = ExitCode.USAGE


class DocumentError(UsageError):
    """A file that cannot be used as it is."""


class NotFound(UsageError):
    """A name that nothing has."""

    @classmethod
    def among(
        cls, kind: str, name: str, known: Iterable[str], *, where: Where | None = None
    ) -> NotFound:
        """The error for `name`, with the nearest of `known` as the hint.

        >>> NotFound.among("scorer", "exact_mach", ["exact_match", "contains"]).hint
        'did you mean `exact_match`?'
        """
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        if near:
            hint = f"did you mean `{near[0]}`?"
        elif names:
            shown = ", ".join(f"`{each}`" for each in names[:12])
            hint = f"known: {shown}" + (", …" if len(names) > 12 else "")
        else:
            hint = f"there is no {kind} yet"
        return cls(f"no {kind} is named `{name}`", hint=hint, where=where)


class MissingExtra(LlmopsError):
    """An optional package is needed and not installed."""

    def __init__(self, extra: str, *, cause: str):
        super().__init__(
            f"`{extra}` is not usable here ({cause})",
            hint=f"pip install 'llmops[{extra}]'",
        )
        self.extra = extra


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a failed import in the block into `MissingExtra` with the pip line."""
    try:
        yield
    except ImportError as error:
        raise MissingExtra(extra, cause=str(error)) from error


class ServerStartError(LlmopsError):
    """A model server did not come up, or died."""


class Interrupted(LlmopsError):
    """Work that was stopped by Ctrl-C or SIGTERM; the message says what is safe."""

    exit_code = ExitCode.INTERRUPTED


class ProviderError(LlmopsError):
    """A model, or another service, did not answer as it should; never a score of zero."""

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ):
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    """The connection was refused, timed out or was cut off."""

    retryable = True


class RateLimited(ProviderError):
    """The provider asks to slow down; `retry_after` is in seconds if it said."""

    retryable = True


class ServerFault(ProviderError):
    """The provider failed on its own side (5xx)."""

    retryable = True


class BadResponse(ProviderError):
    """The answer is not what the protocol says: HTML, half a JSON, no choices."""

    retryable = True


class RequestRejected(ProviderError):
    """The provider refuses this request and would refuse it again (4xx)."""


class ContextTooLong(RequestRejected):
    """Prompt and answer do not fit the model's context."""


class ModelNotFound(RequestRejected):
    """The endpoint serves no model of that name."""


class AuthenticationFailed(RequestRejected):
    """The key is missing or wrong."""


class Unsupported(RequestRejected):
    """An ability that this provider does not have."""
