"""A prompts folder with a real git history."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from llmops.prompts import PromptRepository


class Folder:
    """Prompts in a git repository of their own."""

    def __init__(self, top: Path):
        self.top = top
        self.root = top / "prompts"
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")

    @property
    def repository(self) -> PromptRepository:
        return PromptRepository(self.root)

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.top, check=True, capture_output=True, text=True
        )
        return done.stdout

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def prompt(
        self, name: str, said: str = "Hello!", head: str = "", version: str = "1.0.0"
    ) -> None:
        text = f"---\nmetadata: {{version: {version}}}\n{head}---\nuser:\n{said}\n"
        self.write(f"{name}.prompty", text)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change", "--allow-empty")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
