"""What serving is made of: the choice of a Python, the command line, process trees, states."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import psutil
import pytest

from llmops.core.errors import NotFound, ServerStartError, UsageError
from llmops.models.serving import (
    Condition,
    ServerState,
    command,
    environment,
    find,
    installation,
    servers,
)
from llmops.models.serving.environment import Runtime, choose_runtime, interpreter_of
from llmops.models.serving.hub import check_hub_model
from llmops.models.serving.processes import StepFailed, Tree, run_step, spawn
from llmops.models.serving.startup import LogFollower, cause_of_death
from llmops.models.serving.weights import locate, recognise

CPU = Runtime(python=Path("/env/bin/python"), version="0.32.0", cpu=True)
GPU = Runtime(python=Path("/env/bin/python"), version="0.32.0", cpu=False, server_module=False)
WANTED = command.Wanted(name="m", port=8123)

FAMILY = """
import subprocess, sys, time
code = "import time; print('up', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
print("family", flush=True)
time.sleep(600)
"""

STARTER = """
import os, sys, time
from llmops.models.serving.processes import spawn
code = "import time; time.sleep(600)"
started = spawn([sys.executable, "-c", code], output=-3, environment=os.environ, tied=True)
print(started.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LLMOPS_CACHE_DIR", str(folder))
    for name in ("VLLM_CPU_OMP_THREADS_BIND", "OMP_NUM_THREADS", "VLLM_CPU_KVCACHE_SPACE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def fake_python(path: Path, *, version: str = "0.32.0", distribution: str = "vllm") -> Path:
    """A program that answers the question for vLLM as a Python that has it."""
    answer = (
        f'{{"version": "{version}", "distribution": "{distribution}", '
        '"server": true, "usable": true}'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def family(tmp_path: Path) -> tuple[subprocess.Popen[bytes], Tree]:
    """A process with a child, both in a session of their own."""
    read, write = os.pipe()
    process = spawn([sys.executable, "-c", FAMILY], output=write, environment=os.environ, tied=True)
    os.close(write)
    with os.fdopen(read) as said:
        assert said.readline() == "family\n"
    return process, Tree.of(process.pid)


def state(port: int, tree: Tree, **changes: object) -> ServerState:
    values = {
        "port": port,
        "model": "m",
        "source": "/m",
        "name": "m",
        "pid": tree.leader,
        "created": tree.created,
        "started": tree.created,
        "python": "python",
        "log": "log",
    }
    return ServerState.model_validate({**values, **changes})


def test_a_given_python_comes_before_vllm_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = tmp_path / "bin" / "vllm"
    fake_python(tmp_path / "bin" / "python")
    on_path.write_text(f"#!{tmp_path}/bin/python\n")
    on_path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{on_path.parent}:{os.environ['PATH']}")
    given = fake_python(tmp_path / "given" / "python", version="0.31.0")

    assert choose_runtime(given, say=print).version == "0.31.0"
    assert choose_runtime(None, say=print).python == tmp_path / "bin" / "python"


def test_the_cpu_build_is_told_from_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "has_gpu", lambda: True)
    usual = fake_python(tmp_path / "a" / "python")
    for_cpu = fake_python(tmp_path / "b" / "python", distribution="vllm-cpu")

    assert not choose_runtime(usual, say=print).cpu
    assert choose_runtime(for_cpu, say=print).cpu


def test_a_given_python_without_vllm_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="has no vLLM"):
        choose_runtime(Path(sys.executable), say=print)
    with pytest.raises(UsageError, match="not a program"):
        choose_runtime(Path("/nowhere/python"), say=print)


def test_a_vllm_on_the_path_that_does_not_work_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "vllm"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said: list[str] = []

    assert environment.find_runtime(say=said.append) is None
    assert str(broken) in said[0]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("#!/opt/my env/bin/python3.11\n", None),
        ("#!/opt/e/bin/python3.11\nimport sys\n", "/opt/e/bin/python3.11"),
        ('#!/bin/sh\n\'\'\'exec\' "/opt/e e/bin/python3" "$0" "$@"\n', "/opt/e e/bin/python3"),
        ("#!/bin/sh\n'''exec' /opt/e/bin/python \"$0\" \"$@\"\n", "/opt/e/bin/python"),
        ("", None),
    ],
)
def test_the_interpreter_of_a_command_is_read_from_its_head(
    tmp_path: Path, head: str, expected: str | None
) -> None:
    script = tmp_path / "vllm"
    script.write_text(head)
    assert interpreter_of(script) == (Path(expected) if expected else None)


