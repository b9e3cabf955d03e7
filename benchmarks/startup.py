"""What it costs to start: `--help` and `--version`, of ours and of the peers."""

from __future__ import annotations

import sys
from typing import Any

from measure import Cost, measure, median, rotated
from peers import PROMPTFOO, Tool, environment, ours, python_tool

BARE = "python -c pass"
TYPER = "python -c 'import typer'"

TOOLS = [
    Tool(name=BARE, command=(sys.executable, "-c", "pass")),
    Tool(name=TYPER, command=(sys.executable, "-c", "import typer")),
    Tool(name="llmops --help", command=(*ours(), "--help")),
    Tool(name="llmops --version", command=(*ours(), "--version")),
    Tool(name="promptfoo --version", command=(PROMPTFOO, "--version")),
    Tool(name="inspect --version", command=(python_tool("inspect"), "--version")),
    Tool(name="deepeval --version", command=(python_tool("deepeval"), "--version")),
    Tool(name="mlflow --version", command=(python_tool("mlflow"), "--version")),
]


def run(*, repeats: int) -> dict[str, Any]:
    """Every tool once a round, `repeats` rounds after one that is thrown away."""
    env = environment()
    present = [tool for tool in TOOLS if tool.present]
    costs: dict[str, list[Cost]] = {tool.name: [] for tool in present}
    for number in range(repeats + 1):
        for tool in rotated(present, number):
            cost = measure(tool.command, env=env)
            if number:
                costs[tool.name].append(cost)
    return {
        "repeats": repeats,
        "commands": {
            tool.name: summary(costs, tool.name) if tool.present else {"absent": True}
            for tool in TOOLS
        },
    }


def summary(costs: dict[str, list[Cost]], name: str) -> dict[str, Any]:
    """Medians of one command, and of its paired differences and ratios to bare Python."""

    def paired(to: str) -> list[tuple[float, float]]:
        return [(own.cpu, base.cpu) for own, base in zip(costs[name], costs[to], strict=True)]

    return {
        "cpu_ms": 1000 * median(cost.cpu for cost in costs[name]),
        "wall_ms": 1000 * median(cost.wall for cost in costs[name]),
        "cpu_ms_over_bare": 1000 * median(own - base for own, base in paired(BARE)),
        "cpu_ratio_bare": median(own / base for own, base in paired(BARE)),
        "cpu_ratio_typer": median(own / base for own, base in paired(TYPER)),
        "runs": [cost.to_json() for cost in costs[name]],
    }


def table(result: dict[str, Any]) -> list[str]:
    lines = [
        "| command | CPU, ms | wall, ms | CPU over bare, ms | x bare | x `import typer` |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, row in result["commands"].items():
        if row.get("absent"):
            lines.append(f"| `{name}` | absent | | | | |")
            continue
        lines.append(
            f"| `{name}` | {row['cpu_ms']:.0f} | {row['wall_ms']:.0f} "
            f"| {row['cpu_ms_over_bare']:.0f} | {row['cpu_ratio_bare']:.1f} "
            f"| {row['cpu_ratio_typer']:.1f} |"
        )
    return lines
