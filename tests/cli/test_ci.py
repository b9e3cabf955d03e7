"""`llmops ci init` and the composite action: sound files, whose steps do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
PROMPT = "prompts/geography/capital.prompty"
PINNED = re.compile(r"[\w-]+/[\w/-]+@[0-9a-f]{40}")


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *words],
        cwd=folder,
        capture_output=True,
        check=True,
    )


@pytest.fixture
def repository(shell) -> Path:
    """The starter project in git, locked, on a branch; `origin/main` is where it left."""
    folder: Path = shell.folder
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "project")
    assert shell("prompt", "lock").code == 0
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "lock")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(folder, "switch", "-q", "-c", "change")
    return folder


def loaded(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def pins(text: str) -> list[str]:
    return re.findall(r"uses: (\S+)", text)


def bash(script: str, shell, **variables: str) -> subprocess.CompletedProcess[str]:
    """A step as GitHub runs it, with the real command on the path."""
    commands = shell.folder.parent / "bin"
    commands.mkdir(exist_ok=True)
    command = commands / "llmops"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llmops "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=shell.folder,
        env={
            **shell.environment,
            **variables,
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def reword(folder: Path, old: str, new: str) -> None:
    path = folder / PROMPT
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("system", "path"),
    [
        ("github", ".github/workflows/llmops.yml"),
        ("gitlab", ".gitlab/llmops.yml"),
        ("jenkins", "Jenkinsfile"),
    ],
)
def test_a_pipeline_is_written_where_its_system_looks_for_it(
    shell, repository: Path, system: str, path: str
) -> None:
    (repository / ".github/workflows/llmops.yml").unlink()
    ran = shell("ci", "init", system)
    assert ran.code == 0, ran.err
    assert ran.out.strip().endswith(path)
    text = (repository / path).read_text(encoding="utf-8")
    for needed in (
        "llmops prompt lint",
        'llmops prompt check --base "$BASE"',
        "llmops serve --detach",
        'llmops review --base "$BASE"',
        "review.sarif",
        "review.html",
    ):
        assert needed in text


def test_a_file_that_is_there_is_replaced_only_by_force(shell, repository: Path) -> None:
    path = repository / ".github/workflows/llmops.yml"
    path.write_text("name: mine\n", encoding="utf-8")
    ran = shell("ci", "init", "github")
    assert ran.code == 2
    assert "is there already" in ran.err
    assert path.read_text(encoding="utf-8") == "name: mine\n"
    assert shell("ci", "init", "github", "--force").code == 0
    assert "llmops review" in path.read_text(encoding="utf-8")


def test_a_new_project_has_the_very_same_workflow(shell, repository: Path) -> None:
    path = repository / ".github/workflows/llmops.yml"
    made_by_init = path.read_text(encoding="utf-8")
    assert shell("ci", "init", "github", "--force").code == 0
    assert path.read_text(encoding="utf-8") == made_by_init


def test_an_unknown_system_names_those_that_are_known(shell, repository: Path) -> None:
    ran = shell("ci", "init", "travis")
    assert ran.code == 2
    assert "github" in ran.err


def test_the_workflow_asks_for_no_more_rights_than_it_needs(repository: Path) -> None:
    workflow = loaded(repository / ".github/workflows/llmops.yml")
    # YAML 1.1 reads the key `on` as a truth value; GitHub does not.
    assert workflow[True] == {"pull_request": None}  # type: ignore[index]
    assert workflow["permissions"] == {"contents": "read"}
    job = workflow["jobs"]["review"]
    assert job["permissions"] == {
        "contents": "read",
        "pull-requests": "write",
        "security-events": "write",
    }
    assert job["steps"][0]["with"]["fetch-depth"] == 0
    for step in job["steps"]:
        # What a contributor names, such as a branch, never becomes part of a script.
        assert "${{" not in step.get("run", "")


def test_every_action_is_pinned_to_a_commit(repository: Path) -> None:
    text = (repository / ".github/workflows/llmops.yml").read_text(encoding="utf-8")
    text += (ROOT / "action.yml").read_text(encoding="utf-8")
    assert len(pins(text)) >= 6
    for each in pins(text):
        assert PINNED.fullmatch(each), each


def test_the_steps_of_the_workflow_review_a_change(shell, repository: Path) -> None:
    reword(repository, "{{ country }}?", "{{ country | upper }}?")
    assert shell("prompt", "lock").code == 0
    workflow = loaded(repository / ".github/workflows/llmops.yml")
    steps = {step.get("name"): step for step in workflow["jobs"]["review"]["steps"]}
    github = {
        "BASE": "origin/main",
        "GITHUB_STEP_SUMMARY": str(repository / "summary.md"),
    }
    for name in ("Lint prompts", "Check versions and lock"):
        ran = bash(steps[name]["run"], shell, **github)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    review = steps["Review the change"]["run"].replace(" --post", "")
    ran = bash(review, shell, **github)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert (repository / "summary.md").read_text(encoding="utf-8").startswith("<!-- llmops:review")
    for file in ("review.md", "review.html", "review.sarif", "prompts.sarif"):
        assert (repository / file).is_file()


def test_a_review_that_cannot_decide_passes_the_workflow_with_a_warning(
    shell, repository: Path
) -> None:
    reword(repository, "one short sentence", "one word")
    workflow = loaded(repository / ".github/workflows/llmops.yml")
    steps = {step.get("name"): step for step in workflow["jobs"]["review"]["steps"]}
    ran = bash(
        steps["Review the change"]["run"].replace(" --post", ""),
        shell,
        BASE="origin/main",
        GITHUB_STEP_SUMMARY=str(repository / "summary.md"),
        LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1",
        LLMOPS_MODELS__LOCAL__RETRIES="0",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "::warning title=llmops review::Not decided" in ran.stdout


def test_the_gitlab_job_can_be_included_as_it_is(shell, repository: Path) -> None:
    assert shell("ci", "init", "gitlab").code == 0
    (name, job), *others = loaded(repository / ".gitlab/llmops.yml").items()
    # 3 of a server that does not start must not pass for a review that could not decide.
    assert "llmops serve --detach || exit 1" in job["script"]
    assert (name, others) == ("llmops-review", [])
    assert job["variables"]["GIT_DEPTH"] == "0"
    assert job["allow_failure"] == {"exit_codes": 3}
    assert job["artifacts"]["when"] == "always"
    assert all(isinstance(line, str) for line in [*job["before_script"], *job["script"]])
    reword(repository, "{{ country }}?", "{{ country | upper }}?")
    assert shell("prompt", "lock").code == 0
    script = "\n".join(line for line in job["script"] if "llmops serve" not in line)
    ran = bash(script, shell, BASE="origin/main")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert (repository / "review.md").is_file()


def test_the_actions_inputs_and_outputs_are_those_that_are_documented() -> None:
    action = loaded(ROOT / "action.yml")
    assert {"base", "select", "python-version", "extras", "token", "working-directory"} <= set(
        action["inputs"]
    )
    assert {"outcome", "exit-code", "markdown", "html", "sarif", "json"} == set(action["outputs"])
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert "uses" in step or step["shell"] == "bash"
        assert "${{" not in step.get("run", "")


def act(shell, repository: Path, **variables: str) -> tuple[Any, dict[str, str]]:
    """The action's own step, and what it puts out."""
    (step,) = (
        each for each in loaded(ROOT / "action.yml")["runs"]["steps"] if each.get("id") == "review"
    )
    out = repository.parent / "output"
    out.write_text("", encoding="utf-8")
    github = {
        "BASE": "",
        "SELECT": "",
        "GITHUB_TOKEN": "",
        "GITHUB_BASE_REF": "main",
        "GITHUB_OUTPUT": str(out),
        "GITHUB_STEP_SUMMARY": str(repository.parent / "summary.md"),
        "REPORTS": str(repository.parent / "reports"),
    }
    ran = bash(step["run"], shell, **{**github, **variables})
    lines = out.read_text(encoding="utf-8").splitlines()
    return ran, dict(line.split("=", 1) for line in lines)


