"""What one command costs: wall time, CPU of its whole process tree, peak memory.

Standard library only and little of it: on Linux a child's peak memory starts at
its parent's, so this process has to stay smaller than whatever it measures.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PR_SET_CHILD_SUBREAPER = 36


class CommandFailed(Exception):
    """The measured command ended with an exit code that says it did not do its work."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One run of one command."""

    wall: float
    """Seconds from start to exit."""
    cpu: float
    """Seconds, user and system, of the process and all its descendants."""
    peak: float
    """Resident megabytes of the largest process of the tree."""

    def to_json(self) -> dict[str, float]:
        return {
            "wall_s": round(self.wall, 4),
            "cpu_s": round(self.cpu, 4),
            "peak_mb": round(self.peak, 1),
        }


def measure(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    log: Path | None = None,
    timeout: float = 900,
    accept: Iterable[int] = (0,),
) -> Cost:
    """Run `command` once and tell what it cost; its output goes to `log` or nowhere.

    Raises `CommandFailed` for an exit code that is not in `accept`, with the
    log's tail, and for a command that takes longer than `timeout` seconds.
    """
    adopt_orphans()
    with (log or Path(os.devnull)).open("wb") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            process_group=0,
        )
        with killed_after(timeout, child.pid):
            try:
                _, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                os.killpg(child.pid, signal.SIGKILL)
                raise
        wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    used = [usage, *orphans(child.pid)]
    if child.returncode not in set(accept):
        tail = log.read_text(errors="replace")[-2000:] if log else ""
        raise CommandFailed(f"{' '.join(command)}\nexit code {child.returncode}\n{tail}")
    kilobyte = 1024 if sys.platform != "darwin" else 1
    return Cost(
        wall=wall,
        cpu=sum(each.ru_utime + each.ru_stime for each in used),
        peak=max(each.ru_maxrss for each in used) * kilobyte / 1e6,
    )


@contextlib.contextmanager
def killed_after(seconds: float, group: int) -> Iterator[None]:
    """Kill the process group when the block takes longer than `seconds`."""

    def kill(*_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)

    before = signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def adopt_orphans() -> None:
    """Let grandchildren whose parent is gone be ours, so that their CPU is counted too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def orphans(group: int, patience: float = 5.0) -> list[resource.struct_rusage]:
    """Usage of the processes of `group` that outlived their leader; slow ones are killed."""
    found: list[resource.struct_rusage] = []
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _, usage = os.wait4(-group, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid:
            found.append(usage)
        elif time.monotonic() > deadline:
            os.killpg(group, signal.SIGKILL)
            deadline = float("inf")
        else:
            time.sleep(0.01)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items in another order each round, so that drift of the machine hits all alike."""
    by %= max(1, len(items))
    return [*items[by:], *items[:by]]
