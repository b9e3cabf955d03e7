"""The rules by their ids, and what a rule finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from llmops.core.errors import Where


class Level(StrEnum):
    """How bad it is, in the words of SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """The worst first."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Something that a prompt should not have."""

    id: str
    level: Level
    """Unless the project says otherwise."""
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found, and where; never the secret or the personal data itself."""

    rule: str
    level: Level
    message: str
    where: Where
    prompt: str | None = None
    """The prompt that was looked at; a partial's file is another one."""
    hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding, for programs."""
        return {
            "rule": self.rule,
            "level": self.level.value,
            "prompt": self.prompt,
            "message": self.message,
            "hint": self.hint,
            "path": str(self.where.path),
            "line": self.where.line,
        }


def found(
    rule: str,
    message: str,
    where: Where,
    *,
    prompt: str | None = None,
    hint: str | None = None,
    level: Level | None = None,
) -> Finding:
    """A finding of a rule, at the rule's own level unless another one is given."""
    return Finding(
        rule=rule,
        level=level or RULES[rule].level,
        message=message,
        where=where,
        prompt=prompt,
        hint=hint,
    )


def _rules(*rules: tuple[str, Level, str]) -> dict[str, Rule]:
    return {name: Rule(id=name, level=level, summary=summary) for name, level, summary in rules}


RULES = _rules(
    ("broken", Level.ERROR, "The file cannot be read as a prompt."),
    ("undeclared-variable", Level.ERROR, "The template uses a variable that is no input."),
    ("unused-input", Level.WARNING, "An input that neither the template nor a partial uses."),
    ("input-without-kind", Level.ERROR, "An input that does not say what its values are."),
    ("input-without-description", Level.WARNING, "An input that does not say what it is for."),
    (
        "outputs-not-mentioned",
        Level.WARNING,
        "The messages do not name an output that is declared.",
    ),
    ("secret", Level.ERROR, "A key, token or password stands in the text."),
    ("personal-data", Level.ERROR, "Somebody's e-mail address or number stands in the text."),
    (
        "untrusted-in-system",
        Level.WARNING,
        "An input that may carry instructions is printed where the model obeys.",
    ),
    ("undelimited-input", Level.WARNING, "An input is printed with no mark of where it ends."),
    ("context-overflow", Level.ERROR, "Prompt and answer do not fit the model's context."),
    ("trailing-whitespace", Level.WARNING, "Blanks at a line's end reach the model."),
    ("invisible-character", Level.WARNING, "A character that nobody sees, and the model reads."),
    ("dangling-alias", Level.ERROR, "An alias points to a version that the lock does not have."),
    (
        "deprecated-alias",
        Level.WARNING,
        "An alias points to a deprecated version; later, an error.",
    ),
    ("bad-suppression", Level.ERROR, "A suppression without a reason, or of no known rule."),
    ("unused-suppression", Level.WARNING, "A suppression that suppresses nothing."),
)