def test_the_action_fails_for_what_got_worse_and_says_where_its_files_are(
    shell, repository: Path
) -> None:
    reword(repository, "{{ country }}?", "{{ country | upper }}?")
    ran, outputs = act(shell, repository)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert (outputs["outcome"], outputs["exit-code"]) == ("failed", "1")
    assert f"::error file={PROMPT}" in ran.stdout
    for kind in ("markdown", "html", "sarif", "json"):
        assert Path(outputs[kind]).is_file()


def test_the_action_passes_where_nothing_changed(shell, repository: Path) -> None:
    ran, outputs = act(shell, repository, SELECT="suite:capitals")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (outputs["outcome"], outputs["exit-code"]) == ("passed", "0")


def test_the_action_warns_where_it_could_not_be_decided(shell, repository: Path) -> None:
    reword(repository, "one short sentence", "one word")
    ran, outputs = act(
        shell,
        repository,
        LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1",
        LLMOPS_MODELS__LOCAL__RETRIES="0",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (outputs["outcome"], outputs["exit-code"]) == ("inconclusive", "3")
    assert "::warning title=llmops review::not decided" in ran.stdout


def test_the_action_without_a_base_says_what_it_needs(shell, repository: Path) -> None:
    ran, _ = act(shell, repository, GITHUB_BASE_REF="")
    assert ran.returncode == 2
    assert "give the input `base`" in ran.stdout


def test_a_branch_with_an_evil_name_is_only_a_name(shell, repository: Path) -> None:
    ran, outputs = act(shell, repository, BASE="$(touch pwned); `touch pwned`")
    assert ran.returncode == 2
    assert outputs["outcome"] == "error"
    assert not (repository / "pwned").exists()
