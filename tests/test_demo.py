"""The demo's suite on the real model: what `make demo` runs, on the server of this test run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("prompts", "evals"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "llmops.toml", tmp_path)
    return tmp_path


def evaluate(clone: Path, api_base: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "llmops", "eval", "run", "qa/xquad", *arguments],
        cwd=clone,
        env={**os.environ, "LLMOPS_MODELS__LOCAL__API_BASE": api_base},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.vllm
def test_the_demo_passes_on_the_real_model_and_its_second_run_is_cached(
    clone: Path, vllm_server
) -> None:
    first = evaluate(clone, vllm_server.api_base, "--json", "first.json")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "PASSED  qa/xquad" in first.stdout
    assert "report.html" in first.stdout
    summary = json.loads((clone / "first.json").read_text())["summary"]
    assert summary["cases"] >= 100
    assert summary["calls"] == summary["cases"]
    assert summary["subject"]["system_fingerprint"].startswith("vllm-")
    checks = {check["name"]: check for check in summary["checks"]}
    assert set(checks) == {"f1", "exact_match", "grounded", "latency"}
    for check in checks.values():
        assert check["unscored"] == check["errors"] == 0

    second = evaluate(clone, vllm_server.api_base, "--json", "second.json")
    assert second.returncode == 0
    again = json.loads((clone / "second.json").read_text())["summary"]
    assert again["calls"] < summary["cases"] / 4  # an answer that was cut is never kept
    assert again["cached"] + again["calls"] == summary["cases"]


def test_the_demos_data_names_its_source_and_licence() -> None:
    notice = (ROOT / "evals/data/xquad_en.LICENSE.md").read_text()
    assert "CC BY-SA 4.0" in notice
    assert "google-deepmind/xquad" in notice
    rows = (ROOT / "evals/data/xquad_en.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == len({json.loads(row)["id"] for row in rows}) == 120
