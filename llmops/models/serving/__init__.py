"""Serving a model with vLLM: the environment, the weights, the process and its end.

`start` gives a server that is warm, `stop` leaves nothing of one behind,
`servers` tells which there are. vLLM itself is never imported: it runs in an
environment and a process of its own.
"""

from __future__ import annotations

from llmops.models.serving.environment import describe_environment
from llmops.models.serving.launch import (
    DEFAULT_MODEL,
    DEFAULT_PORT,
    DEFAULT_TIMEOUT,
    RunningServer,
    ServeOptions,
    start,
    stop,
)
from llmops.models.serving.state import Condition, Server, ServerState, find, servers
from llmops.models.serving.weights import BUILTIN

__all__ = [
    "BUILTIN",
    "DEFAULT_MODEL",
    "DEFAULT_PORT",
    "DEFAULT_TIMEOUT",
    "Condition",
    "RunningServer",
    "ServeOptions",
    "Server",
    "ServerState",
    "describe_environment",
    "find",
    "servers",
    "start",
    "stop",
]
