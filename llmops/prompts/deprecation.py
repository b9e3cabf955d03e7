"""That a prompt should no longer be used, and from which day on it must not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


class PromptDeprecated(FutureWarning):
    """A prompt was loaded that should no longer be used."""


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """Since which version a prompt should not be used any more, and what to use instead."""

    since: str | None = None
    use: str | None = None
    after: date | None = None
    """The last day on which an alias may point to it."""

    @classmethod
    def from_json(cls, value: dict[str, str | None]) -> Deprecation:
        """Read what `to_json` wrote."""
        after = value.get("after")
        return cls(
            since=value.get("since"),
            use=value.get("use"),
            after=date.fromisoformat(after) if after else None,
        )

    def to_json(self) -> dict[str, Any]:
        """What is said, without what is left open."""
        after = self.after.isoformat() if self.after else None
        said = {"since": self.since, "use": self.use, "after": after}
        return {key: value for key, value in said.items() if value}

    def overdue(self, today: date) -> bool:
        """Whether the last day is over."""
        return self.after is not None and today > self.after

    def advice(self, today: date) -> str:
        """What to do, in half a sentence.

        >>> told = Deprecation(use="support/reply@^2", after=date(2027, 1, 31))
        >>> told.advice(date(2026, 12, 1))
        'use `support/reply@^2` before 2027-01-31 is over'
        >>> told.advice(date(2027, 2, 1))
        'use `support/reply@^2`: 2027-01-31 is over'
        """
        by = f" before {self.after} is over" if self.after else ""
        if self.overdue(today):
            by = f": {self.after} is over"
        return f"use `{self.use}`{by}" if self.use else f"move away from it{by}"