def test_the_server_listens_on_this_machine_only_and_sends_no_statistics() -> None:
    words = command.arguments(CPU, "/m", WANTED)
    settings = command.environment(CPU, "/m")

    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert settings["VLLM_NO_USAGE_STATS"] == settings["DO_NOT_TRACK"] == "1"
    assert words[words.index("--generation-config") + 1] == "vllm"
    assert {"--enable-per-request-metrics", "--enable-prompt-tokens-details"} <= set(words)


def test_only_a_local_model_takes_the_hub_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert command.environment(CPU, "/m")["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in command.environment(CPU, "org/model")


def test_a_cpu_gets_modest_defaults_and_a_gpu_none() -> None:
    cpu, gpu = command.arguments(CPU, "/m", WANTED), command.arguments(GPU, "/m", WANTED)

    assert cpu[1:3] == ["-m", "vllm.entrypoints.openai.api_server"]
    assert cpu[cpu.index("--max-model-len") + 1] == "2048"
    assert cpu[cpu.index("--max-num-seqs") + 1] == "8"
    assert "--enforce-eager" in cpu
    assert gpu[1:5] == ["-m", "vllm.entrypoints.cli.main", "serve", "/m"]
    assert not {"--max-model-len", "--max-num-seqs", "--enforce-eager", "--dtype"} & set(gpu)


def test_the_context_is_never_longer_than_the_model_allows(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 512}')
    words = command.arguments(CPU, str(tmp_path), WANTED)
    assert words[words.index("--max-model-len") + 1] == "512"


def test_few_cores_share_one_process_unless_the_user_arranged_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "cores", lambda: 2)
    shared = command.environment(CPU, "/m")
    assert shared["OMP_NUM_THREADS"] == "2"
    assert shared["OMP_WAIT_POLICY"] == "PASSIVE"
    assert shared["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert "uni" in command.arguments(CPU, "/m", WANTED)

    parallel = command.environment(CPU, "/m", ("--tensor_parallel_size=2",))
    assert "VLLM_ENABLE_V1_MULTIPROCESSING" not in parallel
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "VLLM_ENABLE_V1_MULTIPROCESSING" not in command.environment(CPU, "/m")
    assert command.environment(CPU, "/m")["OMP_NUM_THREADS"] == "1"


def test_further_arguments_come_last_and_cannot_open_the_server_to_the_network() -> None:
    extra = ("--dtype", "float32")
    wanted = command.Wanted(name="m", port=8123, extra=extra)
    assert tuple(command.arguments(CPU, "/m", wanted)[-2:]) == extra
    for word in ("--host=0.0.0.0", "--host", "--api_key=x", "--served-model-name"):
        with pytest.raises(UsageError, match="cannot be handed on"):
            command.check_extra((word,))


def test_a_model_is_recognised_by_what_lies_there(tmp_path: Path) -> None:
    gguf = tmp_path / "tiny.gguf"
    gguf.write_bytes(b"GGUF....")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")

    assert recognise("smollm2-135m").kind == "builtin"
    assert (recognise(str(gguf)).kind, recognise(str(gguf)).name) == ("gguf", "tiny")
    assert (recognise(str(folder)).kind, recognise(str(folder)).name) == ("folder", "model")
    assert recognise("org/model").kind == "hub"


def test_what_is_no_model_is_refused_before_anything_starts(tmp_path: Path) -> None:
    text = tmp_path / "text.gguf"
    text.write_text("not a model")
    weightless = tmp_path / "weightless"
    weightless.mkdir()
    (weightless / "config.json").write_text("{}")

    for model, reason in [
        (text, "not a GGUF file"),
        (tmp_path, "no config.json"),
        (weightless, "no weights"),
        (tmp_path / "missing.gguf", "no such model"),
        ("./missing", "no such model"),
    ]:
        with pytest.raises(UsageError, match=reason):
            recognise(str(model))
    with pytest.raises(NotFound):
        recognise("two words")


def test_a_hub_that_does_not_answer_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://someone:secret@127.0.0.1:9")
    with pytest.raises(ServerStartError, match="does not answer") as caught:
        check_hub_model("org/model", builtin=["smollm2-135m"])
    assert "secret" not in str(caught.value)
    assert "smollm2-135m" in (caught.value.hint or "")

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ServerStartError, match="forbids"):
        check_hub_model("org/model", builtin=[])
    snapshot = tmp_path / "hub" / "models--org--model" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    check_hub_model("org/model", builtin=[])


