"""`llmops prompt lint`, as a writer, a workflow and a commit hook run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmops.cli.prompt import app

HEAD = "---\nmetadata: {version: 1.0.0}\n"
WARNED = HEAD + "inputs: {who: {kind: string, description: Whom.}}\n---\nuser:\nGreet {{ who }}.\n"
BROKEN = HEAD + "---\nuser:\nGreet {{ who }}.\n"


@pytest.fixture
def prompts(shell: Any) -> Path:
    folder: Path = shell.folder / "prompts"
    return folder


def test_a_new_project_is_clean(shell: Any) -> None:
    ran = shell("prompt", "lint", "--strict")
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing found in 1 prompt\n")


def test_warnings_fail_only_when_they_shall(shell: Any, prompts: Path) -> None:
    (prompts / "greet.prompty").write_text(WARNED)
    ran = shell("prompt", "lint")
    assert (ran.code, ran.err) == (0, "1 warning in 2 prompts\n")
    assert ran.out.startswith("prompts/greet.prompty:6: warning undelimited-input: the input `who`")
    assert shell("prompt", "lint", "--strict").code == 1
    assert shell("prompt", "lint", "geography/capital", "--strict").code == 0


def test_an_error_fails(shell: Any, prompts: Path) -> None:
    (prompts / "greet.prompty").write_text(BROKEN)
    ran = shell("prompt", "lint", "greet")
    assert (ran.code, ran.err) == (1, "1 error in 1 prompt\n")
    assert "prompts/greet.prompty:5: error undeclared-variable" in ran.out


def test_every_form_names_the_file_from_the_root_of_the_repository(
    shell: Any, prompts: Path
) -> None:
    (prompts / "greet.prompty").write_text(BROKEN)
    (shell.folder.parent / ".git").mkdir()
    path = "project/prompts/greet.prompty"
    told = json.loads(shell("prompt", "lint", "--json").out)
    assert told["counts"] == {"error": 1, "warning": 0, "note": 0}
    assert [(each["path"], each["line"], each["prompt"]) for each in told["findings"]] == [
        (path, 5, "greet")
    ]
    annotations = shell("prompt", "lint", "--format", "github")
    assert annotations.code == 1
    assert annotations.out.startswith(f"::error file={path},line=5,title=undeclared-variable::")
    ran = shell("prompt", "lint", "--format", "sarif", "-o", "out/lint.sarif")
    assert (ran.code, ran.out, ran.err) == (1, "", "1 error in 2 prompts\n")
    log = json.loads((shell.folder / "out/lint.sarif").read_text())
    (result,) = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": path}


def test_the_project_says_which_rules_hold_and_how_long_a_context_is(
    shell: Any, prompts: Path
) -> None:
    (prompts / "greet.prompty").write_text(WARNED)
    config = shell.folder / "llmops.toml"
    project = config.read_text()
    rules = '\n[lint.rules]\n"undelimited-input" = "note"\n'
    config.write_text(project + "context = 20\n" + rules)
    ran = shell("prompt", "lint")
    assert ran.code == 1
    assert "capital.prompty" in ran.out
    assert "context of 20" in ran.out
    assert "greet.prompty:6: note undelimited-input" in ran.out


def test_an_unknown_rule_is_an_error_of_the_configuration(shell: Any) -> None:
    config = shell.folder / "llmops.toml"
    config.write_text(config.read_text() + '\n[lint.rules]\nunused-inputs = "off"\n')
    ran = shell("prompt", "lint")
    assert ran.code == 2
    assert "llmops.toml:" in ran.err
    assert "did you mean `unused-input`?" in ran.err


def test_an_unknown_prompt_and_two_formats_are_errors_of_usage(shell: Any) -> None:
    ran = shell("prompt", "lint", "geography/capitals")
    assert (ran.code, ran.out) == (2, "")
    assert "did you mean `geography/capital`?" in ran.err
    assert shell("prompt", "lint", "--json", "--format", "sarif").code == 2
    assert shell("prompt", "lint", "--rules", "--format", "sarif").code == 2


def test_the_rules_are_listed(shell: Any) -> None:
    ran = shell("prompt", "lint", "--rules")
    assert ran.code == 0
    assert "untrusted-in-system        warning  An input" in ran.out
    listed = json.loads(shell("prompt", "lint", "--rules", "--json").out)
    assert {
        "id": "broken",
        "level": "error",
        "summary": "The file cannot be read as a prompt.",
    } in (listed)


def test_a_folder_of_prompts_without_a_project_is_enough(shell: Any, prompts: Path) -> None:
    (shell.folder / "llmops.toml").unlink()
    (prompts / "greet.prompty").write_text(BROKEN)
    ran = shell("prompt", "lint", "greet")
    assert (ran.code, ran.err) == (1, "1 error in 1 prompt\n")


def test_the_repository_s_own_prompts_have_no_finding() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "llmops", "prompt", "lint", "--strict"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def test_linting_loads_no_heavy_package(shell: Any) -> None:
    script = (
        "import sys; from llmops.cli import main; sys.argv[1:] = ['prompt', 'lint']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name, made in sys.modules.items() if made}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=shell.folder, capture_output=True, text=True, check=True
    )
    assert not {"litellm", "mlflow", "httpx", "numpy", "rich"} & set(ran.stdout.split())


def test_the_commit_hooks_run_commands_that_there_are() -> None:
    hooks = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())
    commands = {f"llmops prompt {each.name}" for each in app.registered_commands}
    assert {hook["id"]: hook["entry"] for hook in hooks} == {
        "llmops-prompt-check": "llmops prompt check",
        "llmops-prompt-lint": "llmops prompt lint",
    }
    assert {hook["entry"] for hook in hooks} <= commands
    for hook in hooks:
        assert (hook["language"], hook["pass_filenames"]) == ("python", False)
        wanted = ["a/b.prompty", "shared/tone.jinja", "a/rows.jsonl", "prompts/prompts.lock"]
        assert all(re.search(hook["files"], path) for path in wanted)
        assert not re.search(hook["files"], "uv.lock")
