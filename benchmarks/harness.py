"""What the harness itself costs: whole processes against an endpoint that answers in 20 ms.

Every tool does the same job from a cold start: render a question into a prompt,
call the OpenAI-compatible endpoint at concurrency 8, check the answer for
equality, write its usual report. An endpoint that counts its calls tells
whether it did.
"""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import CommandFailed, Cost, measure, median, rotated
from peers import HERE, PROMPTFOO, environment, ours, python_tool
from stub import ANSWER

CONCURRENCY = 8
PATIENCE = 40.0
"""Seconds; what takes longer is run once and not repeated."""
TEMPLATE = "Answer with one number and nothing else.\n\nQuestion: {{question}}\nAnswer:"

OURS = {
    "llmops.toml": """version = 1
default_model = "stub"

[models.stub]
model = "openai/bench"
api_base = "{api_base}"
concurrency = 8
""",
    "prompts/bench.prompty": """---
description: A question in a sentence.
metadata:
  version: 1.0.0
inputs:
  - name: question
    kind: string
---
user:
{template}
""",
    "evals/bench.yaml": """version: 1
description: One question asked in many ways.
subject: {{prompt: bench}}
dataset:
  path: ../cases.jsonl
  expected: expected
  inputs: {{question: question}}
checks:
  - exact_match
sampling: {{temperature: 0}}
concurrency: 8
""",
}


@dataclass(frozen=True, kw_only=True)
class Harness:
    """One tool: how its project is written into a folder, and the command that runs it there."""

    name: str
    command: tuple[str, ...]
    files: tuple[str, ...] = ()
    """Of `tasks/`, copied into the folder."""
    write: Callable[[Path, str], None] | None = None
    slow: bool = False
    """Takes minutes for a thousand cases; only run when asked for by name."""

    @property
    def present(self) -> bool:
        return Path(self.command[0]).exists()


def write_ours(folder: Path, api_base: str) -> None:
    for name, text in OURS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(api_base=api_base, template=TEMPLATE))


HARNESSES = [
    Harness(
        name="llmops",
        command=(*ours(), "eval", "run", "bench", "--no-cache"),
        write=write_ours,
    ),
    Harness(
        name="pydantic-evals",
        command=(python_tool("python"), "pydantic_evals_bench.py"),
        files=("pydantic_evals_bench.py",),
    ),
    Harness(
        name="promptfoo",
        command=(
            *(PROMPTFOO, "eval", "--config", "promptfooconfig.yaml", "--no-cache"),
            *("--max-concurrency", "8", "--output", "report.json"),
        ),
        files=("promptfooconfig.yaml",),
    ),
    Harness(
        name="inspect-ai",
        command=(
            *(python_tool("inspect"), "eval", "inspect_bench.py", "--log-dir", "logs"),
            *("--model", "openai-api/bench/bench", "--max-connections", "8"),
        ),
        files=("inspect_bench.py",),
    ),
    Harness(
        name="deepeval",
        command=(python_tool("python"), "deepeval_bench.py"),
        files=("deepeval_bench.py",),
    ),
    Harness(
        name="deepeval test run",
        command=(python_tool("deepeval"), "test", "run", "test_bench.py"),
        files=("deepeval_pytest_bench.py",),
        slow=True,
    ),
]


def run(
    work: Path, *, repeats: int, cases: Sequence[int], latency: float, only: Sequence[str]
) -> dict[str, Any]:
    """All installed tools, all sizes, `repeats` rounds after one that is thrown away."""
    chosen = [each for each in HARNESSES if each.name in only or (not only and not each.slow)]
    present = [each for each in chosen if each.present]
    costs: dict[str, dict[int, list[Cost]]] = {
        each.name: {size: [] for size in cases} for each in present
    }
    failures: dict[str, str] = {}
    with endpoint(latency) as origin:
        for number, size, harness in plan(present, cases, repeats):
            taken = costs[harness.name][size]
            if harness.name in failures or (taken and taken[-1].wall > PATIENCE):
                continue
            try:
                cost = once(harness, work, size, origin)
            except CommandFailed as error:
                failures[harness.name] = str(error)
                print(f"  {harness.name} {size}: {error}", file=sys.stderr)
                continue
            print(f"  {harness.name} {size}: {cost.to_json()}", file=sys.stderr)
            if number:
                taken.append(cost)
    return {
        "repeats": repeats,
        "cases": list(cases),
        "latency_s": latency,
        "concurrency": CONCURRENCY,
        "floor_s": {str(size): size * latency / CONCURRENCY for size in cases},
        "tools": {each.name: outcome(each, costs, failures) for each in chosen},
    }


