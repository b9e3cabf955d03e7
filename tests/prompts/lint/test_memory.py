"""What was clean is not looked at again, and nothing else is believed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from llmops.prompts import PromptRepository
from llmops.prompts.lint import Finding, LintConfig, lint_prompts
from llmops.prompts.lint import engine as linter
from llmops.prompts.lint.memory import LintMemory

CLEAN = """---
metadata: {version: 1.0.0}
inputs:
  - {name: who, kind: string, trusted: true, description: The guest.}
---
system:
{% include "shared/tone" %}

user:
Greet {{ who }}.
"""


@pytest.fixture
def prompts(tmp_path: Path) -> PromptRepository:
    root = tmp_path / "prompts"
    (root / "shared").mkdir(parents=True)
    (root / "shared" / "tone.jinja").write_text("Be kind.\n")
    for name in ("a", "b"):
        (root / f"{name}.prompty").write_text(CLEAN)
    return PromptRepository(root)


def memory(prompts: PromptRepository, settings: object = None) -> LintMemory:
    path = prompts.root.parent / ".llmops" / "cache" / "lint.json"
    return LintMemory(path, root=prompts.root, settings=settings)


def lint(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch, settings: object = None
) -> tuple[list[str], list[Finding]]:
    """Which prompts were looked at, and what was found."""
    looked: list[str] = []
    real = linter.lint_file

    def watched(path: Path, name: str, *rest: object, **more: object) -> linter.Linted:
        looked.append(name)
        return real(path, name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(linter, "lint_file", watched)
    found = lint_prompts(prompts, LintConfig(), memory=memory(prompts, settings))
    monkeypatch.setattr(linter, "lint_file", real)
    return looked, found


def test_a_clean_prompt_is_looked_at_once(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lint(prompts, monkeypatch) == (["a", "b"], [])
    assert lint(prompts, monkeypatch) == ([], [])


def test_an_edited_prompt_is_looked_at_again_and_no_other(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(prompts, monkeypatch)
    prompts.path("b").write_text(CLEAN + "{{ whom }}\n")
    looked, found = lint(prompts, monkeypatch)
    assert (looked, [each.rule for each in found]) == (["b"], ["undeclared-variable"])
    assert lint(prompts, monkeypatch) == (["b"], found)


def test_an_edited_partial_has_every_prompt_looked_at_that_includes_it(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(prompts, monkeypatch)
    (prompts.root / "shared" / "tone.jinja").write_text("Be kind to {{ nobody }}.\n")
    looked, found = lint(prompts, monkeypatch)
    assert looked == ["a", "b"]
    assert {each.rule for each in found} == {"undeclared-variable"}


def test_a_partial_that_is_gone_is_noticed(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(prompts, monkeypatch)
    (prompts.root / "shared" / "tone.jinja").unlink()
    looked, found = lint(prompts, monkeypatch)
    assert looked == ["a", "b"]
    assert {each.rule for each in found} == {"broken"}


def test_other_settings_begin_anew(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(prompts, monkeypatch, settings={"context": 4096})
    assert lint(prompts, monkeypatch, settings={"context": 8192})[0] == ["a", "b"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "x", "clean": 3}', "\0"])
def test_a_broken_memory_is_no_memory(
    text: str, prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    lint(prompts, monkeypatch)
    (file,) = (prompts.root.parent / ".llmops" / "cache").glob("*.json")
    file.write_text(text)
    assert lint(prompts, monkeypatch) == (["a", "b"], [])


def test_a_memory_that_cannot_be_written_costs_time_and_no_more(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    (prompts.root.parent / ".llmops").write_text("in the way")
    assert lint(prompts, monkeypatch) == (["a", "b"], [])


def test_the_memory_holds_no_text_and_never_shows_up_in_git(
    prompts: PromptRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = prompts.root.parent
    subprocess.run(["git", "init", "--quiet", top], check=True)
    lint(prompts, monkeypatch)
    held = json.loads((top / ".llmops" / "cache" / "lint.json").read_text())
    assert set(held["clean"]["a"]) == {"a.prompty", "shared/tone.jinja"}
    assert all(len(digest) == 64 for digest in held["clean"]["a"].values())
    status = subprocess.run(
        ["git", "-C", top, "status", "--short"], check=True, capture_output=True, text=True
    )
    assert status.stdout == "?? prompts/\n"
