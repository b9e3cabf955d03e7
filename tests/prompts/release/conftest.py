"""A git repository with a folder of prompts, as people work in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from llmops.prompts import PromptRepository
from llmops.prompts.locked import Move
from llmops.prompts.lockfile import Lock
from llmops.prompts.release import (
    CheckResult,
    LockResult,
    check_prompts,
    lock_prompts,
    promote,
    rollback,
)

PROMPT = """---
description: {description}
metadata: {{version: {version}{metadata}}}
inputs:
  - {{name: question, kind: string, description: What is asked.}}
---
user:
{words}
<question>{{{{ question }}}}</question>
"""


class Workshop:
    """Writes prompts, commits them, and looks at all that is on the disk."""

    def __init__(self, top: Path, *, folder: str = "prompts"):
        self.top = top
        self.root = top / folder

    @property
    def repository(self) -> PromptRepository:
        """The prompts, as somebody finds them who comes anew."""
        return PromptRepository(self.root)

    @property
    def lock_file(self) -> Path:
        return self.root / "prompts.lock"

    @property
    def locked(self) -> Lock:
        return self.repository.lock()

    def text(self, name: str) -> str:
        return (self.root / f"{name}.prompty").read_text()

    def write(
        self,
        name: str,
        words: str = "Answer shortly.",
        *,
        version: str | None = None,
        description: str = "Answers.",
        metadata: str = "",
    ) -> Path:
        """A prompt; its version stays what the file says, or is 1.0.0, unless it is given."""
        path = self.root / f"{name}.prompty"
        path.parent.mkdir(parents=True, exist_ok=True)
        known = self.version(name) if path.exists() else "1.0.0"
        path.write_text(
            PROMPT.format(
                words=words, version=version or known, description=description, metadata=metadata
            )
        )
        return path

    def put(self, path: str, content: str | bytes) -> Path:
        """Any file of the folder of prompts, byte for byte."""
        where = self.root / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content if isinstance(content, bytes) else content.encode())
        return where

    def version(self, name: str) -> str:
        """The version that the file says."""
        _, _, rest = self.text(name).partition("version:")
        return rest.strip().split("}")[0].split(",")[0].split("\n")[0].strip("'\" ")

    def git(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.top), *words], capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def commit(self, message: str = "as it is") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def lock(self, **options: Any) -> LockResult:
        return lock_prompts(self.repository, **options)

    def versions(self, **options: Any) -> dict[str, str]:
        """Lock, and which prompt got which version."""
        return {step.name: str(step.version) for step in self.lock(**options).steps}

    def release(self, name: str, words: str, **options: Any) -> str:
        """Write, lock and commit a prompt; its version."""
        self.write(name, words, **options)
        self.lock()
        self.commit(f"{name}: {words}")
        return self.version(name)

    def check(self, **options: Any) -> CheckResult:
        return check_prompts(self.repository, **options)

    def problems(self, **options: Any) -> list[str]:
        """What the check says, a line for all that makes it fail."""
        found = self.check(**options)
        errors = [each for each in found.findings if each.level == "error"]
        assert found.clean is not bool(found.problems or errors)
        return [f"{one.rule}: {one.message}" for one in (*found.problems, *errors)]

    def promote(self, name: str, version: str, *, to: str = "production", **options: Any) -> Move:
        """Move an alias without an evaluation."""
        moved = promote(
            self.repository, name, version, to=to, **{"why": "a test", "force": True, **options}
        )
        assert moved is not None
        return moved

    def rollback(self, name: str, alias: str = "production", **options: Any) -> Move:
        return rollback(self.repository, name, alias, **options)

    def disk(self) -> dict[str, tuple[bytes, int]]:
        """Every file, git's own too, with its bytes and when it was written."""
        return {
            str(path.relative_to(self.top)): (
                str(path.readlink()).encode() if path.is_symlink() else path.read_bytes(),
                path.lstat().st_mtime_ns,
            )
            for path in sorted(self.top.rglob("*"))
            if path.is_symlink() or path.is_file()
        }

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Fails if anything on the disk is another after the block."""
        before = self.disk()
        yield
        assert self.disk() == before

    def clone(self, to: Path, *options: str) -> Workshop:
        """A clone over git's own protocol, as a CI job makes it."""
        subprocess.run(
            ["git", "clone", "-q", *options, self.top.as_uri(), str(to)],
            check=True,
            capture_output=True,
        )
        return Workshop(to, folder=self.root.relative_to(self.top).as_posix())


def race(script: str, *runs: Sequence[str | Path]) -> list[int]:
    """Exit codes of a Python script that runs once for each list of arguments, all at once.

    It calls `ready()` when it has imported what it needs.
    """
    head = "import sys\ndef ready():\n    print('ready', flush=True)\n    sys.stdin.read()\n"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", head + script, *run],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for run in runs
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    codes = [process.wait() for process in started]
    for process in started:
        assert process.stdout is not None
        process.stdout.close()
    return codes


@pytest.fixture(name="race")
def race_fixture() -> Callable[..., list[int]]:
    return race


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it is delivered, whatever this machine's owner has set."""
    _plain_git(monkeypatch)


def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # A clone of a local repository knows nobody.
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("empty") / "work"
    (top / "prompts").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(top)], check=True, capture_output=True)
    shutil.rmtree(top / ".git" / "hooks")
    return top


@pytest.fixture
def workshop(tmp_path: Path, empty_repository: Path) -> Workshop:
    """A git repository without a commit, and an empty folder of prompts."""
    return Workshop(Path(shutil.copytree(empty_repository, tmp_path / "work")))


@pytest.fixture(scope="session")
def released_repository(tmp_path_factory: pytest.TempPathFactory, empty_repository: Path) -> Path:
    with pytest.MonkeyPatch.context() as environment:
        _plain_git(environment)
        top = tmp_path_factory.mktemp("released") / "work"
        workshop = Workshop(Path(shutil.copytree(empty_repository, top)))
        workshop.write("support/triage", "Sort it.")
        for words in ("One.", "Two.", "Three."):
            workshop.release("answer", words)
        workshop.git("gc", "-q")  # one file to copy for each test, and packed as old objects are
    return top


@pytest.fixture
def released(tmp_path: Path, released_repository: Path) -> Workshop:
    """`answer` in the versions 1.0.0, 1.1.0 and 1.2.0, `support/triage` in 1.0.0; all committed."""
    return Workshop(Path(shutil.copytree(released_repository, tmp_path / "work")))
