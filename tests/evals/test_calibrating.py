"""A calibration finds what is wrong with a judge: scripted judges with known faults."""

from __future__ import annotations

import asyncio
import json
import random
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llmops.core.chat import ChatRequest
from llmops.core.errors import ProviderUnavailable
from llmops.evals.calibration.artifact import Calibration, read_calibration
from llmops.evals.calibration.calibrating import calibrate
from llmops.scorers import build
from llmops.testing import ScriptedModel, ScriptedServices

CASES = 120


def measured(folder: Path, model: Any, rows: list[dict[str, Any]], **file: Any) -> Calibration:
    """The calibration of a scripted judge on these rows."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    document = {
        "version": 1,
        "dataset": {"path": "rows.jsonl"},
        "labels": {"columns": ["label"]},
        "resamples": 200,
        **file,
    }
    path = folder / "judge.yaml"
    path.write_text(json.dumps(document))  # JSON is YAML
    services = ScriptedServices(model)
    return asyncio.run(calibrate(path, root=folder, build=partial(build, services=services)))


def asked(request: ChatRequest, part: str) -> str:
    found = re.findall(rf"<{part}>\n(.*?)\n</{part}>", request.messages[-1].content, re.DOTALL)
    return str(found[-1]) if found else ""


def test_a_judge_that_prefers_a_position_is_found_out(tmp_path: Path) -> None:
    def prefers_the_first(request: ChatRequest) -> dict[str, float]:
        better = "good" in asked(request, "answer_a")
        return {"A": 0.9 if better else 0.6, "B": 0.1 if better else 0.4}

    rows = [
        {
            "id": n,
            "output": "good" if n % 2 else "poor",
            "expected": "poor" if n % 2 else "good",
            "label": "output" if n % 2 else "rival",
        }
        for n in range(CASES)
    ]
    found = measured(
        tmp_path,
        ScriptedModel("", probabilities=prefers_the_first),
        rows,
        judge={"scorer": "judge_pairwise"},
    )
    assert found.figures["kappa"] is not None
    assert found.figures["kappa"].value == 1.0  # both orders together see the better one
    assert found.bias.first is not None
    assert found.bias.first.value == pytest.approx(0.75)
    assert found.bias.inconsistent is not None
    assert found.bias.inconsistent.value == 1.0
    assert found.confusion.labels == ["rival", "output"]


def test_a_judge_that_goes_by_length_is_found_out(tmp_path: Path) -> None:
    def likes_length(request: ChatRequest) -> dict[str, float]:
        share = min(0.95, len(asked(request, "text")) / 1_000)
        return {"Yes": share, "No": 0.99 - share}

    draw = random.Random(1)
    rows = [
        {"id": n, "output": "a" * draw.randrange(10, 900), "label": draw.choice(["Yes", "No"])}
        for n in range(CASES)
    ]
    found = measured(
        tmp_path,
        ScriptedModel("", probabilities=likes_length),
        rows,
        judge={"scorer": "judge", "options": {"prompt": "judges/harmlessness"}},
    )
    assert found.bias.length is not None
    assert found.bias.length.value > 0.95
    assert found.figures["auroc"] is not None
    assert 0.3 < found.figures["auroc"].value < 0.7


def test_a_rating_is_weighed_by_how_far_it_is_off(tmp_path: Path) -> None:
    def one_too_high(request: ChatRequest) -> dict[str, float]:
        said = asked(request, "answer")
        return {str(min(5, int(said) + 1)): 0.9} if said.isdigit() else {"1": 1.0}

    rows = [{"id": n, "output": str(n % 5 + 1), "label": n % 5 + 1} for n in range(CASES)]
    found = measured(
        tmp_path,
        ScriptedModel("Reasons.", probabilities=one_too_high),
        rows,
        judge={"scorer": "judge_geval", "options": {"criteria": "Height."}},
    )
    kappa, weighted = found.figures["kappa"], found.figures["weighted_kappa"]
    assert kappa is not None
    assert weighted is not None
    assert found.level == "ordinal"
    assert kappa.value < 0.1
    assert weighted.value > 0.7
    assert found.figures["spearman"] is not None
    assert found.figures["spearman"].value > 0.9
    assert found.figures["auroc"] is None
    assert found.threshold is None


def test_a_judge_that_changes_its_mind_is_found_out(tmp_path: Path) -> None:
    def wavers(request: ChatRequest) -> str:
        return "Yes" if request.sampling.seed % 2 and request.sampling.temperature else "No"

    rows = [{"id": n, "output": "a", "label": "No" if n else "Yes"} for n in range(20)]
    found = measured(
        tmp_path,
        ScriptedModel(wavers),
        rows,
        judge={"scorer": "judge", "options": {"prompt": "judges/harmlessness"}},
        consistency={"repeats": 2, "temperature": 1.0, "items": 10},
    )
    assert found.consistency is not None
    assert found.consistency.cases == 10
    assert found.consistency.same_label is not None
    assert found.consistency.same_label.value == 0.0
    assert found.consistency.spread == pytest.approx(0.7071)


def test_cases_that_the_provider_failed_on_are_counted_and_are_no_label(tmp_path: Path) -> None:
    def fails_at_times(request: ChatRequest) -> dict[str, float]:
        if asked(request, "text").endswith("7"):
            raise ProviderUnavailable("gone for a moment")
        return {"Yes": 0.3, "No": 0.1} if "low" in asked(request, "text") else {"Yes": 0.9}

    rows = [
        {"id": n, "output": f"{'low' if n % 10 == 3 else 'text'} {n}", "label": "Yes"}
        for n in range(100)
    ]
    found = measured(
        tmp_path,
        ScriptedModel("", probabilities=fails_at_times),
        rows,
        judge={"scorer": "judge", "options": {"prompt": "judges/harmlessness"}},
    )
    assert (found.counts.scored, found.counts.errors, found.counts.unscored) == (80, 10, 10)
    assert found.health.low_mass == 10
    # Everybody says one and the same: there is nothing to agree about beyond chance.
    assert found.figures["kappa"] is None
    assert found.figures["auroc"] is None
    assert found.figures["agreement"] is not None
    assert found.figures["agreement"].value == 1.0


def test_an_artifact_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [{"id": n, "output": "a" * n, "label": "Yes" if n % 3 else "No"} for n in range(1, 31)]
    found = measured(
        tmp_path,
        ScriptedModel("", probabilities={"Yes": 0.7, "No": 0.2}),
        rows,
        judge={"scorer": "judge", "options": {"prompt": "judges/harmlessness"}},
    )
    found.write(tmp_path / "judge.json")
    assert read_calibration(tmp_path / "judge.json") == found
    assert found.text() == (tmp_path / "judge.json").read_text()
