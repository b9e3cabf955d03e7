"""What the commands for reviewing prompts cost, against `git status` on the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tree
from measure import Cost, measure, median
from peers import HERE, environment, ours

EDITED = 5
STATUS = "git status"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One thing to measure: what it is called, what runs, and what is undone after it."""

    name: str
    words: tuple[str, ...]
    accept: tuple[int, ...] = (0,)
    before: Callable[[Path], None] | None = None
    after: Callable[[Path], None] | None = None


def _edited(folder: Path) -> None:
    tree.edit(folder, range(EDITED), seed=1)


def _restored(folder: Path) -> None:
    tree.git(folder, "checkout", "--quiet", ".")


CLEAN = [
    Command(name=STATUS, words=("git", "status", "--short")),
    Command(name="lint", words=(*ours(), "prompt", "lint")),
    Command(name="check", words=(*ours(), "prompt", "check")),
    Command(name="lock", words=(*ours(), "prompt", "lock")),
    Command(name="diff", words=(*ours(), "prompt", "diff", "--no-tokens")),
    Command(name="list", words=(*ours(), "prompt", "list")),
]
CHANGED = [
    Command(
        name=f"lock, {EDITED} edited",
        words=(*ours(), "prompt", "lock"),
        before=_edited,
        after=_restored,
    ),
    Command(
        name=f"check, {EDITED} edited",
        words=(*ours(), "prompt", "check"),
        accept=(1,),
        before=_edited,
        after=_restored,
    ),
    Command(
        name=f"diff, {EDITED} edited",
        words=(*ours(), "prompt", "diff", "--no-tokens"),
        before=_edited,
        after=_restored,
    ),
]


def run(work: Path, *, repeats: int, sizes: list[int], versions: int) -> dict[str, Any]:
    """Every command on trees of some sizes, and on one whose prompts have many versions."""
    env = environment()
    result: dict[str, Any] = {"repeats": repeats, "trees": {}}
    for size in sizes:
        folder = work / f"prompts-{size}"
        tree.plant(folder, size)
        first = {
            f"{name}, the first": measure((*ours(), "prompt", name), env=env, cwd=folder)
            for name in ("lint", "lock")
        }
        tree.commit(folder, "Lock")
        measured = _measured(folder, env, repeats)
        result["trees"][f"{size:,} prompts"] = measured | {
            name: _once(cost, measured[STATUS]["wall_s"]) for name, cost in first.items()
        }
    folder = work / f"prompts-{sizes[0]}"
    for number in range(versions):
        tree.edit(folder, range(sizes[0]), seed=number + 10)
        subprocess.run(
            (*ours(), "prompt", "lock"), cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL
        )
        tree.commit(folder, f"Version {number}")
    if versions:
        name = f"{sizes[0]:,} prompts, {versions + 1} versions each"
        result["trees"][name] = _measured(folder, env, repeats)
    rendered = subprocess.run(
        (sys.executable, str(HERE / "rendering.py")), check=True, capture_output=True, env=env
    )
    result["render"] = json.loads(rendered.stdout)
    return result


def _measured(folder: Path, env: dict[str, str], repeats: int) -> dict[str, Any]:
    commands = [*CLEAN, *CHANGED]
    costs: dict[str, list[Cost]] = {each.name: [] for each in commands}
    for number in range(repeats + 1):
        for each in commands:
            if each.before:
                each.before(folder)
            cost = measure(each.words, env=env, cwd=folder, accept=each.accept)
            if each.after:
                each.after(folder)
            if number:
                costs[each.name].append(cost)
    return {each.name: _summary(costs[each.name], costs[STATUS]) for each in commands}


def _summary(costs: list[Cost], status: list[Cost]) -> dict[str, Any]:
    return {
        "wall_s": median(each.wall for each in costs),
        "cpu_s": median(each.cpu for each in costs),
        "peak_mb": max(each.peak for each in costs),
        "ratio_status": median(
            own.wall / other.wall for own, other in zip(costs, status, strict=True)
        ),
        "runs": [each.to_json() for each in costs],
    }


def _once(cost: Cost, status: float) -> dict[str, Any]:
    """What can be measured once only: afterwards there is a lock, and the linter remembers."""
    return {
        "wall_s": cost.wall,
        "cpu_s": cost.cpu,
        "peak_mb": cost.peak,
        "ratio_status": cost.wall / status,
        "runs": [cost.to_json()],
    }


def table(result: dict[str, Any]) -> list[str]:
    lines = [
        f"| prompts | command | wall, s | CPU, s | peak, MB | x `{STATUS}` |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for name, commands in result["trees"].items():
        for command, row in commands.items():
            lines.append(
                f"| {name} | {command} | {row['wall_s']:.3f} | {row['cpu_s']:.3f} "
                f"| {row['peak_mb']:.0f} | {row['ratio_status']:.1f} |"
            )
    lines += ["", "| a rendering | µs | Jinja2, µs | ratio |", "|---|--:|--:|--:|"]
    for name, row in result["render"].items():
        lines.append(
            f"| {name} | {row['ours_us']:.1f} | {row['jinja_us']:.1f} | {row['ratio']:.2f} |"
        )
    return lines