def plan(
    harnesses: Sequence[Harness], cases: Sequence[int], repeats: int
) -> Iterator[tuple[int, int, Harness]]:
    """Round, size and tool of every run; round 0 is small and thrown away."""
    for number in range(repeats + 1):
        for size in cases if number else cases[:1]:
            for harness in rotated(harnesses, number):
                yield number, size, harness


def outcome(
    harness: Harness, costs: dict[str, dict[int, list[Cost]]], failures: dict[str, str]
) -> dict[str, Any]:
    """The measures of one tool, or why there are none."""
    if not harness.present:
        return {"missing": "absent"}
    if harness.name in failures:
        return {"missing": "failed", "reason": failures[harness.name]}
    return summary(costs[harness.name])


def once(harness: Harness, work: Path, size: int, origin: str) -> Cost:
    """Run one tool once in a fresh folder, and see that it called the model for every case."""
    folder = work / f"{harness.name.replace(' ', '-')}-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_cases(folder, size)
    for name in harness.files:
        shutil.copy(HERE / "tasks" / name, folder / name)
    if harness.slow:
        (folder / harness.files[0]).rename(folder / "test_bench.py")
    api_base = f"{origin}/v1"
    if harness.write is not None:
        harness.write(folder, api_base)
    env = environment(
        BENCH_API_BASE=api_base,
        BENCH_API_KEY="unused",
        BENCH_BASE_URL=api_base,
        OPENAI_API_KEY="unused",
        OPENAI_BASE_URL=api_base,
        # Its database is made once and stays, as at a user's.
        PROMPTFOO_CONFIG_DIR=str(work / "promptfoo-home"),
    )
    before = calls(origin)
    cost = measure(harness.command, env=env, cwd=folder, log=folder.with_suffix(".log"))
    made = calls(origin) - before
    if made < size:
        raise CommandFailed(f"{harness.name} called the model {made} times for {size} cases")
    return cost


def write_cases(folder: Path, size: int) -> None:
    """The same questions as JSONL and CSV, and the prompt's template."""
    (folder / "template.txt").write_text(TEMPLATE)
    rows = [
        {
            "id": f"case-{number:05}",
            "question": f"What is {number} plus 42 minus {number}?",
            "expected": ANSWER,
        }
        for number in range(size)
    ]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "cases.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["question", "__expected"])
        table.writerows([row["question"], row["expected"]] for row in rows)


@contextlib.contextmanager
def endpoint(latency: float) -> Iterator[str]:
    """A running stub; gives its origin."""
    command = [sys.executable, str(HERE / "stub.py"), "0", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def calls(origin: str) -> int:
    """How many completions the endpoint has answered."""
    with urllib.request.urlopen(f"{origin}/calls") as response:
        return int(response.read())


def summary(costs: dict[int, list[Cost]]) -> dict[str, Any]:
    """Medians for every size, and the CPU of one further case from paired rounds."""
    small, large = min(costs), max(costs)
    return {
        "sizes": {
            str(size): {
                "wall_s": median(cost.wall for cost in runs),
                "cpu_s": median(cost.cpu for cost in runs),
                "peak_mb": median(cost.peak for cost in runs),
                "runs": [cost.to_json() for cost in runs],
            }
            for size, runs in costs.items()
        },
        "cpu_ms_per_case": None
        if small == large
        else median(
            1000 * (most.cpu - least.cpu) / (large - small)
            for least, most in zip(costs[small], costs[large], strict=False)
        ),
    }


def table(result: dict[str, Any]) -> list[str]:
    sizes = [str(size) for size in result["cases"]]
    head = "".join(f" {size} cases, wall s | CPU s | x llmops |" for size in sizes)
    lines = [
        f"| tool |{head} CPU-ms a further case | peak, MB |",
        "|---|" + "--:|" * (3 * len(sizes) + 2),
    ]
    base = result["tools"].get("llmops", {}).get("sizes", {})
    for name, row in result["tools"].items():
        if "missing" in row:
            lines.append(f"| {name} | {row['missing']} |" + " |" * (3 * len(sizes) + 1))
            continue
        cells = []
        for size in sizes:
            own = row["sizes"][size]
            ratio = f"{own['wall_s'] / base[size]['wall_s']:.1f}" if size in base else ""
            cells += [f"{own['wall_s']:.2f}", f"{own['cpu_s']:.2f}", ratio]
        further = row["cpu_ms_per_case"]
        cells.append("" if further is None else f"{further:.2f}")
        cells.append(f"{row['sizes'][sizes[-1]]['peak_mb']:.0f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    floors = ", ".join(f"{size} cases {floor:.2f} s" for size, floor in result["floor_s"].items())
    return [*lines, "", f"No tool can be faster than the endpoint: {floors}."]
