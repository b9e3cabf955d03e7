"""The real command, run as a user runs it, in a project that `llmops init` made."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmops.project.scaffold import create
from llmops.testing import FaultyEndpoint

COMMAND = [sys.executable, "-m", "llmops"]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


class Shell:
    """Runs `llmops` in one folder against one endpoint."""

    def __init__(self, folder: Path, endpoint: FaultyEndpoint):
        self.folder = folder
        self.endpoint = endpoint
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LLMOPS_")},
            "LLMOPS_MODELS__LOCAL__API_BASE": endpoint.api_base,
            "LLMOPS_MODELS__LOCAL__MODEL": f"hosted_vllm/{endpoint.model}",
            "COLUMNS": "80",
        }

    def __call__(self, *arguments: str, **environment: str) -> Ran:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def interrupt(process: subprocess.Popen[str]) -> Ran:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        return Ran(process.returncode, out, err)


@pytest.fixture
def endpoint() -> Iterator[FaultyEndpoint]:
    """A faulty endpoint in a thread of its own; it knows every capital."""
    ready, stop = threading.Event(), threading.Event()
    found: list[FaultyEndpoint] = []

    async def serve() -> None:
        async with FaultyEndpoint(_capital) as endpoint:
            found.append(endpoint)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    yield found[0]
    stop.set()
    thread.join()


def _capital(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    capitals = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Japan": "Tokyo"}
    asked = messages[-1]["content"]
    return next((f"It is {city}." for land, city in capitals.items() if land in asked), "No idea.")


@pytest.fixture
def shell(tmp_path: Path, endpoint: FaultyEndpoint) -> Shell:
    folder = tmp_path / "project"
    create(folder)
    return Shell(folder, endpoint)