def test_stopping_a_tree_ends_children_and_grandchildren(tmp_path: Path) -> None:
    process, tree = family(tmp_path)
    assert len(tree.members()) == 2
    assert tree.stop(grace=5) == 2
    assert tree.members() == []
    assert process.wait() != 0


def test_children_that_outlive_their_leader_are_stopped_too(tmp_path: Path) -> None:
    process, tree = family(tmp_path)
    process.kill()
    process.wait()
    assert not tree.alive()
    assert len(tree.members()) == 1
    assert tree.stop(grace=5) == 1
    assert tree.members() == []


def test_a_process_that_took_over_the_id_is_left_alone(tmp_path: Path) -> None:
    process, tree = family(tmp_path)
    try:
        earlier = Tree(tree.leader, tree.created - 1000)
        assert not earlier.alive()
        assert earlier.stop() == 0
        assert tree.alive()
    finally:
        tree.stop(grace=5)
        process.wait()


def test_a_tied_process_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    with starter:
        assert starter.stdout is not None
        tied = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    try:
        tied.wait(timeout=10)
    except psutil.TimeoutExpired:
        assert tied.status() == psutil.STATUS_ZOMBIE


def test_a_failed_step_tells_its_last_lines_without_passwords(tmp_path: Path) -> None:
    code = "print('looking in https://me:hunter2@index/x'); raise SystemExit(3)"
    with pytest.raises(StepFailed) as caught:
        run_step([sys.executable, "-c", code], log=tmp_path / "log", environment=dict(os.environ))
    assert caught.value.status == 3
    assert caught.value.lines == ["looking in https://***@index/x"]
    assert "hunter2" not in (tmp_path / "log").read_text()


def test_a_state_tells_a_live_server_from_a_dead_one_and_from_a_reused_id() -> None:
    here = Tree.of(os.getpid())
    state(8101, here).save()
    state(8102, Tree(here.leader, here.created - 1000), ready=True).save()

    assert [each.condition for each in servers()] == [Condition.STARTING, Condition.CRASHED]
    assert find(8103) is None


def test_a_damaged_state_is_no_server(cache: Path) -> None:
    state(8101, Tree.of(os.getpid())).save()
    (cache / "servers" / "8101.json").write_text("{")
    assert find(8101) is None


def test_the_root_cause_is_told_from_its_consequences(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "(EngineCore pid=7) ERROR 11-23 18:16:53 [core.py:1] Traceback (most recent call last):\n"
        "(EngineCore pid=7) ERROR 11-23 18:16:53 [core.py:1] ValueError: no room for the cache\n"
        "(APIServer pid=6) Traceback (most recent call last):\n"
        "(APIServer pid=6) RuntimeError: Engine core initialization failed. See root cause.\n"
    )
    assert cause_of_death(log) == "  ValueError: no room for the cache"


