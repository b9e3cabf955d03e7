"""`llmops eval calibrate`, and suites that require a judge which was measured."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from llmops.core.chat import Usage
from llmops.evals.render.json import REPORT_SCHEMA
from llmops.evals.render.json_reading import read_json
from llmops.evals.report import load_report
from llmops.project.scaffold import add_judges
from llmops.testing import FaultyEndpoint

CALIBRATION = """\
version: 1
description: Whether an answer names the capital.
judge:
  scorer: judge_reference
dataset: {path: ../data/labelled.csv, output: said, expected: right}
labels: {columns: [ann, bob], map: {good: "Yes", bad: "No"}}
consistency: {repeats: 2, items: 4}
resamples: 200
"""
CHECK = """\
  - scorer: judge_reference
    name: correct
    pass: ">= 0.5"
    calibration: capitals
    requires: {kappa: ">= 0.6"}
"""


@pytest.fixture
def endpoint() -> Iterator[FaultyEndpoint]:
    """An endpoint that holds no constraint; as a judge it looks for the right answer's words."""
    ready, stop = threading.Event(), threading.Event()
    found: list[FaultyEndpoint] = []

    async def serve() -> None:
        async with FaultyEndpoint(_answer, obeys="nothing") as running:
            found.append(running)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    yield found[0]
    stop.set()
    thread.join()


def _answer(body: dict[str, Any]) -> str:
    asked = body["messages"][-1]["content"]
    judged = re.search(r"<right_answer>\n(.*)\n</right_answer>\n\n<answer>\n(.*)\n</answer>", asked)
    if judged is None:
        return "Yes" if "snow" in asked else "It is Paris."
    if "mumble" in judged[2]:
        return "Hard to say, yes and no."
    return "Yes." if judged[1] in judged[2] else "no"


