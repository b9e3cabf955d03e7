"""Fixtures that the whole suite shares: event loop, the one real vLLM server, MLflow databases."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


@pytest.fixture(scope="session")
def mlflow_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with all tables and no prompt; making one takes a second."""
    from llmops.registry.address import Address
    from llmops.registry.mlflow_client import MlflowConnection

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowConnection(Address.parse(f"sqlite:///{path}")).ask(lambda client: None)
    return path


@pytest.fixture
def mlflow_database(mlflow_tables: Path, tmp_path: Path) -> str:
    """The address of an empty MLflow database of the test's own."""
    return f"sqlite:///{shutil.copy(mlflow_tables, tmp_path / 'mlflow.db')}"
