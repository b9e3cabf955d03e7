"""What the built-in scorers that are classes share: their options are their fields."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Sample, Score
from llmops.scorers.measuring import lacking

LONGEST_SPELLED = 80
"""Characters of options that a version spells out; more are given as a digest."""


@dataclass(frozen=True, kw_only=True)
class Configured(ABC):
    """Base of a scorer whose options are the fields of a frozen dataclass.

    A subclass sets `name` and `method`, the version of what it computes, and
    writes `look`, which sees only samples that have what the scorer needs.
    """

    name: ClassVar[str]
    method: ClassVar[str] = "1"
    default_rule: ClassVar[str | None] = None
    higher_is_better: ClassVar[bool] = True

    @property
    def version(self) -> str:
        """The method's version and every option that is not at its default."""
        changed = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.init and getattr(self, field.name) != field.default
        }
        return versioned(self.method, changed)

    @property
    def needs(self) -> frozenset[str]:
        """What a case must have for this scorer."""
        return frozenset()

    def score(self, sample: Sample) -> Score | Awaitable[Score]:
        """The score, or unscored when the case lacks what is needed."""
        reason = lacking(self.needs, sample)
        return self.look(sample) if reason is None else Score.unscored(reason)

    @abstractmethod
    def look(self, sample: Sample) -> Score | Awaitable[Score]:
        """The score of a sample that has all that is needed."""


def versioned(method: str, options: Mapping[str, Any]) -> str:
    """The version of a method with options: other options, other version.

    >>> versioned("1", {}), versioned("1", {"ignore_case": True})
    ('1', '1[ignore_case=true]')
    """
    if not options:
        return method
    text = ",".join(
        f"{key}={json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)}"
        for key, value in sorted(options.items())
    )
    if len(text) > LONGEST_SPELLED or "\n" in text:
        text = fingerprint(text)[: len("sha256:") + 12]
    return f"{method}[{text}]"