@pytest.fixture
def judged(shell: Any) -> Any:
    """A project with a calibration: of 24 cases the judge agrees with people in 20."""
    add_judges(shell.folder / "prompts")
    folder = shell.folder / "evals" / "calibrations"
    folder.mkdir()
    (folder / "capitals.yaml").write_text(CALIBRATION)
    rows = [
        [f"good-{n}", f"Paris, I say for the {n}th time", "Paris", "good", "good"]
        for n in range(10)
    ]
    rows += [[f"bad-{n}", f"Rome {n}", "Paris", "bad", "bad" if n else ""] for n in range(10)]
    rows += [
        ["wrong", "Paris is not it", "Paris", "bad", "bad"],
        ["close", "paris", "Paris", "good", "good"],
        ["torn", "Paris or so", "Paris", "good", "bad"],
        ["odd", "mumble", "Paris", "bad", "bad"],
    ]
    with (shell.folder / "evals/data/labelled.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "said", "right", "ann", "bob"], *rows])
    suite = shell.folder / "evals" / "capitals.yaml"
    suite.write_text(suite.read_text().replace("checks:\n", f"checks:\n{CHECK}"))
    return shell


def artifact(shell: Any) -> Path:
    path: Path = shell.folder / "evals/calibrations/capitals.json"
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_judge_is_measured_against_people(judged: Any) -> None:
    ran = judged("eval", "calibrate", "capitals")
    assert ran.code == 0, ran.err
    found = json.loads(artifact(judged).read_text())
    assert found["schema"] == "llmops.calibration/1"
    assert found["counts"] == {
        "rows": 24, "raters": 2, "scored": 23, "unscored": 1, "errors": 0, "unlabelled": 1,
    }  # fmt: skip
    assert found["confusion"] == {"labels": ["No", "Yes"], "counts": [[10, 1], [1, 10]]}
    assert found["figures"]["agreement"]["value"] == pytest.approx(20 / 22, abs=1e-4)
    assert found["figures"]["kappa"]["value"] == pytest.approx(9 / 11, abs=1e-4)
    assert found["figures"]["kappa"]["low"] < 9 / 11 < found["figures"]["kappa"]["high"]
    assert found["figures"]["human_alpha"]["value"] > found["figures"]["alpha"]["value"]
    assert found["figures"]["weighted_kappa"] is None
    assert found["health"] == {"mass": None, "low_mass": 0, "unparsed": 1}
    assert found["consistency"]["same_label"]["value"] == 1.0
    assert found["judge"]["made_from"]["answers"] == "text"
    assert "kappa" in ran.out
    assert "0.818" in ran.out
    assert "commit it" in ran.err


def test_json_is_the_artifact(judged: Any) -> None:
    ran = judged("eval", "calibrate", "evals/calibrations/capitals.yaml", "--json")
    assert json.loads(ran.out) == [json.loads(artifact(judged).read_text())]


def test_a_result_that_could_not_be_kept_is_told_before_any_call(judged: Any) -> None:
    asked = len(judged.endpoint.chats)
    ran = judged("eval", "calibrate", "capitals", "--output", "evals")
    assert ran.code == 2
    assert "error: evals: is a folder" in ran.err
    assert len(judged.endpoint.chats) == asked


def test_a_part_of_the_cases_is_shown_and_not_kept(judged: Any) -> None:
    ran = judged("eval", "calibrate", "capitals", "--limit", "12")
    assert ran.code == 0, ran.err
    assert "12 cases" in ran.out
    assert not artifact(judged).exists()


def test_a_suite_runs_with_the_judge_that_it_requires(judged: Any) -> None:
    assert judged("eval", "calibrate", "capitals").code == 0
    ran = judged("eval", "run", "capitals", "--json", "r.json")
    assert ran.code in (0, 1), ran.err
    told = " ".join(ran.out.split())
    assert "judge of correct: kappa 0.82" in told
    assert "0.0 % of the answers no label" in told
    summary = json.loads((judged.folder / "r.json").read_text())["summary"]
    check = next(each for each in summary["checks"] if each["name"] == "correct")
    assert check["calibration"]["figures"]["kappa"][0] == pytest.approx(9 / 11, abs=1e-4)
    assert check["details"] == {"unparsed": 0.0}
    assert check["usage"]["output_tokens"] == 10
    assert "judge of `correct`" in summary["made_from"]


def test_journal_and_report_keep_what_the_judge_spent_and_saw(judged: Any) -> None:
    assert judged("eval", "calibrate", "capitals").code == 0
    judged("eval", "run", "capitals", "--output", "run")
    folder = judged.folder / "run"
    written = json.loads((folder / "report.json").read_text())
    jsonschema.validate(written, REPORT_SCHEMA)
    for report in (read_json(folder / "report.json"), load_report(folder)):
        (check,) = (each for each in report.summary.checks if each.name == "correct")
        verdicts = [
            verdict
            for result in report.results()
            for verdict in result.verdicts
            if verdict.check == "correct"
        ]
        assert len(verdicts) == 10
        assert all(verdict.score.details == {"unparsed": 0.0} for verdict in verdicts)
        total = sum((verdict.score.usage for verdict in verdicts), Usage())
        assert total == check.usage
        assert total.output_tokens == 10
        assert check.calibration is not None
        assert check.calibration["requires"] == {"kappa": ">= 0.6"}


def test_reports_of_all_kinds_tell_the_health_of_a_judge(judged: Any) -> None:
    assert judged("eval", "calibrate", "capitals").code == 0
    judged("eval", "run", "capitals", "--markdown", "r.md", "--html", "r.html")
    assert "kappa 0.82" in (judged.folder / "r.md").read_text()
    assert "kappa 0.82" in (judged.folder / "r.html").read_text()


def refused(shell: Any, *said: str) -> None:
    before = len(shell.endpoint.chats)
    ran = shell("eval", "run", "capitals")
    assert ran.code == 2, ran.out + ran.err
    for each in ("capitals.yaml:", *said):
        assert each in ran.err
    assert len(shell.endpoint.chats) == before


def test_a_suite_does_not_run_before_its_judge_was_measured(judged: Any) -> None:
    refused(judged, "is not calibrated", "llmops eval calibrate capitals")


def test_a_suite_does_not_run_with_a_judge_that_is_not_good_enough(judged: Any) -> None:
    assert judged("eval", "calibrate", "capitals").code == 0
    edit(judged.folder / "evals/capitals.yaml", '">= 0.6"', '">= 0.9"')
    refused(judged, "its kappa is 0.82 (", "`>= 0.9` is required")


def test_a_figure_that_cannot_be_told_meets_no_rule(judged: Any) -> None:
    assert judged("eval", "calibrate", "capitals").code == 0
    edit(judged.folder / "evals/capitals.yaml", "kappa:", "weighted_kappa:")
    refused(judged, "its weighted_kappa cannot be told")


@pytest.mark.parametrize(
    ("file", "old", "new", "differs"),
    [
        ("prompts/judges/correctness.prompty", "everything that", "all that", "prompt"),
        (
            "evals/capitals.yaml",
            "name: correct",
            "options: {min_mass: 0.2}\n    name: correct",
            "min_mass",
        ),
        ("llmops.toml", "hosted_vllm/", "openai/", "model"),
    ],
)
def test_another_judge_than_the_measured_one_is_refused(
    judged: Any, file: str, old: str, new: str, differs: str
) -> None:
    assert judged("eval", "calibrate", "capitals").code == 0
    if differs == "model":
        name = judged.environment["LLMOPS_MODELS__LOCAL__MODEL"]
        judged.environment["LLMOPS_MODELS__LOCAL__MODEL"] = name.replace(old, new)
    else:
        edit(judged.folder / file, old, new)
    refused(judged, "is not the one that was calibrated", f"`{differs}` differs")


def test_a_calibration_of_a_suite_is_found_by_the_suite(judged: Any) -> None:
    edit(judged.folder / "evals/capitals.yaml", "calibration: capitals", "calibration: cities")
    folder = judged.folder / "evals/calibrations"
    (folder / "capitals.yaml").rename(folder / "cities.yaml")
    assert judged("eval", "calibrate", "capitals").code == 0
    assert (folder / "cities.json").exists()


def test_a_provider_that_is_gone_is_no_finding(judged: Any) -> None:
    judged.environment["LLMOPS_MODELS__LOCAL__API_BASE"] = "http://127.0.0.1:9/v1"
    judged.environment["LLMOPS_MODELS__LOCAL__RETRIES"] = "0"
    ran = judged("eval", "calibrate", "capitals")
    assert ran.code == 3
    assert not artifact(judged).exists()


def test_a_judge_that_says_nothing_readable_is_no_finding(judged: Any) -> None:
    path = judged.folder / "evals/data/labelled.csv"
    path.write_text(
        "id,said,right,ann,bob\n1,mumble,Paris,good,bad\n2,mumble mumble,Rome,bad,bad\n"
    )
    ran = judged("eval", "calibrate", "capitals")
    assert ran.code == 3
    assert "scored none of 2 cases" in ran.err
    assert "2 for an answer that is no label" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("judge_reference", "exact_match", "yaml:3: `exact_match` is no judge"),
        ("said", "text", "missing columns: `text`"),
        ("output: said", "output: said, inputs: {x: y}", "missing columns: `y`"),
        ('good: "Yes"', 'good: "Right"', "no label of the judge is named `Right`"),
        ('good: "Yes", ', "", "labelled.csv:2: the label (column `ann`) is `good`"),
        ("resamples", "resample", "unknown key `resample`"),
        ("columns: [ann, bob]", "columns: []", "`labels.columns`"),
        ("judge_reference", "judge_refrence", "did you mean `judge_reference`"),
    ],
)
def test_a_broken_calibration_is_named_with_its_line_before_any_call(
    judged: Any, old: str, new: str, said: str
) -> None:
    edit(judged.folder / "evals/calibrations/capitals.yaml", old, new)
    ran = judged("eval", "calibrate", "capitals")
    assert ran.code == 2
    assert said in ran.err
    assert not judged.endpoint.chats


