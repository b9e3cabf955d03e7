"""Which tool's format a source is in, by what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.prompts.exchange.langchain import is_langchain


class Format(StrEnum):
    """Formats of files that can be imported, and the registry."""

    PROMPTFOO = "promptfoo"
    GITHUB = "github"
    LANGCHAIN = "langchain"
    PROMPTY = "prompty"
    MLFLOW = "mlflow"

    @classmethod
    def parse(cls, name: str) -> Format:
        """The format of that name; `UsageError` lists them all."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(f"`{each}`" for each in cls)
            raise UsageError(f"no format is named `{name}`", hint=f"known: {known}") from None


_MARKS = {
    Format.PROMPTFOO: "`prompts`",
    Format.GITHUB: "`messages`",
    Format.LANGCHAIN: "`lc` or `_type`",
    Format.PROMPTY: "front matter between `---` lines",
}


def is_prompty(text: str, path: Path) -> bool:
    """Whether a file is front matter and a body."""
    return path.suffix == ".prompty" or (text.startswith("---\n") and "\n---\n" in text[4:])


def detect(data: Mapping[str, Any], path: Path) -> Format:
    """The format of a mapping; `DocumentError` says what was looked for."""
    if is_langchain(data):
        return Format.LANGCHAIN
    if "prompts" in data:
        return Format.PROMPTFOO
    if "messages" in data:
        return Format.GITHUB
    tried = ", ".join(f"{name} has {mark}" for name, mark in _MARKS.items())
    raise DocumentError(
        "is in no format that is known here", hint=f"looked for: {tried}", where=Where(path)
    )
