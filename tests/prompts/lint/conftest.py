"""A folder of prompts, linted as a project would lint it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmops.prompts import PromptRepository
from llmops.prompts.lint import Finding, LintConfig, lint_prompts

Told = list[tuple[str, str, int | None]]


DESCRIBED = "{{name: {}, kind: string, description: Text.}}"


class Folder:
    """Files to write, and what the linter says of them."""

    def __init__(self, root: Path):
        self.root = root / "prompts"
        self.root.mkdir()

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def prompt(self, body: str, *inputs: str, head: str = "", name: str = "p") -> Path:
        """A prompt whose inputs are names of described strings, or whole declarations."""
        declared = "".join(
            f"  - {each if '{' in each else DESCRIBED.format(each)}\n" for each in inputs
        )
        front = f"metadata: {{version: 1.0.0}}\n{head}" + (
            f"inputs:\n{declared}" if declared else ""
        )
        return self.write(f"{name}.prompty", f"---\n{front}---\n{body}")

    def lint(self, *names: str, config: LintConfig | None = None, **options: Any) -> list[Finding]:
        repository = PromptRepository(self.root)
        return lint_prompts(repository, config or LintConfig(), names or None, **options)

    def told(self, *names: str, **options: Any) -> Told:
        """Every finding as its rule, its file and its line."""
        return [
            (each.rule, each.where.path.relative_to(self.root).as_posix(), each.where.line)
            for each in self.lint(*names, **options)
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
