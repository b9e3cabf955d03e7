"""Choosing what runs, on the real command: several suites, changes, shards and their merging."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.evals.report import load_report


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=A Person", "-c", "user.email=a@example.org"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(
        ["git", *identity, *words], cwd=folder, env=environment, check=True, capture_output=True
    )


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "-qb", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "change")


@pytest.fixture
def project(shell: Any) -> Any:
    """Three suites, of two prompts, committed."""
    evals, prompts = shell.folder / "evals", shell.folder / "prompts" / "geography"
    suite = (evals / "capitals.yaml").read_text()
    (evals / "again.yaml").write_text(suite.replace("[smoke]", "[slow]"))
    (prompts / "other.prompty").write_text((prompts / "capital.prompty").read_text())
    (evals / "other.yaml").write_text(
        suite.replace("geography/capital", "geography/other").replace("[smoke]", "[]")
    )
    commit(shell.folder)
    return shell


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_several_suites_run_in_one_call(project: Any) -> None:
    ran = project("eval", "run", "again", "other", "--select", "case:france", "--output", "runs")
    assert ran.code == 0
    found = {path.parent.name for path in (project.folder / "runs").glob("*/report.json")}
    assert found == {"again", "other"}


def test_suites_are_chosen_by_tag_and_path_and_left_out_by_name(project: Any) -> None:
    plan = lambda *words: {  # noqa: E731
        each["suite"]: each["cases"]
        for each in json.loads(project("eval", "plan", *words, "--json").out)["suites"]
        if each["cases"]
    }
    assert plan("--select", "tag:smoke tag:slow") == {"capitals": 10, "again": 10}
    assert plan("--select", "path:prompts/geography/other.prompty") == {"other": 10}
    assert plan("--select", "suite:*,case:france", "--exclude", "suite:again") == {
        "capitals": 1,
        "other": 1,
    }


def test_a_run_of_no_suite_and_no_selection_lists_the_suites(project: Any) -> None:
    ran = project("eval", "run")
    assert ran.code == 2
    assert "`again`, `capitals`, `other`" in ran.err


def test_one_suite_that_fails_fails_all_and_the_rest_still_run(project: Any) -> None:
    edit(project.folder / "evals" / "again.yaml", ">= 0.6", ">= 0.9999")
    ran = project("eval", "run", "again", "capitals", "--limit", "10", "--output", "runs")
    assert ran.code == 1
    assert (project.folder / "runs" / "capitals" / "report.json").exists()


def test_a_dead_provider_stops_the_rest(project: Any) -> None:
    ran = project(
        "eval", "run", "again", "capitals", "--output", "runs",
        LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1",
    )  # fmt: skip
    assert ran.code == 3
    assert not (project.folder / "runs" / "capitals").exists()


def test_only_what_an_edit_touches_is_run(project: Any) -> None:
    edit(project.folder / "prompts/geography/other.prompty", "short", "brief")
    words = ("--select", "state:modified", "--base", "HEAD")
    plan = json.loads(project("eval", "plan", *words, "--json").out)
    assert [(each["suite"], each["cases"]) for each in plan["suites"]] == [
        ("again", 0),
        ("capitals", 0),
        ("other", 10),
    ]
    assert plan["suites"][2]["reasons"] == ["prompt geography/other: `system` message reworded"]
    ran = project("eval", "run", *words, "--output", "run")
    assert "10 of 30 cases in 1 of 3 suites" in ran.err
    assert (project.folder / "run" / "report.json").exists()


def test_where_nothing_is_touched_the_job_is_green_and_says_so(project: Any) -> None:
    (project.folder / "README.md").write_text("About this project.\n")
    words = ("--select", "state:modified", "--base", "HEAD")
    plan = project("eval", "plan", *words, "--json")
    assert plan.code == 0
    assert json.loads(plan.out)["nothing"] is True
    ran = project("eval", "run", *words, "--json", "report.json")
    assert ran.code == 0
    assert "nothing that this revision touches: 0 of 30 cells" in ran.err
    told = json.loads((project.folder / "report.json").read_text())
    assert told["told"] == "nothing that this revision touches: 0 of 30 cells"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--select", "tag:typo"], "`tag:typo` selects none of the 30 cases of 3 suites"),
        (["capitals", "--select", "tag:typo"], "selects none of the 10 cases"),
        (["--select", "state:modified,tag:typo", "--base", "HEAD"], "selects none of the 30"),
        (["--select", "state:modified"], "none is named"),
        (["--select", "state:modified", "--base", "nowhere"], "nowhere"),
        (["capitals", "--shard", "3/2"], "is not a shard"),
        (["capitals", "--shard", "1/2", "--repeat", "auto"], "`repeat: auto` decides on all"),
    ],
)
def test_a_selection_of_nothing_is_an_error_that_says_why(
    project: Any, words: list[str], message: str
) -> None:
    ran = project("eval", "run", *words)
    assert ran.code == 2
    assert message in ran.err


def test_a_shard_that_got_no_case_is_no_error(project: Any) -> None:
    codes, told = [], []
    for index in range(1, 41):
        ran = project("eval", "plan", "capitals", "--limit", "2", "--shard", f"{index}/40")
        codes.append(ran.code)
        told.append(ran.err)
        if index > 3 and any("nothing in shard" in each for each in told):
            break
    assert set(codes) == {0}
    empty = next(i for i, each in enumerate(told, 1) if "nothing in shard" in each)
    ran = project("eval", "run", "capitals", "--limit", "2", "--shard", f"{empty}/40")
    assert ran.code == 0
    assert f"nothing in shard {empty}/40: 0 of 2 selected cases" in ran.err


Sharded = Callable[..., list[str]]


@pytest.fixture
def sharded(project: Any) -> Sharded:
    """Runs a suite in shards; gives the folders of those that had a case."""

    def run(*words: str, of: int = 3) -> list[str]:
        folders = []
        for index in range(1, of + 1):
            folder = f"shard-{index}"
            ran = project(
                "eval", "run", "capitals", *words, "--shard", f"{index}/{of}", "--output", folder
            )
            assert ran.code in (0, 1, 3), ran.err
            if (project.folder / folder).exists():
                folders.append(folder)
        return folders

    return run


def cases(folder: Path) -> list[tuple[str, int]]:
    lines = (folder / "journal.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return sorted((each["case"], each["repeat"]) for each in found if each["type"] == "result")


def test_merged_shards_are_the_run_without_shards(project: Any, sharded: Sharded) -> None:
    folders = sharded("--repeat", "2")
    merged = project("eval", "merge", *folders, "-o", "merged")
    whole = project("eval", "run", "capitals", "--repeat", "2", "--output", "whole")
    assert merged.code == whole.code
    first, second = (
        json.loads((project.folder / name / "report.json").read_text())
        for name in ("merged", "whole")
    )
    assert [each["case"] for each in first["results"]] == [
        each["case"] for each in second["results"]
    ]
    for part in ("cases", "repeats", "made_from", "command"):
        assert first["summary"][part] == second["summary"][part], part
    # Not its neighbour, the latency, which no two runs share.
    assert first["summary"]["checks"][0] == second["summary"]["checks"][0]
    assert first["summary"]["decision"] == second["summary"]["decision"]
    assert cases(project.folder / "merged") == cases(project.folder / "whole")


def test_merged_shards_with_a_base_are_compared_as_a_whole(project: Any, sharded: Sharded) -> None:
    edit(project.folder / "prompts/geography/capital.prompty", "short", "brief")
    folders = sharded("--base", "HEAD", of=2)
    project("eval", "merge", *folders, "-o", "merged")
    comparison = load_report(project.folder / "merged").comparison
    assert comparison is not None
    assert comparison.coverage.pairs == 10


def test_a_missing_shard_is_named(project: Any, sharded: Sharded) -> None:
    folders = sharded()
    ran = project("eval", "merge", *folders[1:], "-o", "merged")
    assert ran.code == 2
    assert "of 10 cases are missing: there is no run of shard 1/3" in ran.err
    assert not (project.folder / "merged").exists()


def test_a_shard_that_is_given_twice_is_named_with_a_case(project: Any, sharded: Sharded) -> None:
    folders = sharded()
    ran = project("eval", "merge", *folders, folders[0], "-o", "merged")
    assert ran.code == 2
    assert f"is in {folders[0]} and in {folders[0]}" in ran.err


def test_shards_of_different_things_are_refused_with_what_differs(
    project: Any, sharded: Sharded
) -> None:
    folders = sharded(of=2)
    edit(project.folder / "prompts/geography/capital.prompty", "short", "brief")
    project("eval", "run", "capitals", "--shard", "2/2", "--output", "later")
    ran = project("eval", "merge", folders[0], "later", "-o", "merged")
    assert ran.code == 2
    assert "prompt: geography/capital sha256:" in ran.err


def test_a_whole_run_is_no_shard(project: Any) -> None:
    project("eval", "run", "capitals", "--output", "whole")
    ran = project("eval", "merge", "whole", "-o", "merged")
    assert ran.code == 2
    assert "it is no shard" in ran.err


def test_a_folder_that_holds_a_run_is_not_written_over(project: Any, sharded: Sharded) -> None:
    folders = sharded()
    assert project("eval", "merge", *folders, "-o", folders[0]).code == 2
    assert cases(project.folder / folders[0])


def test_merged_shards_of_a_change_count_what_it_does_not_touch(
    project: Any, sharded: Sharded
) -> None:
    rows = project.folder / "evals/data/capitals.csv"
    for land in ("france", "italy", "japan"):
        edit(rows, f"{land},", f"{land},the Republic of ")
    folders = sharded("--base", "HEAD", "--select", "state:modified")
    project("eval", "merge", *folders, "-o", "merged")
    comparison = load_report(project.folder / "merged").comparison
    assert comparison is not None
    assert comparison.coverage.pairs == 3
    assert any(
        note.startswith("7 cases that the change does not touch") for note in comparison.notes
    )
