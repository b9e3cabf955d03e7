"""What is known about the servers that were started: one small file for each port."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

from pydantic import ValidationError

from llmops.core.documents import Document
from llmops.core.files import write_text
from llmops.models.serving.places import folder
from llmops.models.serving.processes import Tree

HOST = "127.0.0.1"


class ServerState(Document):
    """One server, as its file tells it; written when it starts and when it is ready."""

    version: int = 1
    port: int
    model: str
    """As it was asked for."""
    source: str
    """What is served: a folder or a hub id."""
    name: str
    """What requests call the model."""
    pid: int
    created: float
    """When the process was created; tells it from a later one of the same id."""
    started: float
    """Seconds since the epoch."""
    ready: bool = False
    features: tuple[str, ...] = ()
    """Abilities that were tried when it became ready."""
    python: str
    log: str

    @property
    def api_base(self) -> str:
        """Where requests go."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def tree(self) -> Tree:
        """The server's processes."""
        return Tree(self.pid, self.created)

    def save(self) -> None:
        """Write the file."""
        write_text(_path(self.port), self.model_dump_json(indent=2) + "\n")

    def forget(self) -> None:
        """Remove the file."""
        _path(self.port).unlink(missing_ok=True)


class Condition(StrEnum):
    """How a server is."""

    RUNNING = "running"
    STARTING = "starting"
    UNRESPONSIVE = "not answering"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that was started and not stopped, and how it is now."""

    state: ServerState
    condition: Condition

    @property
    def uptime(self) -> float | None:
        """Seconds since it was started; `None` for one that is gone."""
        if self.condition is Condition.CRASHED:
            return None
        return max(0.0, time.time() - self.state.started)

    def to_json(self) -> dict[str, object]:
        """What `--status --json` shows."""
        state = self.state
        return {
            "condition": self.condition.value,
            "model": state.model,
            "name": state.name,
            "port": state.port,
            "api_base": state.api_base,
            "pid": state.pid,
            "uptime_seconds": None if self.uptime is None else round(self.uptime, 1),
            "features": list(state.features),
            "python": state.python,
            "log": state.log,
        }


def load_state(port: int) -> ServerState | None:
    """What the file of `port` says; `None` without one, or with one that is damaged."""
    try:
        return ServerState.model_validate_json(_path(port).read_bytes())
    except (OSError, ValidationError):
        return None


def find(port: int) -> Server | None:
    """The server that was started on `port`, or `None`."""
    state = load_state(port)
    return Server(state=state, condition=_condition(state)) if state else None


def servers() -> list[Server]:
    """Every server that was started and not stopped, by port."""
    files = folder("servers").glob("*.json")
    ports = sorted(int(path.stem) for path in files if path.stem.isdecimal())
    return [server for port in ports if (server := find(port))]


def answers(port: int, *, timeout: float = 2.0) -> bool:
    """Whether `GET /health` on this machine's `port` says yes."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _condition(state: ServerState) -> Condition:
    if not state.tree.alive():
        return Condition.CRASHED
    if not state.ready:
        return Condition.STARTING
    return Condition.RUNNING if answers(state.port) else Condition.UNRESPONSIVE


def _path(port: int) -> Path:
    return folder("servers") / f"{port}.json"