def test_without_an_error_the_last_lines_tell(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\n\ntwo\nKilled\n")
    assert cause_of_death(log, lines=2) == "  two\n  Killed"
    assert "empty" in cause_of_death(tmp_path / "missing")


def test_the_log_is_followed_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    follower = LogFollower(log)
    assert follower.news() == []
    log.write_text("x Starting to load mod")
    assert follower.news() == []
    log.write_text("x Starting to load model m\n")
    assert follower.news() == ["loading the weights"]
    assert follower.news() == []


CONVERTER = """#!/bin/sh
mkdir -p "$3" && cp "$2" "$3/model.safetensors" && echo '{}' > "$3/config.json"
echo once >> "$(dirname "$0")/runs"
"""


def test_a_gguf_file_is_converted_once_and_again_when_the_result_was_damaged(
    tmp_path: Path,
) -> None:
    program = tmp_path / "python"
    program.write_text(CONVERTER)
    program.chmod(0o755)
    runtime = Runtime(python=program, version="0.32.0", cpu=True)
    gguf = tmp_path / "tiny.gguf"
    gguf.write_bytes(b"GGUF and weights")
    runs = tmp_path / "runs"

    first = Path(locate(recognise(str(gguf)), runtime, say=print))
    assert (first / "model.safetensors").read_bytes() == gguf.read_bytes()
    assert Path(locate(recognise(str(gguf)), runtime, say=print)) == first
    assert runs.read_text() == "once\n"

    (first / "model.safetensors").write_bytes(b"GGUF and weightz")
    said: list[str] = []
    locate(recognise(str(gguf)), runtime, say=said.append)
    assert (first / "model.safetensors").read_bytes() == gguf.read_bytes()
    assert "making them again" in said[0]
    assert runs.read_text() == "once\nonce\n"
    assert not list(first.parent.glob(".tiny*"))


def test_a_failed_conversion_says_why_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nmkdir "$3"\necho "ValueError: architecture x"\nexit 1\n')
    program.chmod(0o755)
    gguf = tmp_path / "tiny.gguf"
    gguf.write_bytes(b"GGUF")
    runtime = Runtime(python=program, version="0.32.0", cpu=True)
    with pytest.raises(ServerStartError, match="architecture x"):
        locate(recognise(str(gguf)), runtime, say=print)
    assert [each.suffix for each in (cache / "models").iterdir()] == [".lock"]


def test_an_environment_counts_only_with_its_mark(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[list[str]] = []

    def half_done(words: list[str], **_: object) -> None:
        made.append(words)
        if "venv" in words:
            python = Path(words[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
        elif len(made) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(installation, "run_step", half_done)
    with pytest.raises(KeyboardInterrupt):
        installation.own_python(gpu=True, say=print)
    assert list((cache / "environments").glob("*/bin/python"))
    assert installation.finished_python(gpu=True) is None

    python = installation.own_python(gpu=True, say=print)
    assert installation.finished_python(gpu=True) == python
    assert len(made) == 4
    assert installation.own_python(gpu=True, say=print) == python
    assert len(made) == 4


def test_torch_is_asked_of_its_own_index_only_where_pip_finds_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def pip(words: list[str], **_: object) -> None:
        if "venv" not in words:
            asked.append(installation.TORCH_CPU_INDEX in words)
            if len(asked) == 1:
                raise StepFailed(1, ["ERROR: No matching distribution found for torch==2.13.0+cpu"])

    monkeypatch.setattr(installation, "run_step", pip)
    monkeypatch.setattr(installation.platform, "machine", lambda: "x86_64")
    installation.own_python(gpu=False, say=print)
    assert asked == [False, True]


def test_a_failing_pip_says_its_last_lines_and_where_the_rest_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pip(words: list[str], **_: object) -> None:
        if "venv" not in words:
            raise StepFailed(1, ["WARNING: noise", "ERROR: No space left on device"])

    monkeypatch.setattr(installation, "run_step", pip)
    with pytest.raises(ServerStartError, match="No space left") as caught:
        installation.own_python(gpu=True, say=print)
    assert "noise" not in str(caught.value)
    assert ".log" in str(caught.value)


def test_the_lock_names_versions_and_no_place() -> None:
    text = Path(str(files("llmops.models.serving") / "vllm-cpu.lock")).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all("==" in line for line in lines)
    assert not [line for line in lines if "@" in line or "://" in line or "/" in line]
    assert not [line for line in lines if line.startswith(installation.HARMFUL_ON_CPU)]
