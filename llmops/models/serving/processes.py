"""Process trees: each in a session of its own, and stopped to the last descendant."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from llmops.core.errors import LlmopsError

SAME_PROCESS = 2.0
"""Seconds by which two readings of one process's creation time may differ."""

# Linux ends the process with SIGTERM as soon as the one that started it is
# gone, however it went; what it then becomes inherits that.
_TIED = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """A session leader and all that came from it, told from a later process of the same id."""

    leader: int
    created: float
    """Seconds since the epoch at which the leader was created."""

    @classmethod
    def of(cls, leader: int) -> Tree:
        """The tree under a process that runs now."""
        return cls(leader, psutil.Process(leader).create_time())

    def alive(self) -> bool:
        """Whether the leader itself runs."""
        try:
            process = psutil.Process(self.leader)
            return self._is_ours(process) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def members(self) -> list[psutil.Process]:
        """Every running process of the tree; also those that survived the leader."""
        found: dict[int, psutil.Process] = {}
        try:
            leader = psutil.Process(self.leader)
            if not self._is_ours(leader):
                return []  # the id is taken anew, which the kernel allows when all are gone
            found |= {each.pid: each for each in leader.children(recursive=True)}
        except psutil.NoSuchProcess:
            pass
        for each in psutil.process_iter():
            try:
                if os.getsid(each.pid) == self.leader:
                    found[each.pid] = each
            except OSError:
                continue
        return [each for each in found.values() if _running(each)]

    def stop(self, *, grace: float = 20.0) -> int:
        """Ask every process to end, end what is left after `grace` seconds, and make sure.

        Gives the number of processes that ran. Raises `LlmopsError` when some
        cannot be ended.
        """
        members = self.members()
        for each in members:
            _signal(each.terminate)
        _wait(members, grace)
        left = self.members()
        for each in left:
            _signal(each.kill)
        _wait(left, 5.0)
        stubborn = self.members()
        if stubborn:
            pids = ", ".join(str(each.pid) for each in stubborn)
            raise LlmopsError(
                f"processes that do not end: {pids}", hint=f"kill -9 {pids.replace(',', '')}"
            )
        return len({each.pid for each in members + left})

    def _is_ours(self, process: psutil.Process) -> bool:
        return abs(process.create_time() - self.created) <= SAME_PROCESS


def spawn(
    command: Sequence[str],
    *,
    output: int | IO[bytes],
    environment: Mapping[str, str],
    tied: bool,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, both its outputs going to `output`.

    A `tied` process ends when this one does, even by `kill -9`. (Where Linux
    cannot do that, or outside of the main thread, it is not tied.)
    """
    words = list(command)
    if tied and sys.platform == "linux" and threading.current_thread() is threading.main_thread():
        words = [sys.executable, "-I", "-S", "-c", _TIED, str(os.getpid()), *words]
    return subprocess.Popen(  # noqa: S603
        words,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        start_new_session=True,
    )


class StepFailed(Exception):
    """A helper process ended with an error; `lines` is the end of what it printed."""

    def __init__(self, status: int, lines: list[str]):
        super().__init__(f"exit status {status}")
        self.status = status
        self.lines = lines


def run_step(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    heard: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a helper to its end, appending what it prints to `log` and telling each line.

    Raises `StepFailed`. Whatever interrupts the wait stops the helper first.
    """
    lines: list[str] = []
    process = spawn(command, output=subprocess.PIPE, environment=environment, tied=True)
    tree = Tree.of(process.pid)
    try:
        with process, log.open("a", encoding="utf-8") as file:
            for raw in process.stdout or ():
                line = without_passwords(raw.decode("utf-8", "replace").rstrip())
                file.write(line + "\n")
                lines = [*lines[-60:], line]
                heard(line)
    except BaseException:
        tree.stop(grace=3.0)
        raise
    if process.returncode:
        raise StepFailed(process.returncode, lines)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would lead another Python astray."""
    foreign = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    # A server that may not keep its bytecode compiles a million lines at every start.
    foreign.add("PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}


def without_passwords(text: str) -> str:
    """`text` with the user part of every URL replaced.

    >>> without_passwords("from https://me:secret@host/x")
    'from https://***@host/x'
    """
    return re.sub(r"(\w://)[^\s/@]+@", r"\1***@", text)


def _running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return


def _wait(processes: Sequence[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_running(each) for each in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
