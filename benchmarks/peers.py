"""The other tools: where they are installed, with which settings they run, their versions.

They live in an environment of their own under the user's cache folder, so that
nothing of theirs gets near ours.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_dir

HERE = Path(__file__).resolve().parent
HOME = Path(user_cache_dir("llmops-bench"))
PYTHON = HOME / "peers"
NODE = HOME / "node"

SILENT = {
    "ANONYMIZED_TELEMETRY": "False",
    "DEEPEVAL_DISABLE_DOTENV": "1",
    "DEEPEVAL_NO_INSPECT_PROMPT": "1",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "INSPECT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "NODE_OPTIONS": f'--require "{HERE / "tasks" / "offline.cjs"}"',
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    "PROMPTFOO_DISABLE_SHARING": "1",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
"""No peer calls anybody but the stub: telemetry, update checks and sharing are off."""

UNFAIR = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONSTARTUP")
"""Without compiled modules every start compiles the source again; no user runs like that."""


def environment(**extra: str) -> dict[str, str]:
    """The environment of every measured command, ours included."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in UNFAIR and not name.startswith(("LLMOPS_", "OPENAI_", "CONFIDENT_"))
    }
    local = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    path = os.pathsep.join([str(NODE / "node_modules" / ".bin"), kept.get("PATH", os.defpath)])
    return {**kept, **SILENT, **local, "PATH": path, **extra}


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A command that may be installed or not."""

    name: str
    command: tuple[str, ...]

    @property
    def present(self) -> bool:
        return Path(self.command[0]).exists()


def ours() -> tuple[str, ...]:
    """The `llmops` command of the running Python's environment."""
    script = Path(sys.executable).with_name("llmops")
    return (str(script),) if script.exists() else (sys.executable, "-m", "llmops")


def python_tool(script: str) -> str:
    return str(PYTHON / "bin" / script)


PROMPTFOO = str(NODE / "node_modules" / ".bin" / "promptfoo")


def versions() -> Mapping[str, str]:
    """The versions of llmops and of every peer; `absent` for those not installed."""
    found = {"llmops": _output([*ours(), "--version"]).removeprefix("llmops ")}
    found["promptfoo"] = _output([PROMPTFOO, "--version"])
    for name in ("inspect-ai", "deepeval", "pydantic-evals", "mlflow-skinny"):
        code = f"import importlib.metadata as m; print(m.version({name!r}))"
        found[name] = _output([python_tool("python"), "-c", code])
    return found


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=120, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "absent"
    return done.stdout.strip().splitlines()[-1]


def install() -> None:
    """Install all peers, or the parts that are missing. Takes minutes and 2 GB."""
    HOME.mkdir(parents=True, exist_ok=True)
    if not (PYTHON / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", PYTHON], check=True)
    pip = [python_tool("python"), "-m", "pip", "install", "--quiet", "--compile"]
    subprocess.run([*pip, "-r", HERE / "requirements-peers.txt"], check=True)
    if shutil.which("npm") is None:
        print("npm is missing: promptfoo is left out", file=sys.stderr)
        return
    NODE.mkdir(exist_ok=True)
    shutil.copy(HERE / "package-peers.json", NODE / "package.json")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(npm, cwd=NODE, env={**os.environ, **SILENT}, check=True)
