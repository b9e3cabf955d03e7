"""A small project to run suites in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmops.evals.results import Report
from llmops.evals.runner import run_suite
from llmops.evals.suite import Suite, load_suite
from llmops.prompts import PromptRepository
from llmops.testing import ScriptedModel

PROMPT = """---
metadata: {version: 1.0.0}
inputs:
  - {name: question, kind: string}
---
user:
{{ question }}
"""

SUITE: Mapping[str, Any] = {
    "version": 1,
    "subject": {"prompt": "ask"},
    "dataset": {"path": "cases.jsonl"},
    "checks": ["exact_match"],
}


class Lab:
    """A project in a temporary folder."""

    def __init__(self, root: Path):
        self.root = root
        self.suite_path = root / "evals" / "qa.yaml"
        self.output = root / "run"
        self.write("llmops.toml", "")
        self.write("prompts/ask.prompty", PROMPT)
        self.suite_file()
        self.cases(4)

    def write(self, path: str, content: str | bytes) -> Path:
        where = self.root / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content if isinstance(content, bytes) else content.encode())
        return where

    def suite_file(self, **changes: Any) -> Path:
        """The plain suite, with some of its keys changed (`...` removes one)."""
        data = {key: value for key, value in {**SUITE, **changes}.items() if value is not ...}
        return self.write("evals/qa.yaml", yaml.safe_dump(data, sort_keys=False))

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> Path:
        lines = [json.dumps(row) for row in rows]
        return self.write("evals/cases.jsonl", "\n".join(lines) + "\n")

    def cases(self, count: int) -> Path:
        """Cases `q0`, `q1`, …; the expected answer to `question 7` is `answer 7`."""
        return self.rows(
            [
                {
                    "id": f"q{i}",
                    "question": f"question {i}",
                    "expected": f"answer {i}",
                    "tags": ["even" if i % 2 == 0 else "odd"],
                }
                for i in range(count)
            ]
        )

    def load(self) -> Suite:
        return load_suite(self.suite_path, root=self.root)

    async def run(self, model: Any = None, **options: Any) -> Report:
        options = {"output": self.output, "command": "llmops eval run qa", **options}
        prompt = PromptRepository(self.root / "prompts").get("ask")
        chosen = right_model() if model is None else model
        return await run_suite(self.load(), prompt=prompt, model=chosen, **options)


def right_model() -> ScriptedModel:
    """A model that answers `question 7` with `answer 7`."""
    return ScriptedModel(lambda request: request.messages[-1].content.replace("question", "answer"))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)
