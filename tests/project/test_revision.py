"""A project as it was at a git revision, without a checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from llmops.core.errors import NotFound, UsageError
from llmops.project.revision import ProjectRevision

PROMPT = """---
metadata: {{version: {version}}}
inputs: [{{name: question, kind: string}}]
---
user:
{text} {{{{ question }}}}{{% include "shared/tone" %}}
"""


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def write(folder: Path, version: str, text: str, tone: str) -> None:
    (folder / "prompts/qa").mkdir(parents=True, exist_ok=True)
    (folder / "prompts/shared").mkdir(exist_ok=True)
    (folder / "prompts/qa/ask.prompty").write_text(PROMPT.format(version=version, text=text))
    (folder / "prompts/shared/tone.jinja").write_text(tone)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", version)
    git(folder, "tag", f"v{version}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of its repository, with two versions of a prompt."""
    folder = tmp_path / "services" / "bot"
    (folder / "evals/probes").mkdir(parents=True)
    (folder / "llmops.toml").write_text(
        'version = 1\ndefault_model = "m"\n[models.m]\nmodel="a/b"\n'
    )
    (folder / "evals/qa.yaml").write_text(
        "version: 1\nsubject: {prompt: qa/ask}\ndataset: {path: d.jsonl}\nchecks: [exact_match]\n"
    )
    (folder / "evals/probes/p.yaml").write_text("version: 1\n")
    git(tmp_path, "init", "-q", "-b", "main")
    write(folder, "1.0.0", "Tell me:", " Briefly.")
    write(folder, "2.0.0", "Say:", " At length.")
    (folder / "prompts/qa/ask.prompty").unlink()
    return folder


def text(revision: ProjectRevision, ref: str) -> str:
    return revision.prompt(ref).render(question="why?")[-1].content


def test_a_prompt_and_its_partials_are_those_of_then(project: Path) -> None:
    assert text(ProjectRevision(project, "v1.0.0"), "qa/ask") == "Tell me: why? Briefly."
    assert text(ProjectRevision(project, "main"), "qa/ask") == "Say: why? At length."


def test_a_ref_may_name_another_revision_than_the_base(project: Path) -> None:
    assert text(ProjectRevision(project, "main"), "qa/ask@git:v1.0.0") == "Tell me: why? Briefly."


def test_suites_and_configuration_are_those_of_then(project: Path) -> None:
    (project / "evals/qa.yaml").unlink()
    (project / "llmops.toml").write_text("version = 1\n")
    revision = ProjectRevision(project, "main")
    assert revision.suite_names() == ["qa"]
    suite = revision.suite("qa")
    assert suite is not None
    assert suite.subject.prompt == "qa/ask"
    assert revision.suite("none") is None
    assert revision.config.default_model == "m"


def test_what_the_revision_does_not_have_is_named(project: Path) -> None:
    with pytest.raises(NotFound, match=r"no prompt is named `qa/asl` at `main`") as raised:
        ProjectRevision(project, "main").prompt("qa/asl")
    assert raised.value.hint == "did you mean `qa/ask`?"
    with pytest.raises(NotFound, match="no git revision is named `mian`"):
        ProjectRevision(project, "mian")


def test_a_revision_in_which_this_was_no_project_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    with pytest.raises(UsageError, match=r"`main` has no llmops\.toml"):
        _ = ProjectRevision(tmp_path, "main").config
