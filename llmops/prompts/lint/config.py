"""The `[lint]` table of `llmops.toml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from llmops.core.documents import Document
from llmops.core.errors import NotFound
from llmops.prompts.lint.findings import RULES, Level


class LintConfig(Document):
    """Which rules hold, and how strictly.

    >>> LintConfig(rules={"undelimited-input": "off"}).level("undelimited-input") is None
    True
    """

    rules: dict[str, Literal["error", "warning", "note", "off"]] = Field(
        default_factory=dict,
        description="Levels of rules, by their ids; left out, each rule's own. "
        "`llmops prompt lint --rules` lists them.",
    )
    allow: list[str] = Field(
        default_factory=list,
        description="Texts that are no secret and no personal data, each exactly as it stands "
        "in a prompt.",
    )

    @field_validator("rules")
    @classmethod
    def _known_rules(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in RULES:
                near = NotFound.among("rule", name, RULES)
                raise ValueError(f"{near.message}; {near.hint}")
        return value

    def level(self, rule: str, default: Level | None = None) -> Level | None:
        """The level of a rule's findings; `None` for a rule that is off."""
        chosen = self.rules.get(rule)
        if chosen is None:
            return default or RULES[rule].level
        return None if chosen == "off" else Level(chosen)
