"""Starting a server until it is ready, and stopping it until nothing is left."""

from __future__ import annotations

import errno
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from llmops.core.errors import ServerStartError, UsageError
from llmops.models.serving import command
from llmops.models.serving.environment import choose_runtime
from llmops.models.serving.places import Say, Stopwatch, folder, locked
from llmops.models.serving.processes import Tree, spawn
from llmops.models.serving.startup import LogFollower, cause_of_death
from llmops.models.serving.state import (
    HOST,
    Condition,
    ServerState,
    answers,
    find,
    load_state,
    servers,
)
from llmops.models.serving.warmup import warm_up
from llmops.models.serving.weights import locate, recognise

DEFAULT_MODEL = "smollm2-135m"
DEFAULT_PORT = 8000
DEFAULT_TIMEOUT = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What to serve, and how."""

    model: str = DEFAULT_MODEL
    """A built-in model, a GGUF file, a model's folder or a hub id."""
    port: int = DEFAULT_PORT
    name: str | None = None
    """What requests call the model; by default what its file, folder or id says."""
    python: Path | None = None
    """A Python that has vLLM; by default one is found or made."""
    max_model_len: int | None = None
    """Longest prompt plus answer, in tokens."""
    max_num_seqs: int | None = None
    """Most answers that are written at once."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds from starting the process until it must be ready."""
    extra: tuple[str, ...] = ()
    """Further arguments for vLLM."""


