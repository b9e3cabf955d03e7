"""`llmops eval plan`: the words of a selection, and a base of which not everything can be read."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import UsageError
from llmops.evals.selection import Selection
from llmops.project import load_project
from llmops.project.planning import plan_suites

SUITE = "evals/capitals.yaml"
PROMPT = "prompts/geography/capital.prompty"
DATA = "evals/data/capitals.csv"
CHANGED = ("--base", "HEAD", "--select", "state:modified")


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A Person", "-c", "user.email=a@example.org"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(
        ["git", *identity, *words],
        cwd=folder, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "-qb", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "change")


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1))


def planned(shell: Any, *words: str) -> dict[str, Any]:
    """The plan as a program reads it."""
    ran = shell("eval", "plan", *words, "--json")
    assert ran.code == 0, ran.err
    plan: dict[str, Any] = json.loads(ran.out)
    assert list(plan) == [
        "schema", "base", "selection", "exclude", "shard", "cases", "total", "nothing", "told",
        "suites", "removed",
    ]  # fmt: skip
    assert plan["cases"] == sum(each["cases"] for each in plan["suites"])
    for each in plan["suites"]:
        assert 0 <= each["cases"] <= each["selected"] <= each["total"]
    return plan


def cases(shell: Any, *words: str) -> dict[str, int]:
    """How many cases of each suite are selected, of those with any."""
    return {
        each["suite"]: each["cases"] for each in planned(shell, *words)["suites"] if each["cases"]
    }


@pytest.fixture
def project(shell: Any) -> Any:
    """Two suites with tags, one of which has cases with tags; committed."""
    text = (shell.folder / SUITE).read_text()
    (shell.folder / "evals/deep").mkdir()
    (shell.folder / "evals/deep/tagged.yaml").write_text(
        text.replace("data/capitals.csv", "../data/tagged.csv").replace("[smoke]", "[nightly]")
    )
    rows = "\n".join(f"land{n},Land{n},Paris,{'hard' if n % 2 else 'easy'}" for n in range(6))
    data = shell.folder / "evals/data/tagged.csv"
    data.write_text("id,country,capital,tags\n" + rows + "\n")
    commit(shell.folder)
    return shell


TAKES: list[tuple[dict[str, Any], dict[str, int]]] = [
    ({}, {"capitals": 10, "deep/tagged": 7}),
    ({"text": "case:land*"}, {"deep/tagged": 6}),
    ({"text": "land1 france"}, {"capitals": 1, "deep/tagged": 1}),
    ({"text": "tag:hard"}, {"deep/tagged": 3}),
    ({"text": "tag:hard tag:smoke"}, {"capitals": 10, "deep/tagged": 3}),
    ({"text": "tag:nightly,tag:hard,land1"}, {"deep/tagged": 1}),
    ({"text": "suite:deep/*"}, {"deep/tagged": 7}),
    ({"text": "path:evals/deep"}, {"deep/tagged": 7}),
    ({"text": f"path:{DATA}"}, {"capitals": 10}),
    ({"text": "path:prompts/geography"}, {"capitals": 10, "deep/tagged": 7}),
    ({"exclude": "suite:capitals tag:easy"}, {"deep/tagged": 3}),
    ({"text": "tag:smoke tag:hard", "exclude": "land1 fr*"}, {"capitals": 9, "deep/tagged": 2}),
    ({"sample": 4}, {"capitals": 4, "deep/tagged": 4}),
    ({"sample": 4, "limit": 2}, {"capitals": 2, "deep/tagged": 2}),
    ({"sample": 100}, {"capitals": 10, "deep/tagged": 7}),
    ({"text": "state:modified france"}, {"capitals": 2, "deep/tagged": 1}),
    ({"text": "state:modified", "exclude": "state:new"}, {"capitals": 1}),
    ({"text": "state:new"}, {"deep/tagged": 1}),
    ({"exclude": "state:modified tag:easy"}, {"capitals": 9, "deep/tagged": 3}),
    ({"text": "state:modified", "sample": 1}, {"capitals": 1, "deep/tagged": 1}),
]


def test_what_a_selection_takes_of_several_suites(project: Any) -> None:
    edit(project.folder, DATA, "Rome", "Roma")
    data = project.folder / "evals/data/tagged.csv"
    data.write_text(data.read_text() + "new,New,Paris,easy\n")
    here = load_project(project.folder)
    for options, expected in TAKES:
        plan = plan_suites(here, (), Selection.parse(**options), base="HEAD")
        found = {each.suite.name: each.cases for each in plan.running}
        assert found == expected, options


def test_shards_share_what_is_left_of_a_sample(project: Any) -> None:
    words = ("capitals", "--sample", "8", "--seed", "3")
    shares = [sum(cases(project, *words, "--shard", f"{index}/2").values()) for index in (1, 2)]
    assert sum(shares) == 8


def test_a_plan_calls_no_model_and_needs_none(project: Any) -> None:
    ran = project("eval", "plan", LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1")
    assert ran.code == 0
    assert "16 of 16 cases in 2 of 2 suites" in ran.err
    assert project.endpoint.chats == []


REFUSED: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"text": "tags:smoke"}, ("`tags`, which is not known", "`tag:`")),
    ({"text": "state:modifed"}, ("`modifed`", "did you mean `modified`")),
    ({"text": "tag:a,,tag:b"}, ("holds an empty term",)),
    ({"text": "tag:"}, ("holds an empty term",)),
    ({"exclude": " "}, ("the selection is empty",)),
    ({"text": "state:modified"}, ("none is named", "--base")),
    ({"exclude": "state:new"}, ("none is named", "--base")),
    ({"text": "france", "base": "mian"}, ("`mian`", "`main`")),
    ({"shard": "0/3"}, ("`0/3` is not a shard", "`1/4`")),
    ({"shard": "4/3"}, ("`4/3` is not a shard",)),
    ({"sample": 0}, ("must be at least 1",)),
    ({"names": ["capital"]}, ("`capitals`",)),
    ({"text": "tag:typo"}, ("selects none of the 16 cases of 2 suites",)),
    ({"exclude": "suite:*"}, ("selects none",)),
]


def test_what_makes_no_sense_is_refused_with_what_would(project: Any) -> None:
    here = load_project(project.folder)
    for options, messages in REFUSED:
        asked = dict(options)
        names, base = asked.pop("names", []), asked.pop("base", None)
        with pytest.raises(UsageError) as caught:
            plan_suites(here, names, Selection.parse(**asked), base=base)
        told = f"{caught.value.message} {caught.value.hint}"
        for message in messages:
            assert message in told, options


def test_a_refusal_ends_with_two_and_prints_no_plan(project: Any) -> None:
    ran = project("eval", "plan", "--select", "tags:smoke", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "`tag:`" in ran.err


def test_a_renamed_suite_is_new_and_its_old_name_is_told(project: Any) -> None:
    (project.folder / SUITE).rename(project.folder / "evals/cities.yaml")
    plan = planned(project, *CHANGED)
    assert {each["suite"]: each["reasons"] for each in plan["suites"] if each["cases"]} == {
        "cities": ["suite: new"]
    }
    assert plan["removed"] == ["capitals"]
    assert cases(project, "--base", "HEAD", "--select", "state:new") == {"cities": 10}
    told = project("eval", "plan", *CHANGED).err
    assert "nothing judges any more: capitals" in told


def test_a_suite_that_was_broken_at_the_base_is_touched_as_a_whole(project: Any) -> None:
    edit(project.folder, SUITE, "version: 1", "version: one")
    commit(project.folder)
    edit(project.folder, SUITE, "version: one", "version: 1")
    (each,) = [each for each in planned(project, *CHANGED)["suites"] if each["cases"]]
    assert (each["suite"], each["cases"]) == ("capitals", 10)
    assert each["reasons"] == ["suite: cannot be read as it was"]
    ran = project("eval", "run", *CHANGED, "--limit", "5", "--exclude", "suite:deep/*")
    assert ran.code in (0, 1), ran.err  # judged alone, as a suite is that is new
    ran = project("eval", "run", "capitals", "--base", "HEAD")
    assert ran.code == 2
    assert "the base, cannot be run" in ran.err
    assert "capitals.yaml@HEAD" in ran.err


def test_a_suite_that_is_broken_now_is_an_error_and_never_left_out(project: Any) -> None:
    edit(project.folder, SUITE, "version: 1", "version: one")
    ran = project("eval", "run", *CHANGED)
    assert ran.code == 2
    assert "capitals.yaml:" in ran.err


@pytest.mark.parametrize("what", ["broken", "absent"])
def test_without_the_prompt_at_the_base_every_case_is_touched(project: Any, what: str) -> None:
    text = (project.folder / PROMPT).read_text()
    if what == "broken":
        (project.folder / PROMPT).write_text("---\n{{")
    else:
        (project.folder / PROMPT).unlink()
    commit(project.folder)
    (project.folder / PROMPT).write_text(text)
    assert cases(project, *CHANGED) == {"capitals": 10, "deep/tagged": 6}
    ran = project("eval", "run", *CHANGED, "--exclude", "suite:deep/*", "--json", "report.json")
    assert (ran.code, len(project.endpoint.chats)) == (1, 10), ran.err


def test_a_project_that_is_new_is_touched_as_a_whole(project: Any) -> None:
    git(project.folder, "rm", "-q", "--cached", "llmops.toml")
    git(project.folder, "commit", "-qm", "none")
    assert cases(project, *CHANGED) == {"capitals": 10, "deep/tagged": 6}


def test_a_broken_configuration_at_the_base_is_named_with_its_line(project: Any) -> None:
    text = (project.folder / "llmops.toml").read_text()
    (project.folder / "llmops.toml").write_text(text + "\n[models.local\n")
    commit(project.folder)
    (project.folder / "llmops.toml").write_text(text)
    ran = project("eval", "plan", *CHANGED)
    assert ran.code == 2
    assert "llmops.toml@HEAD:" in ran.err.replace("\n", "")


def test_a_dataset_that_was_a_pointer_of_git_lfs_is_compared_by_its_digest(project: Any) -> None:
    content = (project.folder / DATA).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    (project.folder / DATA).write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    )
    commit(project.folder)
    (project.folder / DATA).write_bytes(content)
    assert planned(project, *CHANGED)["nothing"] is True
    (project.folder / DATA).write_bytes(content.replace(b"Paris", b"PARIS"))
    assert cases(project, *CHANGED) == {"capitals": 10}


def test_a_shallow_clone_says_how_to_get_the_base(project: Any, tmp_path: Path) -> None:
    git(project.folder, "checkout", "-qb", "work")
    (project.folder / "NOTES.md").write_text("Words.\n")
    commit(project.folder)
    here = tmp_path / "clone"
    source = f"file://{project.folder}"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", source, str(here)], check=True, capture_output=True
    )
    project.folder = here
    ran = project("eval", "plan", "--base", "origin/main", "--select", "state:modified")
    assert ran.code == 2
    assert "git fetch --unshallow" in ran.err


def test_other_words_are_told_when_nothing_of_what_they_take_has_changed(project: Any) -> None:
    edit(project.folder, "evals/deep/tagged.yaml", ">= 0.6", ">= 0.7")
    ran = project("eval", "run", "--base", "HEAD", "--select", "state:modified,suite:capitals")
    assert ran.code == 0
    assert "nothing that this revision touches" in ran.err
    assert project.endpoint.chats == []
