"""Findings as the annotations that GitHub Actions shows at the line of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from llmops.core.files import relative
from llmops.prompts.lint.findings import Finding, Level

_COMMAND = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


SHOWN = 10
"""Annotations of one level that GitHub shows for a step."""


def as_annotations(findings: Iterable[Finding], base: Path, *, most: int | None = None) -> str:
    """Workflow commands, the worst first: GitHub shows ten of each level and step.

    Paths are given relative to `base`, the root of the repository. `most` is
    how many of each level are written.
    """
    lines = []
    written: Counter[Level] = Counter()
    for each in sorted(findings, key=lambda finding: finding.level.rank):
        written[each.level] += 1
        if most is not None and written[each.level] > most:
            continue
        path = relative(each.where.path, base)
        properties = {"file": path, "line": str(each.where.line or 1), "title": each.rule}
        told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        message = f"{each.message}\n{each.hint}" if each.hint else each.message
        lines.append(f"::{_COMMAND[each.level]} {told}::{_data(message)}\n")
    return "".join(lines)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
