"""The comment's way to the pull request: one comment, found again by its first line.

Where the token may only read, as for a pull request from a fork, nothing is
posted and a sentence says so; the verdict does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What became of the comment."""

    done: str
    """`created`, `updated`, or `not posted`."""
    note: str
    """A sentence for the log; it never holds the token."""


class Host(Protocol):
    """Where pull requests live."""

    def post(self, body: str) -> Posted:
        """Create the comment, or replace the one of an earlier run.

        Raises `ProviderError` when the host cannot be reached.
        """
        ...
