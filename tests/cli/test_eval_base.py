"""`llmops eval run --base`: the suite on two revisions of a repository."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from llmops.core.errors import UsageError
from llmops.project import load_project

PROMPT = "prompts/geography/capital.prompty"
SUITE = "evals/capitals.yaml"


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repo(shell):
    suite = shell.folder / SUITE
    suite.write_text(suite.read_text().replace('pass_rate: ">= 0.6"}', 'drop: "<= 0.02"}'))
    git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "-q", "-m", "one")
    return shell


def edit(shell, path: str, old: str, new: str) -> None:
    file = shell.folder / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_a_prompt_that_got_worse_is_compared_with_its_base(repo) -> None:
    edit(repo, PROMPT, "of {{ country }}?", "of {{ country[:2] }}?")
    ran = repo("eval", "run", "capitals", "--base", "main", "--json", "r.json", "--output", "run")
    assert ran.code == 3, ran.out + ran.err  # four of ten turned, and four are not enough
    assert len(repo.endpoint.chats) == 20
    report = json.loads((repo.folder / "r.json").read_text())
    (drop,) = report["summary"]["decision"]["lines"]
    assert (drop["aggregate"], drop["outcome"]) == ("drop", "inconclusive")
    assert drop["value"] == pytest.approx(0.4)


def test_an_unchanged_subject_is_asked_once_for_both_revisions(repo) -> None:
    edit(repo, SUITE, "tags: [smoke]", "tags: [quick]")
    repo("eval", "run", "capitals", "--base", "main")
    assert len(repo.endpoint.chats) == 10


def test_the_base_has_the_model_and_sampling_of_then(repo) -> None:
    edit(repo, PROMPT, "temperature: 0", "temperature: 0.5")
    repo("eval", "run", "capitals", "--base", "main")
    temperatures = sorted(chat["temperature"] for chat in repo.endpoint.chats)
    assert temperatures == [0.0] * 10 + [0.5] * 10


def test_cases_and_checks_are_those_of_now_on_both_sides(repo) -> None:
    edit(repo, "evals/data/capitals.csv", "spain,Spain,Madrid\n", "")
    edit(repo, PROMPT, "What is", "Tell me what is")
    ran = repo("eval", "run", "capitals", "--base", "main", "--json", "r.json")
    report = json.loads((repo.folder / "r.json").read_text())
    assert report["summary"]["cases"] == 9, ran.err
    assert len(repo.endpoint.chats) == 18


def test_a_revision_that_is_not_there_is_named_with_the_nearest(repo) -> None:
    ran = repo("eval", "run", "capitals", "--base", "mian")
    assert ran.code == 2
    assert "mian" in ran.err
    assert "main" in ran.err


def test_a_suite_that_the_base_does_not_have_is_refused(repo) -> None:
    (repo.folder / "evals/new.yaml").write_text((repo.folder / SUITE).read_text())
    ran = repo("eval", "run", "new", "--base", "main")
    assert ran.code == 2
    assert "has no suite `new`" in ran.err
    assert "without `--base`" in ran.err


@pytest.mark.parametrize(("text", "what"), [("id,score\n", "id"), ("", "empty"), ("{}", "schema")])
def test_a_base_that_is_no_report_is_named_and_leaves_no_run_behind(
    repo, text: str, what: str
) -> None:
    (repo.folder / "base.json").write_text(text)
    ran = repo("eval", "run", "capitals", "--base", "base.json")
    assert ran.code == 2, what
    assert "error: base.json: not a report of this program" in ran.err
    assert "llmops eval bless RUN" in ran.err
    assert repo.endpoint.chats == []
    assert not (repo.folder / ".llmops" / "runs").exists()


def test_what_differs_from_a_blessed_report_cannot_be_selected(repo) -> None:
    for command in ("run", "plan"):
        words = ["capitals", "--base", "b.json", "--select", "state:modified"]
        ran = repo("eval", command, *words)
        assert ran.code == 2
        assert "`state:` says what differs from a git revision, and `b.json` is a report" in ran.err


def test_a_file_in_place_of_the_runs_folder_is_no_run(repo) -> None:
    for words, output in (
        (("run", "capitals"), "llmops.toml"),
        (("run", "capitals"), "llmops.toml/run"),
        (("merge", "shard"), "llmops.toml"),
    ):
        ran = repo("eval", *words, "--output", output)
        assert ran.code == 2
        assert f"{output} cannot be a folder: there is a file in its place" in ran.err


def test_an_option_that_no_run_has_is_refused_in_python_too(repo) -> None:
    suite = load_project(repo.folder).suite("capitals")
    with pytest.raises(TypeError, match="unexpected keyword argument 'limt'"):
        suite.run_sync(limt=3)
    with pytest.raises(UsageError, match="at least 1, or `auto`, not often"):
        suite.run_sync(repeat="often")
    assert repo.endpoint.chats == []


def test_a_folder_that_is_no_repository_has_no_revisions(shell) -> None:
    ran = shell("eval", "run", "capitals", "--base", "main")
    assert ran.code == 2
    assert "git init" in ran.err


def test_a_run_is_blessed_and_compared_with_later(repo) -> None:
    done = repo("eval", "run", "capitals", "--output", "first")
    assert done.code == 3
    ran = repo("eval", "bless", "first", "--why", "the first one")
    assert ran.code == 0, ran.err
    assert "evals/baselines/capitals.json" in ran.err
    assert "capitals" in repo("eval", "list").out
    again = repo("eval", "run", "capitals", "--base", "evals/baselines/capitals.json")
    assert again.code == 0, again.err
    assert len(repo.endpoint.chats) == 10
    missing = repo("eval", "run", "capitals", "--base", "evals/baselines/none.json")
    assert missing.code == 2
    assert "llmops eval bless" in missing.err


def test_repeat_takes_a_number_or_auto(repo) -> None:
    ran = repo("eval", "run", "capitals", "--repeat", "often")
    assert ran.code == 2
    assert "`auto`" in ran.err
    assert repo("eval", "run", "capitals", "--repeat", "auto", "--base", "main").code == 0


def suites(shell, *names: str) -> None:
    text = (shell.folder / SUITE).read_text()
    for name in names:
        (shell.folder / f"evals/{name}.yaml").write_text(text)


def test_several_suites_run_at_once_and_the_worst_verdict_counts(repo) -> None:
    suites(repo, "again")
    edit(repo, SUITE, 'drop: "<= 0.02"', 'pass_rate: ">= 0.9"')
    ran = repo("eval", "run", "capitals", "again", "--output", "runs")
    assert ran.code == 1
    assert "FAILED  capitals" in ran.out
    assert "INCONCLUSIVE  again" in ran.out
    assert (repo.folder / "runs/again/report.json").exists()
    assert (repo.folder / "runs/capitals/report.json").exists()


def test_only_what_a_revision_touches_is_run(repo) -> None:
    suites(repo, "again")
    edit(repo, SUITE, "tags: [smoke]", "tags: [quick]")
    git(repo.folder, "add", "-A")
    git(repo.folder, "commit", "-q", "-m", "two")
    edit(repo, PROMPT, "of {{ country }}?", 'of {{ country.replace("Japan", "Nippon") }}?')
    ran = repo("eval", "run", "--select", "state:modified,suite:again", "--base", "main")
    assert "1 of 20 cases" in ran.err
    asked = [chat["messages"][-1]["content"] for chat in repo.endpoint.chats]
    assert sorted(asked) == ["What is the capital of Japan?", "What is the capital of Nippon?"]


def test_cases_that_a_change_does_not_touch_count_as_unchanged(repo) -> None:
    rows = "".join(f"land{i},Land{i},Paris\n" for i in range(300))
    data = repo.folder / "evals/data/capitals.csv"
    data.write_text(data.read_text() + rows)
    git(repo.folder, "add", "-A")
    git(repo.folder, "commit", "-q", "-m", "more")
    edit(repo, PROMPT, "of {{ country }}?", 'of {{ country.replace("Land7", "Nowhere7") }}?')
    some = repo("eval", "run", "--select", "state:modified", "--base", "main", "--json", "a.json")
    all_ = repo("eval", "run", "capitals", "--base", "main", "--json", "b.json")
    assert (some.code, all_.code) == (0, 0), some.err
    assert len(repo.endpoint.chats) < 350
    found = [
        json.loads((repo.folder / name).read_text())["summary"]["decision"]["lines"]
        for name in ("a.json", "b.json")
    ]
    assert found[0] == found[1]


def test_a_revision_that_touches_nothing_is_green_without_a_call(repo) -> None:
    ran = repo("eval", "run", "--select", "state:modified", "--base", "main")
    assert ran.code == 0
    assert "nothing that this revision touches" in ran.err
    assert repo.endpoint.chats == []


def test_a_new_suite_that_a_selection_takes_runs_alone(repo) -> None:
    suites(repo, "new")
    edit(repo, "evals/new.yaml", 'drop: "<= 0.02"', 'pass_rate: ">= 0.4"')
    ran = repo("eval", "run", "--select", "state:modified", "--base", "main")
    assert ran.code == 0, ran.err
    assert "PASSED  new" in ran.out


def test_what_happened_on_the_base_since_is_no_change_of_the_branch(repo) -> None:
    git(repo.folder, "switch", "-q", "-c", "mine")
    git(repo.folder, "switch", "-q", "main")
    edit(repo, PROMPT, "What is", "Tell me what is")
    git(repo.folder, "commit", "-qam", "theirs")
    git(repo.folder, "switch", "-q", "mine")
    ran = repo("eval", "run", "capitals", "--base", "main")
    assert ran.code == 0, ran.out
    assert len(repo.endpoint.chats) == 10
    assert "nothing that the model sees changed" in " ".join(ran.out.split())


def test_thresholds_of_the_whole_suite_are_not_asked_of_the_part_that_a_change_touches(
    repo,
) -> None:
    rows = "".join(f"land{i},Land{i},No idea\n" for i in range(300))
    data = repo.folder / "evals/data/capitals.csv"
    data.write_text(data.read_text() + rows)
    edit(repo, SUITE, 'drop: "<= 0.02"', 'pass_rate: ">= 0.9"')
    git(repo.folder, "add", "-A")
    git(repo.folder, "commit", "-q", "-m", "more")
    edit(repo, PROMPT, "of {{ country }}?", 'of {{ country.replace("Egypt", "Misr") }}?')
    ran = repo("eval", "run", "--select", "state:modified", "--base", "main")
    assert ran.code == 0, ran.out  # Egypt fails on both sides
    assert "thresholds on the whole suite were not asked" in " ".join(ran.out.split())
