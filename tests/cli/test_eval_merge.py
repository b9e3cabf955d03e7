"""`llmops eval merge`: shards with a base of every kind, and shards that are not finished."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from llmops.evals.report import load_report

SUITE = "evals/capitals.yaml"
PROMPT = "prompts/geography/capital.prompty"


def commit(folder: Path) -> None:
    identity = ["-c", "user.name=A Person", "-c", "user.email=a@example.org"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    for words in (["init", "-qb", "main"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run(
            ["git", *identity, *words], cwd=folder, env=environment, check=True, capture_output=True
        )


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1))


def shards(shell: Any, *words: str) -> list[str]:
    for index in (1, 2):
        ran = shell("eval", "run", *words, "--shard", f"{index}/2", "--output", f"shard-{index}")
        assert ran.code in (0, 1, 3), ran.err
    return ["shard-1", "shard-2"]


def lose_a_result(folder: Path) -> None:
    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    last = max(n for n, line in enumerate(lines) if json.loads(line)["type"] == "result")
    journal.write_text("".join(lines[:last] + lines[last + 1 :]))


@pytest.fixture
def project(shell: Any) -> Any:
    edit(shell.folder, SUITE, 'pass_rate: ">= 0.6"}', 'drop: "<= 0.02"}')
    commit(shell.folder)
    return shell


def test_shards_against_a_blessed_report_are_judged_against_it_as_a_whole(project: Any) -> None:
    words = ("capitals", "--repeat", "2")
    project("eval", "run", *words, "--output", "first")
    assert project("eval", "bless", "first", "--why", "the first").code == 0
    words = (*words, "--base", "evals/baselines/capitals.json")
    whole = project("eval", "run", *words, "--output", "whole")
    merged = project("eval", "merge", *shards(project, *words), "--output", "merged")
    assert (merged.code, whole.code) == (0, 0), merged.err
    found = [load_report(project.folder / name) for name in ("merged", "whole")]
    assert found[0].comparison is not None
    assert found[0].comparison.coverage == found[1].comparison.coverage
    assert found[0].summary.decision == found[1].summary.decision
    assert found[0].summary.command == found[1].summary.command


def test_shards_of_a_suite_that_the_base_does_not_have_are_judged_alone(project: Any) -> None:
    text = (project.folder / SUITE).read_text()
    (project.folder / "evals/new.yaml").write_text(text.replace("drop:", "pass_rate:").replace(
        "<= 0.02", ">= 0.9"
    ))  # fmt: skip
    folders = shards(project, "--select", "state:modified", "--base", "main")
    merged = project("eval", "merge", *folders, "--output", "merged")
    assert merged.code == 1, merged.err
    assert "FAILED  new" in merged.out
    assert load_report(project.folder / "merged").comparison is None


@pytest.mark.parametrize("journal", ["shard-1", "shard-1/base"])
def test_a_shard_that_is_not_finished_is_named_with_the_command_that_goes_on(
    project: Any, journal: str
) -> None:
    edit(project.folder, PROMPT, "short", "brief")
    words = ("capitals", "--base", "main")
    folders = shards(project, *words)
    lose_a_result(project.folder / journal)
    ran = project("eval", "merge", *folders, "--output", "merged")
    assert ran.code == 2
    told = " ".join(ran.err.split())
    assert f"the run in {journal} is not finished" in told
    assert told.endswith("--resume shard-1")
    assert not (project.folder / "merged").exists()
    project("eval", "run", *words, "--shard", "1/2", "--resume", "shard-1")
    merged = project("eval", "merge", *folders, "--output", "merged")
    assert merged.code in (0, 3), merged.err
    comparison = load_report(project.folder / "merged").comparison
    assert comparison is not None
    assert comparison.coverage.pairs == 10
