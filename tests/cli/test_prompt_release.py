"""`llmops prompt lock|check|promote|rollback|history|bundle`, as a person and a CI job use them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from llmops.cli.app import app
from llmops.core.errors import LlmopsError
from llmops.project import load_project

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


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shop:
    """A git repository with a folder of prompts, and no `llmops.toml`."""

    def __init__(self, top: Path):
        self.top = top

    def __call__(self, *words: str) -> Ran:
        """`llmops prompt …` in this process."""
        done = CliRunner().invoke(app, ["prompt", *words])
        if isinstance(done.exception, LlmopsError):
            error = done.exception
            hint = f"hint: {error.hint}\n" if error.hint else ""
            return Ran(error.exit_code, done.stdout, f"{done.stderr}error: {error}\n{hint}")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    def real(self, *words: str | bytes, **environment: str) -> Ran:
        """`llmops prompt …` as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "llmops", "prompt", *words],
            cwd=self.top,
            env={**os.environ, **environment},
            capture_output=True,
            check=False,
        )
        out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return Ran(done.returncode, out, err)

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.top), *words], check=True, capture_output=True, text=True
        )
        return done.stdout

    def write(self, name: str, words: str, version: str = "1.0.0") -> None:
        path = self.top / "prompts" / f"{name}.prompty"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PROMPT.format(version=version, words=words))

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "as it is")

    def files(self) -> dict[str, bytes]:
        """All that is on the disk, but for what the linter remembers."""
        return {
            str(path): path.read_bytes()
            for path in self.top.rglob("*")
            if path.is_file() and ".llmops" not in path.parts
        }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = Shop(tmp_path_factory.mktemp("shop") / "work")
    shop.write("support/answer", "One.")
    shop.write("triage", "Sort it.")
    shop.git("init", "-q", "-b", "main")
    shop.git("config", "user.name", "Ada")
    shop.git("config", "user.email", "ada@example.org")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(shop.top)
        assert shop("lock").code == 0
        shop.commit()
        shop.write("support/answer", "Two.")
        assert shop("lock").code == 0
        shop.commit()
    return shop.top