@dataclass(slots=True)
class RunningServer:
    """A server that is ready; as a context manager it stops at the end of the block."""

    state: ServerState
    reused: bool = False
    """Whether it ran before it was asked for."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def api_base(self) -> str:
        """Where requests go, such as `http://127.0.0.1:8000/v1`."""
        return self.state.api_base

    @property
    def name(self) -> str:
        """What requests call the model."""
        return self.state.name

    def wait(self) -> None:
        """Return never, unless the server dies: `ServerStartError` says of what."""
        while self.state.tree.alive():
            time.sleep(0.5)
        _clear(self.state, self.process)
        raise _death(self.state, "died")

    def stop(self) -> int:
        """End all of its processes, forget it, and give how many there were."""
        return _clear(self.state, self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    options: ServeOptions, *, say: Say = lambda _: None, tied: bool = True, reuse: bool = False
) -> RunningServer:
    """Serve a model on 127.0.0.1 and return when it is warm.

    A `tied` server ends with this process, whatever happens to it. With
    `reuse`, a server of the same model on the same port is taken as it is.
    Raises `UsageError` for what cannot be served or a port in use, and
    `ServerStartError` when the server does not come up; then nothing of it is
    left running.
    """
    say = Stopwatch(say)
    command.check_extra(options.extra)
    source = recognise(options.model)
    name = options.name or source.name
    running = _on_port(options, name, reuse=reuse)
    if running is not None:
        return _attach(running, options, say=say)
    runtime = choose_runtime(options.python, say=say)
    place = locate(source, runtime, say=say)
    wanted = command.Wanted(
        name=name,
        port=options.port,
        max_model_len=options.max_model_len,
        max_num_seqs=options.max_num_seqs,
        extra=options.extra,
    )
    say(f"starting {runtime.describe()}")
    log = folder("logs") / f"vllm-{options.port}.log"

    def waiting() -> None:
        say(f"another llmops is about to use port {options.port}; waiting for it")

    with locked(folder("servers") / f"{options.port}.lock", waiting=waiting):
        # Once more: the environment may have taken minutes to make.
        running = _on_port(options, name, reuse=reuse)
        if running is not None:
            return _attach(running, options, say=say)
        with log.open("wb") as output:
            process = spawn(
                command.arguments(runtime, place, wanted),
                output=output,
                environment=command.environment(runtime, place, options.extra),
                tied=tied,
            )
        tree = Tree.of(process.pid)
        state = ServerState(
            port=options.port,
            model=options.model,
            source=place,
            name=name,
            pid=process.pid,
            created=tree.created,
            started=time.time(),
            python=str(runtime.python),
            log=str(log),
        )
        state.save()
    return _bring_up(RunningServer(state, process=process), options.timeout, say=say)


def stop(port: int | None = None) -> list[tuple[ServerState, int]]:
    """Stop the server on `port`, or the only one that runs; gives it and its process count.

    Where none runs, those that crashed are forgotten. Raises `UsageError` when several run and no
    port is given.
    """
    found = servers() if port is None else [each] if (each := find(port)) else []
    alive = [each for each in found if each.condition is not Condition.CRASHED]
    if len(alive) > 1:
        ports = ", ".join(str(each.state.port) for each in alive)
        raise UsageError(f"several servers run, on the ports {ports}", hint="add --port PORT")
    return [(each.state, _clear(each.state, None)) for each in alive or found]


def _bring_up(server: RunningServer, timeout: float, *, say: Say) -> RunningServer:
    """Wait for the server and warm it up; on any failure or interruption nothing stays."""
    try:
        _wait_until_healthy(server, timeout, say=say)
        features: list[str] = []
        for feature in warm_up(server.api_base, server.name, timeout=timeout, say=say):
            features.append(feature)
            say(f"warm: {feature}")
        server.state = server.state.model_copy(update={"ready": True, "features": tuple(features)})
        server.state.save()
    except BaseException as error:
        died = not server.state.tree.alive()
        if died or not server.reused:  # another command's server is not ours to stop
            _clear(server.state, server.process)
        if died and isinstance(error, ServerStartError):
            raise _death(server.state, "did not start") from None
        raise
    return server


def _wait_until_healthy(server: RunningServer, timeout: float, *, say: Say) -> None:
    log = LogFollower(Path(server.state.log))
    deadline = time.monotonic() + timeout
    while True:
        for phase in log.news():
            say(phase)
        if answers(server.state.port):
            return
        if not server.state.tree.alive():
            raise _death(server.state, "did not start")
        if time.monotonic() > deadline:
            raise ServerStartError(
                f"the server was not ready after {timeout:g} s:\n"
                f"{cause_of_death(Path(server.state.log))}\n"
                f"the whole log is in {server.state.log}",
                hint="give it longer: --timeout SECONDS",
            )
        time.sleep(0.2)


def _attach(server: RunningServer, options: ServeOptions, *, say: Say) -> RunningServer:
    """A server that another command started; one that is still starting is awaited."""
    if server.state.ready:
        return server
    say(f"a server of `{server.state.model}` is starting on port {options.port}; waiting for it")
    return _bring_up(server, options.timeout, say=say)


def _on_port(options: ServeOptions, name: str, *, reuse: bool) -> RunningServer | None:
    """A running server that may be reused; `None` when the port is free.

    Raises `UsageError` when something else has the port.
    """
    found = find(options.port)
    if found is None or found.condition is Condition.CRASHED:
        if found is not None:
            _clear(found.state, None)
        _check_port_is_free(options.port)
        return None
    state = found.state
    same = state.model == options.model and state.name == name
    if same and reuse and found.condition is not Condition.UNRESPONSIVE:
        return RunningServer(state, reused=True)
    raise UsageError(
        f"port {options.port} is taken: llmops serves `{state.model}` there "
        f"({found.condition}, process {state.pid})",
        hint=f"llmops serve --stop --port {options.port}, or choose another --port",
    )


def _check_port_is_free(port: int) -> None:
    with socket.socket() as probe:
        # As servers do, so that connections that are just closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise UsageError(f"port {port} cannot be used: {error.strerror}") from error
            raise UsageError(
                f"port {port} is in use{_user_of(port)}", hint="choose another one: --port PORT"
            ) from None


def _user_of(port: int) -> str:
    """Who listens on `port`, as far as this user may know."""
    try:
        for each in psutil.net_connections("tcp"):
            address = each.laddr or None
            listens = each.status == psutil.CONN_LISTEN and address and address.port == port
            if listens and each.pid:
                return f" by `{psutil.Process(each.pid).name()}` (process {each.pid})"
    except (psutil.Error, OSError):
        pass
    return " by another program"


def _clear(state: ServerState, process: subprocess.Popen[bytes] | None) -> int:
    """End the server's processes and remove its file, unless it is another's by now."""
    count = state.tree.stop()
    if process is not None:
        process.wait()
    current = load_state(state.port)
    if current is not None and current.pid == state.pid:
        state.forget()
    return count


def _death(state: ServerState, how: str) -> ServerStartError:
    log = Path(state.log)
    return ServerStartError(
        f"the server of `{state.model}` {how}:\n{cause_of_death(log)}\nthe whole log is in {log}"
    )
