"""Every command and snippet of the README and of docs/ runs, in the order of its page.

In a page, a block

- `console` holds commands after `$ ` and, below each, what it prints: a line
  of the page must be found in the output, in order; `…` stands for anything; a
  last line `exit code N` says how it ends, else it must be 0;
- `python` is a script;
- `LANGUAGE file=PATH` is a file that is written before the page goes on.

Blocks of other languages are only shown.

Each page starts in a copy of the repository, or in an empty folder where its
first line is `<!-- starts in: an empty folder -->`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/guides").glob("*.md")),
]
EMPTY = "<!-- starts in: an empty folder -->"
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)

RUN_ELSEWHERE = {
    "git clone": "the page starts in the clone",
    "cd llmops": "the page starts in the clone",
    "make install": "has run: these tests run in what it made",
    "make test": "is running",
    "make demo": "test_demo.py runs its commands",
    "make bench": "test_benchmarks.py runs its smoke mode",
    "llmops serve --stop": "test_serving.py stops a server; this one serves the other tests",
    "pip install llmops": "test_house.py builds the wheel",
}


@dataclass(frozen=True)
class Step:
    kind: str
    file: str | None
    text: str
    line: int


def steps(page: Path) -> Iterator[Step]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        yield Step(match[1], match[2], match[3], text.count("\n", 0, match.start()) + 1)


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    command, expected = "", []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        elif command.endswith("\\"):
            command += "\n" + line
        else:
            expected.append(line)
    if command:
        yield command, expected


def assert_shown(expected: list[str], output: str, where: str) -> None:
    """Every expected line stands in the output, in order."""
    remaining = output.splitlines()
    for line in filter(str.strip, expected):
        if line.strip() == "…":
            continue
        pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
        pattern = re.sub(r"(?:\\ )+", r"\\s+", pattern)
        for index, shown in enumerate(remaining):
            if re.search(pattern, shown):
                remaining = remaining[index + 1 :]
                break
        else:
            raise AssertionError(f"{where}: not printed: {line!r}\n--- printed:\n{output}")


@pytest.fixture
def workplace(tmp_path: Path, vllm_server: object, page: Path) -> Path:
    if page.read_text(encoding="utf-8").startswith(EMPTY):
        return tmp_path
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if name.startswith(("prompts/", "evals/", "guardrails/", "llmops.toml")):
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    return tmp_path


@dataclass
class Reader:
    """Somebody who follows a page: types its commands, writes its files, runs its snippets."""

    here: Path
    environment: dict[str, str]
    port: str

    def follow(self, step: Step, where: str) -> None:
        if step.file is not None:
            target = self.here / step.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.text, encoding="utf-8")
        elif step.kind == "python":
            code, output = self.run([sys.executable, "-c", step.text])
            assert code == 0, f"{where}: {output}"
        elif step.kind == "console":
            for command, expected in commands(step.text):
                if not command.startswith(tuple(RUN_ELSEWHERE)):
                    self.type(command, expected, f"{where}: {command}")

    def type(self, command: str, expected: list[str], where: str) -> None:
        if "serve --detach" in command:
            if "LLMOPS_TEST_VLLM" in os.environ:
                return  # that server is somebody else's
            command = command.replace("serve --detach", f"serve --detach --port {self.port}")
        wanted = 0
        if expected and (said := re.fullmatch(r"exit code (\d+)", expected[-1])):
            wanted = int(said[1])
            expected = expected[:-1]
        place = self.here / ".place"
        code, output = self.run(
            ["bash", "-c", f"trap 'pwd > \"{place}\"' EXIT\n{command}"]  # `cd` is for good
        )
        self.here, before = Path(place.read_text().rstrip("\n")), self.here
        (before / ".place").unlink()
        assert code == wanted, f"{where}\n{output}"
        assert_shown(expected, output, where)

    def run(self, words: list[str]) -> tuple[int, str]:
        ran = subprocess.run(
            words,
            cwd=self.here,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.vllm
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_snippet_of_a_page_runs(
    page: Path, workplace: Path, vllm_server: object
) -> None:
    api_base: str = vllm_server.api_base  # type: ignore[attr-defined]
    reader = Reader(
        here=workplace,
        environment={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LLMOPS_MODELS__LOCAL__API_BASE": api_base,
            "COLUMNS": "100",
            # A reader has told git who they are; a runner of CI has not.
            "GIT_AUTHOR_NAME": "Ada Reader",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada Reader",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        },
        port=api_base.rsplit(":", 1)[1].split("/")[0],
    )
    for step in steps(page):
        reader.follow(step, f"{page.name}:{step.line}")


def test_the_generated_reference_is_up_to_date(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs/generate.py", tmp_path], check=True)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert written
    for path in written:
        committed = (ROOT / "docs" / path).read_text(encoding="utf-8")
        assert committed == (tmp_path / path).read_text(encoding="utf-8"), (
            f"docs/{path} is old: run `make docs`"
        )


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [*PAGES, *sorted((ROOT / "docs/reference").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
