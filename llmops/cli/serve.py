"""`llmops serve`: a real model on this machine, from nothing to warm, and away again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.models.serving import RunningServer, ServeOptions

CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": False}
"""Settings of the command: what stands after `--` goes to vLLM."""


def serve(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Option(help="Hub id, folder, GGUF file, or the built-in smollm2-135m."),
    ] = "smollm2-135m",
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port on 127.0.0.1.", show_default="8000; all with --status"
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What requests call the model.", show_default="of the model")
    ] = None,
    python: Annotated[
        Path | None,
        typer.Option(
            help="A Python that has vLLM.", show_default="vllm on PATH, or one that is made once"
        ),
    ] = None,
    max_model_len: Annotated[
        int | None,
        typer.Option(
            min=1, help="Longest prompt plus answer, in tokens.", show_default="2048 on a CPU"
        ),
    ] = None,
    max_num_seqs: Annotated[
        int | None,
        typer.Option(min=1, help="Most answers written at once.", show_default="8 on a CPU"),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds until the server must be ready.")
    ] = 600.0,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when it is ready; it runs on.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Show the servers that were started.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop a server and all its processes.")] = (
        False
    ),
    json: Annotated[bool, typer.Option("--json", help="With --status: print JSON.")] = False,
) -> None:
    """Serve a model with vLLM on 127.0.0.1 and wait until it is warm.

    vLLM runs in an environment of its own, which is found or made once.
    Ctrl-C stops the whole process tree. Further arguments for vLLM stand after
    `--`, as in `llmops serve -- --seed 1`.
    """
    from llmops.core.errors import UsageError

    if [status, stop, detach].count(True) > 1:
        raise UsageError("--status, --stop and --detach exclude each other")
    if json and not status:
        raise UsageError("--json goes with --status")
    if status:
        _status(port, json=json)
        return
    if stop:
        _stop(port)
        return
    from llmops.models.serving import DEFAULT_PORT, ServeOptions

    options = ServeOptions(
        model=model,
        port=port or DEFAULT_PORT,
        name=name,
        python=python,
        max_model_len=max_model_len,
        max_num_seqs=max_num_seqs,
        timeout=timeout,
        extra=tuple(context.args),
    )
    if detach:
        _detached(options)
    else:
        _foreground(options)


def _detached(options: ServeOptions) -> None:
    from llmops.models.serving import start

    with _interruptible(options):
        server = start(options, say=say, tied=False, reuse=True)
    if server.reused:
        say(f"already running (process {server.state.pid})")
    _show_ready(server)
    say(f"stop it: llmops serve --stop --port {options.port}")


def _foreground(options: ServeOptions) -> None:
    from llmops.models.serving import start

    with _interruptible(options), start(options, say=say) as server:
        _show_ready(server)
        say("stop it: Ctrl-C")
        server.wait()


def _show_ready(server: RunningServer) -> None:
    say(f"ready: `{server.name}` at {server.api_base} (log: {server.state.log})")
    emit(server.api_base)


@contextmanager
def _interruptible(options: ServeOptions) -> Iterator[None]:
    """Let the first Ctrl-C, SIGTERM or hang-up end the block, and later ones not disturb that."""
    import signal

    from llmops.core.errors import Interrupted

    def end(_: int, __: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        say("stopping")
        raise KeyboardInterrupt

    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # A signal that is ignored already, as under nohup, stays so.
    before = {each: signal.getsignal(each) for each in kinds}
    before = {each: was for each, was in before.items() if was is not signal.SIG_IGN}
    for each in before:
        signal.signal(each, end)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"`{options.model}` is stopped; nothing of it runs") from None
    finally:
        for each, was in before.items():
            signal.signal(each, was)


def _status(port: int | None, *, json: bool) -> None:
    from llmops.models.serving import find, servers

    found = servers() if port is None else [each] if (each := find(port)) else []
    if json:
        emit_json([each.to_json() for each in found])
    elif not found:
        emit("not running" if port is None else f"not running on port {port}")
    else:
        emit_table(
            ["STATE", "MODEL", "PORT", "PROCESS", "UP", "LOG"],
            [
                [
                    each.condition.value,
                    each.state.name,
                    str(each.state.port),
                    str(each.state.pid),
                    _duration(each.uptime),
                    each.state.log,
                ]
                for each in found
            ],
        )


def _stop(port: int | None) -> None:
    from llmops.models.serving import stop

    stopped = stop(port)
    if not stopped:
        say("nothing to stop: not running")
    for state, count in stopped:
        if count:
            say(f"stopped `{state.name}` on port {state.port} ({count} processes)")
        else:
            say(f"`{state.name}` on port {state.port} had ended by itself; see {state.log}")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
