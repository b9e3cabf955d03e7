"""The benchmarks run: no numbers are judged here, only that they are taken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run_quickly(part: str, folder: Path, *more: str) -> Any:
    command = [sys.executable, str(BENCHMARKS / "run.py"), part, "--quick"]
    done = subprocess.run(
        [*command, "--output", str(folder), *more], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert f"## {part}" in done.stdout
    (file,) = folder.glob("*.json")
    return json.loads(file.read_text())[part]


def test_the_start_up_of_ours_is_measured_against_bare_python(tmp_path: Path) -> None:
    commands = run_quickly("startup", tmp_path)["commands"]
    assert commands["python -c pass"]["cpu_ratio_bare"] == 1
    assert commands["llmops --help"]["cpu_ms_over_bare"] > 0


def test_the_harness_is_measured_on_two_sizes_with_every_model_call_made(tmp_path: Path) -> None:
    tools = run_quickly("harness", tmp_path, "--only", "llmops")["tools"]
    assert set(tools["llmops"]["sizes"]) == {"4", "12"}
    assert tools["llmops"]["sizes"]["12"]["peak_mb"] > 0


@pytest.mark.vllm
def test_tokens_per_second_of_ours_are_counted_on_a_real_server(
    vllm_server: Any, tmp_path: Path
) -> None:
    served = ["--api-base", vllm_server.api_base, "--model", vllm_server.model]
    result = run_quickly("throughput", tmp_path, *served)
    assert result["tokens_per_s"]["llmops"] > 0


def test_the_commands_for_prompts_are_measured_against_git_status(tmp_path: Path) -> None:
    result = run_quickly("prompts", tmp_path)
    assert set(result["trees"]) == {"10 prompts", "20 prompts", "10 prompts, 2 versions each"}
    for commands in result["trees"].values():
        assert {"git status", "lint", "check", "lock", "diff"} <= set(commands)
        assert all(row["wall_s"] > 0 for row in commands.values())
    assert all(row["ratio"] > 0 for row in result["render"].values())


def test_what_each_kind_of_edit_makes_run_is_counted(tmp_path: Path) -> None:
    result = run_quickly("selecting", tmp_path)
    assert result["edits"]["a README"]["cells"] == 0
    assert result["edits"]["one prompt"]["cells"] == 10
    assert result["calls"] == 2 * result["edits"]["one prompt"]["cells"]


def test_the_verdicts_of_the_gate_are_simulated_at_every_point(tmp_path: Path) -> None:
    result = run_quickly("simulation", tmp_path)
    assert len(result["repeated"]) == 24
    for point in result["repeated"]:
        assert sum(point["auto"].values()) == pytest.approx(1)
        assert 0.2 <= point["calls"] <= 1
    assert {each["drop"] for each in result["several"]} == {0.0, 0.02}


def test_a_comparison_of_two_large_runs_is_measured(tmp_path: Path) -> None:
    steps = run_quickly("comparing", tmp_path)["steps"]
    assert all(cost["wall_s"] > 0 and cost["peak_mb"] > 0 for cost in steps.values())


def test_a_run_that_is_killed_loses_nothing_but_calls_in_flight(tmp_path: Path) -> None:
    result = run_quickly("killing", tmp_path)
    assert result["report_agrees"] is True
    assert (result["results_twice"], result["finished_and_asked_again"]) == (0, 0)
    assert result["calls_lost_in_flight"] <= result["most_that_can_be_in_flight"]
