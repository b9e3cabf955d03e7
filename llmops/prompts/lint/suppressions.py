"""Findings that are accepted, each with its reason: `{# lint: ignore RULE: reason #}`.

A suppression holds for the whole file that it stands in; in a prompt's file
also for the prompt's partials and examples, as that prompt uses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmops.core.errors import NotFound, Where
from llmops.prompts.lint.findings import RULES, Finding, found
from llmops.prompts.source import Source

_COMMENT = re.compile(r"\{#[-+]?\s*lint\b(.*?)[-+]?#\}", re.DOTALL)
_SPELLING = re.compile(r":\s*ignore\s+([^:]*?)\s*(?::\s*(.*?)\s*)?", re.DOTALL)
_HOW = "write `{# lint: ignore RULE: why it is fine here #}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """That one rule's findings are accepted."""

    rule: str
    reason: str
    where: Where

    def unused(self) -> Finding:
        """What is said of it when it suppresses nothing."""
        return found(
            "unused-suppression",
            f"nothing is found here by `{self.rule}`, which this suppresses",
            self.where,
            hint="remove the comment",
        )


def read_suppressions(source: Source) -> tuple[list[Suppression], list[Finding]]:
    """The suppressions in a template, and what is wrong with others."""
    good: list[Suppression] = []
    bad: list[Finding] = []
    if "lint" not in source.text:
        return good, bad
    for match in _COMMENT.finditer(source.text):
        where = source.where(source.text.count("\n", 0, match.start()) + 1)
        spelled = _SPELLING.fullmatch(match[1].strip())
        if not spelled:
            bad.append(found("bad-suppression", "not a suppression", where, hint=_HOW))
            continue
        for rule in re.split(r"[\s,]+", spelled[1]):
            if rule not in RULES:
                near = NotFound.among("rule", rule, RULES)
                bad.append(found("bad-suppression", near.message, where, hint=near.hint))
            elif not spelled[2]:
                bad.append(
                    found(
                        "bad-suppression",
                        f"the suppression of `{rule}` gives no reason",
                        where,
                        hint=_HOW,
                    )
                )
            else:
                good.append(Suppression(rule=rule, reason=spelled[2], where=where))
    return good, bad


def matching(
    finding: Finding, suppressions: Iterable[Suppression], prompt_file: Path
) -> list[Suppression]:
    """The suppressions that accept `finding`, which was made for the prompt in `prompt_file`."""
    files = (finding.where.path, prompt_file)
    return [each for each in suppressions if each.rule == finding.rule and each.where.path in files]
