"""A project without git, and what an evaluation has to say before an alias is moved."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, LlmopsError, UsageError
from llmops.core.fingerprint import file_sha256
from llmops.evals.render import write_reports
from llmops.evals.runner import run_suite
from llmops.project import load_project, prompts_project
from llmops.prompts.release import lock_prompts, write_bundle
from llmops.testing import ScriptedModel

PROMPT = """---
description: Answers.
metadata: {{version: {version}}}
inputs:
  - {{name: question, kind: string, description: What is asked.}}
---
user:
{words}
<question>{{{{ question }}}}</question>
"""
SUITE = "version: 1\nsubject: {prompt: ask}\ndataset: {path: cases.jsonl}\nchecks: [exact_match]\n"


class Shop:
    """A project in a git repository, with a suite of four cases."""

    def __init__(self, top: Path):
        self.top = top
        (top / "prompts").mkdir(parents=True)
        (top / "evals").mkdir()
        (top / "llmops.toml").write_text("version = 1\n")
        (top / ".gitignore").write_text(".llmops/\n")
        cases = [{"id": f"q{n}", "question": f"Q{n}", "expected": f"A{n}"} for n in range(4)]
        lines = "".join(f"{json.dumps(case)}\n" for case in cases)
        (top / "evals" / "cases.jsonl").write_text(lines)
        (top / "evals" / "qa.yaml").write_text(SUITE)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")
        for version, words in (("1.0.0", "One."), ("1.1.0", "Two.")):
            self.write(words, version)
            lock_prompts(self.project.prompts)
            self.git("add", "-A")
            self.git("commit", "-qm", words)

    @property
    def project(self) -> Any:
        return load_project(self.top)

    @property
    def lock_file(self) -> Path:
        return self.top / "prompts" / "prompts.lock"

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.top), *words], check=True, capture_output=True)

    def write(self, words: str, version: str) -> None:
        text = PROMPT.format(version=version, words=words)
        (self.top / "prompts" / "ask.prompty").write_text(text)

    async def run(self, ref: str, *, right: bool, name: str, **options: Any) -> Path:
        """The suite on a version, by a scripted model; the folder with its `report.json`."""
        folder = self.project.folder("state") / "runs" / name
        report = await run_suite(
            self.project.suite("qa").load(),
            prompt=self.project.prompt(ref),
            model=ScriptedModel(lambda request: _answer(request, right)),
            output=folder,
            command="llmops eval run qa",
            **options,
        )
        assert report.summary.decision.outcome == ("passed" if right else "failed")
        write_reports(report, folder)
        return folder

    def promote(self, version: str = "1.1.0", **options: Any) -> Any:
        return self.project.promote("ask", version, to="production", why="it is better", **options)

    def refused(self, message: str, **options: Any) -> LlmopsError:
        before = self.lock_file.read_bytes()
        with pytest.raises(LlmopsError, match=message) as told:
            self.promote(**options)
        assert self.lock_file.read_bytes() == before
        return told.value


def _answer(request: Any, right: bool) -> str:
    (message,) = request.messages
    number = message.content.partition("<question>Q")[2].partition("<")[0]
    return f"A{number}" if right else "no idea"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Shop(tmp_path_factory.mktemp("shop") / "work").top


@pytest.fixture
def shop(tmp_path: Path, template: Path) -> Shop:
    made = Shop.__new__(Shop)
    made.top = Path(shutil.copytree(template, tmp_path / "work"))
    return made


def test_without_an_evaluation_nothing_is_promoted(shop: Shop) -> None:
    error = shop.refused("no passing evaluation of `ask@1.1.0` is known")
    assert isinstance(error, UsageError)
    assert "llmops eval run" in (error.hint or "")


@pytest.mark.anyio
async def test_a_passing_evaluation_of_that_very_content_speaks_for_it(shop: Shop) -> None:
    folder = await shop.run("ask@1.1.0", right=True, name="run-1")
    move = shop.promote()
    assert not move.forced
    assert move.evidence.to_json() == {
        "report": "run-1",
        "sha256": file_sha256(folder / "report.json"),
        "suite": "qa",
        "cases": "4 of 4",
        "outcome": "passed",
    }
    assert shop.project.prompts.lock().moves("ask") == [move]
    assert shop.project.prompt("ask@production").version == "1.1.0"


@pytest.mark.anyio
async def test_the_evaluation_of_another_content_does_not(shop: Shop) -> None:
    folder = await shop.run("ask@1.0.0", right=True, name="run-1")
    shop.refused("no passing evaluation of `ask@1.1.0` is known")
    error = shop.refused("the report judged another content: sha256:", report=folder)
    assert error.where is not None
    assert error.where.path == folder / "report.json"
    locked = shop.project.prompts.lock().versions("ask")[1]
    assert locked.content in (error.hint or "")
    assert shop.promote("1.0.0").evidence.report == "run-1"


@pytest.mark.anyio
async def test_a_failed_evaluation_does_not(shop: Shop) -> None:
    folder = await shop.run("ask", right=False, name="run-1")
    shop.refused("no passing evaluation")
    for report in (folder, folder / "report.json"):
        error = shop.refused("the report did not pass", report=report)
        assert "--force --why" in (error.hint or "")
    move = shop.promote(report=folder, force=True)
    assert (move.forced, move.evidence) == (True, None)
    assert '"forced": true' in shop.lock_file.read_text()


@pytest.mark.anyio
async def test_the_last_run_of_a_suite_is_what_counts(shop: Shop) -> None:
    await shop.run("ask", right=True, name="run-1")
    await shop.run("ask", right=False, name="run-2")
    shop.refused("no passing evaluation")
    await shop.run("ask", right=True, name="run-0")
    assert shop.promote().evidence.report == "run-0"


@pytest.mark.anyio
async def test_how_many_cases_were_judged_is_recorded(shop: Shop) -> None:
    await shop.run("ask", right=True, name="run-1", limit=1)
    assert shop.promote().evidence.cases == "1 of 4"


@pytest.mark.anyio
async def test_evidence_counts_where_force_is_given_too(shop: Shop) -> None:
    folder = await shop.run("ask", right=True, name="run-1")
    move = shop.promote(force=True, report=folder)
    assert (move.forced, move.evidence.report) == (False, "run-1")


@pytest.mark.anyio
async def test_a_prompt_edited_after_its_evaluation_needs_another(shop: Shop) -> None:
    await shop.run("ask", right=True, name="run-1")
    shop.write("Three.", "1.1.0")
    lock_prompts(shop.project.prompts)
    shop.refused("no passing evaluation of `ask@1.2.0`", version="1.2.0")
    assert shop.promote("1.1.0").evidence.report == "run-1"


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "other"}', "\udc80", "[" * 5000])
def test_a_broken_report_among_the_runs_is_no_evidence(content: str, shop: Shop) -> None:
    path = shop.top / ".llmops" / "runs" / "run-1" / "report.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    shop.refused("no passing evaluation")
    for force in (False, True):
        error = shop.refused("not a report of this program", report=path, force=force)
        assert isinstance(error, DocumentError)


@pytest.mark.parametrize("force", [False, True])
def test_a_report_that_is_not_there_is_told(force: bool, shop: Shop) -> None:
    shop.refused("no such report", report=shop.top / "nowhere", force=force)


def packed(shop: Shop, *keep: str) -> Path:
    path = shop.top / "prompts.bundle"
    write_bundle(shop.project.prompts, path, keep=keep)
    return path


def test_a_bundle_is_a_project_without_git_and_without_a_project_file(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.promote("1.0.0", force=True)
    path = packed(shop, "ask@1.1.0")
    expected = {ref: shop.project.prompt(ref).source for ref in ("ask@production", "ask@^1")}
    image = tmp_path / "image"
    image.mkdir()
    shutil.move(path, image / "prompts.bundle")
    monkeypatch.chdir(image)
    monkeypatch.setenv("PATH", str(image))
    for where in ("prompts.bundle", image / "prompts.bundle"):
        project = load_project(bundle=where)
        for ref, source in expected.items():
            assert project.prompt(ref).source == source
    assert project.prompt("ask@production").render(question="Why?")[0].content == (
        "One.\n<question>Why?</question>"
    )


def test_with_a_project_file_the_rest_comes_from_there(shop: Shop) -> None:
    path = packed(shop, "ask@1.0.0")
    (shop.top / "llmops.toml").write_text(
        'version = 1\ndefault_model = "m"\n[models.m]\nmodel = "openai/gpt"\n'
    )
    shutil.rmtree(shop.top / ".git")
    shutil.rmtree(shop.top / "prompts")
    project = load_project(shop.top, bundle=path)
    assert project.config.default_model == "m"
    assert project.prompt("ask@1.0.0").version == "1.0.0"
    with pytest.raises(UsageError, match="means a checkout") as told:
        project.prompt("ask")
    assert "`ask@1.0.0`" in (told.value.hint or "")


def test_a_folder_that_was_named_needs_its_project_file(shop: Shop, tmp_path: Path) -> None:
    path = packed(shop, "ask@1.0.0")
    with pytest.raises(UsageError, match=r"no llmops\.toml"):
        load_project(tmp_path, bundle=path)


def test_a_broken_project_file_is_told_beside_a_bundle_too(shop: Shop) -> None:
    path = packed(shop, "ask@1.0.0")
    (shop.top / "llmops.toml").write_text("version = 7\n")
    with pytest.raises(DocumentError, match="version"):
        load_project(shop.top, bundle=path)


def test_a_damaged_bundle_is_refused_when_the_project_is_loaded(shop: Shop) -> None:
    path = packed(shop, "ask@1.0.0")
    path.write_bytes(path.read_bytes().replace(b"One.", b"One!"))
    with pytest.raises(DocumentError, match="is damaged") as told:
        load_project(shop.top, bundle=path)
    assert str(told.value).startswith(f"{path}: ")
    with pytest.raises(DocumentError, match="no such file"):
        load_project(shop.top, bundle=shop.top / "nowhere")


def test_prompts_alone_are_a_project_for_what_needs_no_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.top / "llmops.toml").unlink()
    monkeypatch.chdir(shop.top)
    assert prompts_project().prompt("ask@1.0.0").version == "1.0.0"
    monkeypatch.chdir(shop.top / "evals")
    with pytest.raises(UsageError, match=r"no llmops\.toml"):
        prompts_project()
    (shop.top / "llmops.toml").write_text("nonsense")
    monkeypatch.chdir(shop.top)
    with pytest.raises(DocumentError, match="not valid TOML"):
        prompts_project()
