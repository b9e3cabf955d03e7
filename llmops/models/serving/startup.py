"""A server's log while it starts: what it is doing, and what it died of."""

from __future__ import annotations

import re
from pathlib import Path

from llmops.models.serving.processes import without_passwords

_PHASES = (
    ("non-default args", "vLLM is loaded; reading the model's configuration"),
    ("Initializing a V1 LLM engine", "starting the engine"),
    ("Starting to load model", "loading the weights"),
    ("Loading weights took", "preparing the engine"),
    ("Starting vLLM server", "opening the port"),
)

# `(EngineCore pid=1) ERROR 11-23 18:16:53 [core.py:133] text`, in parts.
_PREFIX = re.compile(
    r"^(\([\w-]+ pid=\d+\) ?)?((DEBUG|INFO|WARNING|ERROR|CRITICAL) [\d-]+ [\d:]+ \[[^\]]*\] ?)?"
)
_CAUSE = re.compile(
    r"^(?:[\w.]*(?:Error|Exception|Exit|Interrupt|NotFound)\b(?!\(.*\)$).*|[\w./-]+: error: .+)"
)
_CONSEQUENCE = ("Engine core initialization failed", "WorkerProc initialization failed")


class LogFollower:
    """Reads what was added to a log since the last look."""

    def __init__(self, path: Path):
        self._path = path
        self._offset = 0
        self._phase = -1

    def news(self) -> list[str]:
        """The phases that the server entered since the last look, for a person."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                added = file.read()
        except OSError:
            return []
        # Only whole lines; the rest is read again.
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        text = whole.decode("utf-8", "replace")
        entered = []
        for index, (sign, phase) in enumerate(_PHASES):
            if index > self._phase and sign in text:
                self._phase = index
                entered.append(phase)
        return entered


def cause_of_death(log: Path, *, lines: int = 10) -> str:
    """Why a server died: the error that its log names first, or else the log's last lines.

    vLLM's processes report each other's failures, so that the root cause
    stands above several tracebacks of its consequences.
    """
    said = _tail(log)
    for index, line in enumerate(said):
        if _CAUSE.match(line) and not any(each in line for each in _CONSEQUENCE):
            detail = [line]
            for more in said[index + 1 : index + 4]:
                # A validation error goes on in indented lines.
                if not line.rstrip().endswith(("ModelConfig", "EngineArgs", "VllmConfig", ":")):
                    break
                detail.append(more)
                line = ":"
            return "\n".join(f"  {each.rstrip()}" for each in detail)
    last = said[-lines:] or ["(the log is empty)"]
    return "\n".join(f"  {each}" for each in last)


def _tail(log: Path) -> list[str]:
    """The log's last lines that say something, without what stands before every message."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 200_000))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    lines = (_PREFIX.sub("", line, count=1) for line in text.replace("\r", "\n").split("\n"))
    telling = (line for line in lines if line.strip() and "For further information" not in line)
    return [without_passwords(line[:400]) for line in telling]