def test_a_name_that_nothing_has_suggests_the_nearest(judged: Any) -> None:
    ran = judged("eval", "calibrate", "capitols")
    assert ran.code == 2
    assert "did you mean `capitals`?" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("calibration: capitals", "calibration: captals", "did you mean `capitals`?"),
        ("calibration: capitals\n", "\n", "names none"),
        ('">= 0.6"}', '"high"}', "`high` is not a rule"),
        ("kappa", "kapa", "requires.kapa"),
        ("scorer: judge_reference", "scorer: exact_match", "is no judge"),
    ],
)
def test_a_requirement_that_makes_no_sense_is_refused(
    judged: Any, old: str, new: str, said: str
) -> None:
    edit(judged.folder / "evals/capitals.yaml", old, new)
    ran = judged("eval", "run", "capitals")
    assert ran.code == 2
    assert said in ran.err


def test_a_broken_artifact_is_no_evidence(judged: Any) -> None:
    artifact(judged).write_text('{"schema": "llmops.calibration/9"}')
    ran = judged("eval", "run", "capitals")
    assert ran.code == 2
    assert "not a calibration of this program" in ran.err


def test_a_judge_that_asks_for_an_input_which_no_case_has_is_refused(judged: Any) -> None:
    suite = judged.folder / "evals/capitals.yaml"
    check = (
        "  - {scorer: judge, name: fits, measure_only: true, options: {prompt: judges/relevance}}\n"
    )
    edit(suite, CHECK, check)
    ran = judged("eval", "run", "capitals")
    assert ran.code == 2
    assert "asks for the input `question`, and no case has it" in ran.err
    assert "inputs here: `country`" in ran.err
    assert not judged.endpoint.chats


def test_judges_are_added_to_a_project_that_is_there(shell: Any) -> None:
    ran = shell("init", "--judges")
    assert ran.code == 0, ran.err
    assert "judges/faithfulness.prompty" in ran.out
    assert "no prompt is named" not in shell("prompt", "show", "judges/faithfulness").err
    assert shell("init", "--judges").code == 2


@pytest.mark.vllm
def test_a_small_model_is_found_to_be_no_judge(vllm_server: Any, shell: Any) -> None:
    here = Path(__file__).parents[2] / "evals"
    add_judges(shell.folder / "prompts")
    folder = shell.folder / "evals" / "calibrations"
    folder.mkdir()
    for name in ("calibrations/faithfulness.yaml", "data/fever_symmetric.jsonl"):
        (shell.folder / "evals" / name).write_bytes((here / name).read_bytes())
    served = {
        "LLMOPS_MODELS__LOCAL__API_BASE": vllm_server.api_base,
        "LLMOPS_MODELS__LOCAL__MODEL": f"hosted_vllm/{vllm_server.model}",
    }
    ran = shell(
        "eval", "calibrate", "faithfulness", "--limit", "40", "--output", "found.json", **served
    )
    assert ran.code == 0, ran.err
    found = json.loads((shell.folder / "found.json").read_text())
    assert abs(found["figures"]["kappa"]["value"]) < 0.4
    assert found["health"]["unparsed"] == 0
    assert found["judge"]["made_from"]["answers"] == "probabilities"
