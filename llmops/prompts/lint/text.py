"""Findings for people: a line or two for each, and one for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmops.core.files import relative
from llmops.prompts.lint.findings import Finding, Level


def lines_of(findings: Iterable[Finding], base: Path | None = None) -> Iterator[str]:
    """The lines to print; editors and terminals can follow how each finding begins.

    Paths are given as seen from `base`, which is the current folder if left out.
    """
    base = base or Path.cwd()
    for each in findings:
        place = relative(each.where.path, base) + (f":{each.where.line}" if each.where.line else "")
        yield f"{place}: {each.level.value} {each.rule}: {each.message}"
        if each.hint:
            yield f"  {each.hint}"


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each level."""
    counted = Counter(each.level for each in findings)
    return {level.value: counted[level] for level in Level}


def summary(findings: Iterable[Finding], prompts: int) -> str:
    """One line: `3 errors, 2 warnings in 500 prompts`.

    >>> summary([], 1)
    'nothing found in 1 prompt'
    """
    found = [_many(count, level) for level, count in counts(findings).items() if count]
    return f"{', '.join(found) or 'nothing found'} in {_many(prompts, 'prompt')}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count:,} {word}s"