@pytest.fixture
def shop(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(Path(shutil.copytree(template, tmp_path / "work")))
    monkeypatch.chdir(made.top)
    return made


def test_lock_says_what_became_of_every_prompt(shop: Shop) -> None:
    shop.write("new", "New.", "0.1.0")
    shop.write("support/answer", "One.", "1.1.0")
    shop.write("triage", "Sort them.")
    assert shop("lock") == Ran(
        0,
        "new 0.1.0 (new)\n"
        "support/answer 1.0.0: the same text again\n"
        "triage 1.0.0 → 1.1.0 (behaviour)\n",
        "",
    )
    assert shop("lock") == Ran(0, "3 prompts, all locked\n", "")
    (shop.top / "prompts" / "new.prompty").unlink()
    assert shop("lock").out == "new@0.1.0 dropped: it was not released\n"


def test_lock_as_json_is_for_programs(shop: Shop) -> None:
    shop.write("triage", "Sort them.")
    assert shop("lock", "triage", "--bump", "major", "--json").json == {
        "locked": [
            {
                "name": "triage",
                "version": "2.0.0",
                "before": "1.0.0",
                "kind": "behaviour",
                "again": False,
                "rewritten": True,
            }
        ],
        "dropped": [],
        "prompts": 2,
    }


@pytest.mark.parametrize(
    "words",
    [
        ("lock", "--bump", "huge"),
        ("lock", "tirage"),
        ("lock", "--base", "nowhere"),
        ("check", "--base", "nowhere"),
        ("promote", "triage"),
        ("promote", "triage", "1.0.0", "--to", "production"),
        ("promote", "triage", "1.0.0", "--why", "because"),
        ("promote", "triage", "1.0.0", "--to", "production", "--why", "because"),
        ("promote", "triage", "1.0.0", "--to", "production", "--why", " ", "--force"),
        ("promote", "triage", "2.0.0", "--to", "production", "--why", "w", "--force"),
        ("promote", "triage", "1.0.0", "--to", "a b", "--why", "w", "--force"),
        ("promote", "triage", "1.0.0", "--to", "p", "--why", "w", "--report", "no"),
        ("rollback", "triage"),
        ("rollback", "triage", "--from", "production"),
        ("history", "tirage"),
        ("bundle",),
        ("bundle", "-o", "x.bundle"),
        ("bundle", "-o", "x.bundle", "--keep", "triage@9.0.0"),
        ("bundle", "-o", "prompts", "--keep", "triage@1.0.0"),
        ("show", "triage@9.0.0"),
        ("render", "triage@git:nowhere", "--var", "question=q"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_exits_with_2_and_changes_nothing(
    words: tuple[str, ...], shop: Shop
) -> None:
    shop.write("triage", "Sort them.")
    before = shop.files()
    done = shop(*words)
    assert (done.code, done.out) == (2, "")
    assert "error" in done.err.lower()
    assert shop.files() == before


def test_check_exits_with_1_on_drift_and_says_what_to_run(shop: Shop) -> None:
    assert shop("check", "--base", "HEAD~1") == Ran(0, "", "2 prompts, all in order\n")
    shop.write("triage", "Sort them.")
    before = shop.files()
    done = shop("check")
    assert done.code == 1
    assert done.out == (
        "prompts/triage.prompty:3: version: `triage` has a behaviour change since "
        "1.0.0: it needs 1.1.0, and says 1.0.0\n"
        "  run `llmops prompt lock`\n"
    )
    assert done.err == "1 problem, 0 findings of the linter\n"
    assert shop("check", "--json").json == {
        "passed": False,
        "prompts": 2,
        "problems": [
            {
                "rule": "version",
                "prompt": "triage",
                "message": "`triage` has a behaviour change since 1.0.0: it needs 1.1.0, "
                "and says 1.0.0",
                "hint": "run `llmops prompt lock`",
                "path": "prompts/triage.prompty",
                "line": 3,
            }
        ],
        "findings": [],
    }
    assert shop.files() == before
    assert shop("lock").code == 0
    assert shop("check").code == 0


def test_check_counts_warnings_of_the_linter_where_it_is_strict(shop: Shop) -> None:
    shop.write("triage", "Sort them.   ")
    shop("lock")
    assert shop("check").code == 0
    done = shop("check", "--strict")
    assert done.code == 1
    assert "trailing-whitespace" in done.out
    assert shop("check", "--strict", "--json").json["passed"] is False
    (shop.top / "llmops.toml").write_text(
        'version = 1\n[lint.rules]\ntrailing-whitespace = "off"\n'
    )
    assert shop("check", "--strict").code == 0


def test_a_life_of_an_alias(shop: Shop) -> None:
    why = ("--why", "größer 🤖 \u2028 besser", "--force")
    done = shop("promote", "support/answer", "1.0.0", "--to", "production", *why)
    assert done == Ran(0, "support/answer@production → 1.0.0\n", "")
    assert shop("promote", "support/answer", "1.0.0", "--to", "production", *why).out == (
        "support/answer@production is 1.0.0 already\n"
    )
    moved = shop("promote", "support/answer", "1.1.0", "--to", "production", *why, "--json").json
    assert (moved["from"], moved["to"], moved["forced"], moved["why"]) == (
        "1.0.0",
        "1.1.0",
        True,
        why[1],
    )
    assert shop("render", "support/answer@production", "--var", "question=q").out.startswith(
        "[1 of 1] user\nTwo."
    )
    done = shop("rollback", "support/answer", "--from", "production")
    assert done == Ran(0, "support/answer@production 1.1.0 → 1.0.0 (rollback)\n", "")
    lines = shop("history", "support/answer").out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["VERSION", "1.1.0", "1.0.0"]
    assert lines[2].endswith("production")
    told = [line.partition("  ")[2] for line in lines if "@production" in line]
    assert told == [
        "support/answer@production → 1.0.0",
        "support/answer@production 1.0.0 → 1.1.0",
        "support/answer@production 1.1.0 → 1.0.0 (rollback)",
    ]
    assert "  who       Ada <ada@example.org>" in lines
    assert "  evidence  none: forced" in lines
    found = shop("history", "support/answer", "--json").json
    assert found["aliases"] == {"production": "1.0.0"}
    assert [each["version"] for each in found["versions"]] == ["1.0.0", "1.1.0"]
    assert [each["kind"] for each in found["moves"]] == ["promote", "promote", "rollback"]
    assert shop("check").code == 0


def test_a_bundle_is_read_where_there_is_no_git(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    force = ("--why", "first", "--force")
    shop("promote", "support/answer", "1.0.0", "--to", "production", *force)
    path = tmp_path / "prompts.bundle"
    done = shop("bundle", "-o", str(path), "--keep", "triage@^1")
    assert done == Ran(0, "support/answer@1.0.0\ntriage@1.0.0\n", f"2 versions in {path}\n")
    found = shop("bundle", "-o", str(path), "--json").json
    assert found["path"] == str(path)
    assert [(each["prompt"], each["version"]) for each in found["versions"]] == [
        ("support/answer", "1.0.0")
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    prompt = load_project(bundle=path).prompt("support/answer@production")
    assert prompt.render(question="q")[0].content.startswith("One.")


def test_broken_things_end_in_one_message_and_no_traceback(shop: Shop, tmp_path: Path) -> None:
    shop.write("triage", "Sort them.")
    before = shop.files()
    done = shop.real("lock", PATH=str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: git is not installed")
    done = shop.real("promote", "triage", "1.0.0", "--to", "p", "--force", "--why", b"\xff")
    assert (done.code, done.out) == (2, "")
    assert "error: the reason is not UTF-8 text" in done.err
    lock = shop.top / "prompts" / "prompts.lock"
    lock.write_bytes(b"<<<<<<< HEAD\n" + lock.read_bytes())
    done = shop.real("lock")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {lock}:1: holds a merge conflict marker\nhint: ")
    assert shop.real("check").code == 1
    lock.write_bytes(before[str(lock)])
    assert shop.files() == before


def test_a_commit_hook_keeps_drift_out(shop: Shop) -> None:
    hook = shop.top / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {sys.executable} -m llmops prompt check >&2\n")
    hook.chmod(0o755)
    shop.write("triage", "Sort them.")
    with pytest.raises(subprocess.CalledProcessError) as told:
        shop.commit()
    assert "run `llmops prompt lock`" in told.value.stderr
    shop("lock")
    shop.commit()
    assert shop.git("status", "--porcelain") == ""
