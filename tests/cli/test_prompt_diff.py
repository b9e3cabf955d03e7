"""`llmops prompt diff`, as a reviewer and a workflow run it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROMPT = """---
metadata: {version: 1.0.0}
inputs: {who: {kind: string}}
---
user:
Greet {{ who }}.
"""


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def greet(shell: Any) -> Path:
    """A prompt that was committed and then changed."""
    path: Path = shell.folder / "prompts" / "greet.prompty"
    path.write_text(PROMPT)
    git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "-q", "-m", "one")
    changed = PROMPT.replace("Greet", "Welcome").replace(
        "inputs: {", "inputs: {day: {kind: string}, "
    )
    path.write_text(changed)
    return path


TEXT = """greet 1.0.0: breaking (major)
  breaking   required input `day` added (line 3)
  behaviour  `user` message reworded (line 5)
  user (line 5):
    [-Greet-]{+Welcome+} {{ who }}.
  tokens: not counted"""


def test_a_change_reads_as_text(shell: Any, greet: Path) -> None:
    ran = shell("prompt", "diff", "--no-tokens")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"{TEXT} (not asked for)\n\nHEAD → working tree: 1 prompt differs (1 breaking)\n"
    )


def test_a_server_without_a_tokenizer_is_no_obstacle(shell: Any, greet: Path) -> None:
    ran = shell("prompt", "diff")
    assert ran.code == 0
    assert "is not vLLM: it has no /tokenize" in ran.out
    nothing = shell("prompt", "diff", LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1")
    assert "tokens: not counted (nothing answers at http://127.0.0.1:9/v1" in nothing.out


def test_a_change_as_json_is_all_that_stdout_holds(shell: Any, greet: Path) -> None:
    ran = shell("prompt", "diff", "greet", "--json", "--no-tokens")
    told = json.loads(ran.out)
    assert told["schema"] == "llmops.prompts.diff/1"
    assert [each["kind"] for each in told["prompts"]] == ["breaking"]


def test_a_change_as_markdown_goes_to_a_file(shell: Any, greet: Path) -> None:
    ran = shell("prompt", "diff", "main", "--markdown", "-o", "diff.md", "--no-tokens")
    assert (ran.code, ran.out, ran.err) == (0, "", "written to diff.md\n")
    written = (shell.folder / "diff.md").read_text()
    assert "<del>Greet</del><ins><b>Welcome</b></ins> {{ who }}." in written
    shell("prompt", "diff", "main", "--json", "-o", "diff.json", "--no-tokens")
    assert json.loads((shell.folder / "diff.json").read_text())["kind"] == "breaking"


def test_no_difference_is_said_in_a_line(shell: Any, greet: Path) -> None:
    ran = shell("prompt", "diff", "HEAD", "main")
    assert (ran.code, ran.out) == (0, "HEAD → main: no prompt differs\n")
    assert json.loads(shell("prompt", "diff", "HEAD", "main", "--json").out)["prompts"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["gret"],
            (
                "error: neither a prompt nor a git revision is named `gret`\n"
                "hint: did you mean `greet`?\n"
            ),
        ),
        (
            ["--json", "--markdown"],
            "error: `--json` and `--markdown` are two forms of one answer\nhint: choose one\n",
        ),
    ],
)
def test_what_makes_no_sense_is_one_message(
    shell: Any, greet: Path, arguments: list[str], message: str
) -> None:
    ran = shell("prompt", "diff", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", message)


def test_help_says_what_the_sides_mean(shell: Any) -> None:
    told = " ".join(shell("prompt", "diff", "--help").out.split())
    assert "`git:REV` always means the revision" in told
    assert "every prompt of the working tree that differs from HEAD" in told
