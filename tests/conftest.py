"""Fixtures that the whole suite shares: the event loop and the one real vLLM server."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Served:
    """A model server that answers."""

    api_base: str
    model: str = "smollm2-135m"


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


@pytest.fixture(scope="session")
def vllm_server() -> Iterator[Served]:
    """The real vLLM server, started once for the run; `LLMOPS_TEST_VLLM` names one that is up."""
    running = os.environ.get("LLMOPS_TEST_VLLM")
    if running:
        yield Served(api_base=running)
        return
    from llmops.models.serving import ServeOptions, start

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start(ServeOptions(port=port), say=_tell) as server:
        yield Served(api_base=server.api_base, model=server.name)
    assert not server.state.tree.members(), "the server left processes behind"
