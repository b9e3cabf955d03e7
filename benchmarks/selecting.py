"""What an edit makes run: cells and calls of `--select state:modified`, and the time to tell."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers import environment, ours

from llmops.testing import FaultyEndpoint

SHARING = 4
"""Prompts that include the same partial."""

PROMPT = """---
metadata: {{version: 1.0.0}}
inputs:
  - {{name: question, kind: string}}
  - {{name: language, kind: string, default: en}}
---
system:
{include}You answer as desk {number}.{{% if language == "de" %}} Antworte auf Deutsch.{{% endif %}}

user:
{{{{ question }}}}
"""
SUITE = """version: 1
subject: {{prompt: p{number:02}}}
dataset: {{path: data/p{number:02}.jsonl}}
checks: [exact_match]
gate: {{metrics: [{{check: exact_match, mean: ">= 0.5"}}]}}
"""
TOML = """version = 1
default_model = "local"
[models.local]
model = "hosted_vllm/fake"
cache = false
"""

Edit = Callable[[Path], None]


def _replace(path: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        file = folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return edit


EDITS: dict[str, Edit] = {
    "a README": lambda folder: (folder / "README.md").write_text("New.\n") and None,
    "one prompt": _replace("prompts/p07.prompty", "You answer", "You reply"),
    "one branch of it (1 case in 10)": _replace("prompts/p07.prompty", "Antworte", "Schreibe"),
    f"a partial of {SHARING} prompts": _replace("prompts/tone.jinja", "kind", "brief"),
    "one row of one dataset": _replace("evals/data/p03.jsonl", "question 5?", "case 5?"),
    "the model's address": _replace("llmops.toml", "fake", "other"),
}


def run(work: Path, *, suites: int, cases: int, repeats: int) -> dict[str, Any]:
    """Edit one file after the other; what would run, and for one prompt also what does."""
    folder = work / "project"
    _plant(folder, suites, cases)
    found: dict[str, Any] = {"suites": suites, "cases": suites * cases, "edits": {}}
    for name, edit in EDITS.items():
        edit(folder)
        seconds = []
        for _ in range(repeats):
            begun = time.perf_counter()
            plan = _plan(folder)
            seconds.append(time.perf_counter() - begun)
        found["edits"][name] = {
            "cells": plan["cases"],
            "share": plan["cases"] / plan["total"],
            "seconds": round(statistics.median(seconds), 2),
        }
        if name == "one prompt":
            found["calls"] = _calls(folder)
            found["calls_of_all"] = 2 * suites * cases
        _git(folder, "checkout", "-q", ".")
        _git(folder, "clean", "-qfd")
    return found


def table(result: dict[str, Any]) -> list[str]:
    """The results as Markdown."""
    lines = [
        f"{result['suites']} suites, each with a prompt of its own, {result['cases']:,} cells.",
        "",
        "| edited | cells | share | seconds of `eval plan` |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | {each['cells']:,} | {each['share']:.1%} | {each['seconds']} |"
        for name, each in result["edits"].items()
    ]
    made, of_all = result["calls"], result["calls_of_all"]
    told = f"{made:,} of {of_all:,} ({made / of_all:.1%})"
    return [*lines, "", f"Calls that the edit of one prompt made, base and head: {told}."]


def _plan(folder: Path) -> dict[str, Any]:
    words = ["eval", "plan", "--base", "HEAD", "--select", "state:modified", "--json"]
    done = subprocess.run(
        [*ours(), *words], cwd=folder, env=environment(), capture_output=True, check=True
    )
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


def _calls(folder: Path) -> int:
    """Calls at the endpoint for a paired run of what is touched."""
    words = ["eval", "run", "--base", "HEAD", "--select", "state:modified", "--repeat", "1"]
    with _endpoint() as endpoint:
        base = {"LLMOPS_MODELS__LOCAL__API_BASE": endpoint.api_base}
        done = subprocess.run(
            [*ours(), *words], cwd=folder, env=environment() | base, capture_output=True
        )
        assert done.returncode in (0, 1, 3), done.stderr.decode()
        return len(endpoint.chats)


def _plant(folder: Path, suites: int, cases: int) -> None:
    (folder / "evals/data").mkdir(parents=True)
    (folder / "prompts").mkdir()
    (folder / "llmops.toml").write_text(TOML)
    (folder / ".gitignore").write_text(".llmops/\n")
    (folder / "prompts/tone.jinja").write_text("Be kind.\n")
    for number in range(suites):
        include = '{% include "tone" %}\n' if number < SHARING else ""
        (folder / f"prompts/p{number:02}.prompty").write_text(
            PROMPT.format(number=number, include=include)
        )
        (folder / f"evals/p{number:02}.yaml").write_text(SUITE.format(number=number))
        rows = [
            {
                "id": f"q{i}",
                "question": f"Desk {number}, question {i}? " + "Some more words. " * 20,
                "language": "de" if i % 10 == 0 else "en",
                "expected": "42",
            }
            for i in range(cases)
        ]
        (folder / f"evals/data/p{number:02}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows)
        )
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "one")


def _git(folder: Path, *words: str) -> None:
    plain = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env=plain)


@contextmanager
def _endpoint() -> Iterator[FaultyEndpoint]:
    """An endpoint in a thread, which keeps every request."""
    ready, stop = threading.Event(), threading.Event()
    found: list[FaultyEndpoint] = []

    async def serve() -> None:
        async with FaultyEndpoint("42") as endpoint:
            found.append(endpoint)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield found[0]
    finally:
        stop.set()
        thread.join()
