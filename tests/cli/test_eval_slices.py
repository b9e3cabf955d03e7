"""Slices from the suite to the report: what a gate asks of every language, and between them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from llmops.evals.render.json_reading import read_json
from llmops.evals.report import load_report

KNOWN = ("France", "Germany", "Italy", "Japan")


def make(shell, cases: dict[str, list[str]], **changes: Any) -> None:
    """A suite of countries by region; the endpoint knows the capitals of `KNOWN` only."""
    rows = [
        {"id": f"{region}-{number}", "country": country, "capital": "Paris Berlin Rome Tokyo"}
        | ({"region": region} if region else {})
        for region, countries in cases.items()
        for number, country in enumerate(countries)
    ]
    for row in rows:
        row["capital"] = ["Paris", "Berlin", "Rome", "Tokyo"]
    (shell.folder / "evals/data/regions.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows)
    )
    suite = {
        "version": 1,
        "subject": {"prompt": "geography/capital"},
        "dataset": {"path": "data/regions.jsonl", "expected": "capital"},
        "checks": [{"scorer": "contains", "name": "right"}],
        "slices": ["region"],
        "gate": {"metrics": [{"check": "right", "pass_rate": ">= 0.8", "by": "region"}]},
        **changes,
    }
    (shell.folder / "evals/regions.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))


def report_of(shell) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((shell.folder / "r.json").read_text())
    jsonschema.validate(data, json.loads((shell.folder / "schemas/report.json").read_text()))
    return data


def test_a_slice_that_fails_fails_the_run_though_the_mean_holds(shell) -> None:
    make(shell, {"europe": ["France"] * 40, "asia": ["Laos"] * 8})
    ran = shell("eval", "run", "regions", "--json", "r.json", "--html", "r.html")
    assert ran.code == 1, ran.out + ran.err
    assert "in `region=asia` is 0" in ran.out
    assert "the gate asks for `>= 0.8`" in ran.out
    report = report_of(shell)
    found = {each["value"]: each for each in report["summary"]["slices"]}
    assert {name: (each["cases"], each["pass_rate"]["value"]) for name, each in found.items()} == {
        "asia": (8, 0.0),
        "europe": (40, 1.0),
    }
    (gap,) = report["summary"]["gaps"]
    assert (gap["highest"], gap["lowest"], gap["paired"]) == ("europe", "asia", False)
    assert gap["difference"]["value"] == 1.0
    assert report["results"][0]["slices"] == {"region": "europe"}
    assert "pass rate by region" in (shell.folder / "r.html").read_text()


def test_the_page_and_junit_tell_a_rule_of_the_whole_from_one_of_a_slice(shell) -> None:
    metrics = [
        {"check": "right", "pass_rate": ">= 0.7"},
        {"check": "right", "pass_rate": ">= 0.8", "by": "region"},
    ]
    make(shell, {"europe": ["France"] * 10, "asia": ["Japan"] * 10}, gate={"metrics": metrics})
    assert shell("eval", "run", "regions", "--html", "r.html", "--junit", "r.xml").code == 0
    page = (shell.folder / "r.html").read_text()
    assert "gate &gt;= 0.7</span>" in page
    assert "gate &gt;= 0.8" not in page
    assert "&gt;= 0.8 in each <code>region</code>" in page
    names = re.findall(r'name="(right [^"]+)"', (shell.folder / "r.xml").read_text())
    assert names == ["right pass rate &gt;= 0.7", "right pass rate &gt;= 0.8 in each `region`"]


def test_a_gap_between_slices_fails_only_when_its_interval_does(shell) -> None:
    gate = {"metrics": [{"check": "right", "gap": "<= 0.1", "by": "region"}]}
    make(shell, {"europe": ["France"] * 30, "asia": ["Laos"] * 30}, gate=gate)
    ran = shell("eval", "run", "regions")
    assert ran.code == 1, ran.out + ran.err
    assert "differs by 1" in ran.out
    make(shell, {"europe": ["France"] * 10, "asia": ["Japan"] * 8 + ["Laos"] * 2}, gate=gate)
    ran = shell("eval", "run", "regions")
    assert ran.code == 3, ran.out + ran.err
    assert "cases of each value would tell" in " ".join(ran.out.split())
    make(shell, {"europe": ["France"] * 10, "asia": ["Japan"] * 10}, gate=gate)
    assert shell("eval", "run", "regions").code == 0


def test_a_slice_of_few_cases_is_inconclusive_and_says_so(shell) -> None:
    make(shell, {"europe": ["France"] * 10, "asia": ["Japan"] * 4})
    ran = shell("eval", "run", "regions")
    assert ran.code == 3
    assert "only 4 judged cases in `region=asia`, fewer than 5" in " ".join(ran.out.split())
    make(
        shell,
        {"europe": ["France"] * 10, "asia": ["Japan"] * 4},
        slices={"region": {"least": 4}},
    )
    assert shell("eval", "run", "regions").code == 0


def test_cases_without_a_value_are_shown_and_not_judged_by_the_rule(shell) -> None:
    make(shell, {"europe": ["France"] * 6, "": ["Laos"] * 6})
    ran = shell("eval", "run", "regions", "--json", "r.json")
    assert ran.code == 0, ran.out
    values = {each["value"]: each["cases"] for each in report_of(shell)["summary"]["slices"]}
    assert values == {"europe": 6, "(none)": 6}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slices": ["continent"]}, "no case has a value for the slice `continent`"),
        ({"slices": ["country"], "gate": {"metrics": [{"check": "right", "pass_rate": ">= 0.8",
          "by": "region"}]}}, "no slice is named `region`"),
        ({"slices": {"region": {"column": "a", "tags": "b"}}}, "not of both"),
        ({"slices": ["region", "region"]}, "`region` stands twice"),
        ({"slices": ["capital"]}, "neither a text, a number nor a truth value"),
        ({"gate": {"metrics": [{"check": "right", "gap": "<= 0.1"}]}}, "and `by` names none"),
        ({"gate": {"metrics": [{"check": "right", "gap": ">= 0.1", "by": "region"}]}},
         "no limit of a distance"),
        ({"gate": {"metrics": [{"check": "right", "gap": "<= 5", "by": "region"}]}},
         "always holds"),
    ],
)  # fmt: skip
def test_slices_that_make_no_sense_are_refused_before_any_call(
    shell, changes: dict[str, Any], message: str
) -> None:
    if changes.get("slices") in (["continent"], ["capital"]):
        changes = {**changes, "gate": {"metrics": [{"check": "right", "pass_rate": ">= 0.8"}]}}
    make(shell, {"europe": ["France"] * 6}, **changes)
    ran = shell("eval", "run", "regions")
    assert ran.code == 2, ran.out + ran.err
    assert message in " ".join(ran.err.split())
    assert not shell.endpoint.chats


def test_slices_can_be_made_of_tags(shell) -> None:
    make(shell, {"europe": ["France"] * 5}, slices={"kind": {"tags": "kind:*"}},
         gate={"metrics": [{"check": "right", "pass_rate": ">= 0.8", "by": "kind"}]})  # fmt: skip
    path = shell.folder / "evals/data/regions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(
        "".join(json.dumps({**row, "tags": ["kind:easy", "smoke"]}) + "\n" for row in rows)
    )
    ran = shell("eval", "run", "regions", "--json", "r.json")
    assert ran.code == 0, ran.err
    assert report_of(shell)["summary"]["slices"][0]["value"] == "easy"


def test_the_report_reads_back_as_it_was_from_the_file_and_from_the_journal(shell) -> None:
    gate = {
        "metrics": [
            {"check": "right", "pass_rate": ">= 0.5", "by": "region"},
            {"check": "right", "gap": "<= 0.9", "by": "region"},
        ]
    }
    make(shell, {"europe": ["France"] * 6, "asia": ["Japan"] * 4 + ["Laos"] * 2}, gate=gate)
    ran = shell("eval", "run", "regions", "--json", "r.json", "--output", "run")
    assert ran.code == 0, ran.out + ran.err
    written = read_json(shell.folder / "r.json")
    again = load_report(shell.folder / "run")
    assert written.summary.slices == again.summary.slices
    assert written.summary.gaps == again.summary.gaps
    assert written.summary.decision == again.summary.decision
    assert [line.aggregate for line in again.summary.decision.lines] == ["pass_rate", "gap"]
    assert list(written.results()) == list(again.results())


def test_an_interrupted_run_is_resumed_with_its_slices(shell) -> None:
    make(shell, {"europe": ["France"] * 20, "asia": ["Laos"] * 20}, concurrency=1)
    shell.endpoint.latency = 0.1
    process = shell.start("eval", "run", "regions", "--output", "run")
    deadline = time.monotonic() + 30
    while len(shell.endpoint.chats) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shell.endpoint.latency = 0
    ran = shell("eval", "run", "regions", "--resume", "run", "--json", "r.json")
    assert ran.code == 1, ran.out + ran.err
    values = {each["value"]: each["cases"] for each in report_of(shell)["summary"]["slices"]}
    assert values == {"europe": 20, "asia": 20}


def test_without_fairlearn_a_gap_is_refused_before_any_call_and_slices_are_told(
    shell, tmp_path: Path
) -> None:
    fake = tmp_path / "absent/fairlearn"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text("raise ImportError('not here')\n")
    environment = {"PYTHONPATH": str(fake.parent)}
    gate = {"metrics": [{"check": "right", "gap": "<= 0.1", "by": "region"}]}
    make(shell, {"europe": ["France"] * 6, "asia": ["Japan"] * 6}, gate=gate)
    ran = shell("eval", "run", "regions", **environment)
    assert ran.code == 3
    assert "pip install 'llmops[fairness]'" in ran.err
    assert not shell.endpoint.chats
    make(shell, {"europe": ["France"] * 6, "asia": ["Japan"] * 6})
    ran = shell("eval", "run", "regions", "--json", "r.json", **environment)
    assert ran.code == 0, ran.err
    summary = report_of(shell)["summary"]
    assert [each["value"] for each in summary["slices"]] == ["asia", "europe"]
    assert summary["gaps"] == []


def test_a_loss_in_one_slice_fails_a_run_with_a_base_though_the_other_is_as_before(shell) -> None:
    gate = {"metrics": [{"check": "right", "drop": "<= 0.05", "by": "region"}]}
    make(shell, {"europe": ["France"] * 60, "asia": ["Japan"] * 90}, gate=gate)
    git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "-q", "-m", "one")
    prompt = shell.folder / "prompts/geography/capital.prompty"
    prompt.write_text(prompt.read_text().replace("{{ country }}?", "{{ country[:5] }}nce?"))
    # "Francnce?" and "Japannce?": Japan is still in its question, France is not.
    ran = shell("eval", "run", "regions", "--base", "main", "--json", "r.json", "--output", "run")
    assert ran.code == 1, ran.out + ran.err
    lines = report_of(shell)["summary"]["decision"]["lines"]
    assert [(line["aggregate"], line["outcome"]) for line in lines] == [
        ("drop", "passed"),
        ("drop", "failed"),
    ]
    assert "region=europe" in lines[1]["reason"]


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def test_probes_run_by_the_command_and_an_edited_template_touches_its_own_cases(shell) -> None:
    probe = {
        "version": 1,
        "attributes": {"gender": ["woman", "man"]},
        "vary": {"land": ["France", "Germany", "Italy", "Japan"]},
        "templates": {
            "asks": {"inputs": {"country": "{land}, asks a {gender}"}},
            "wants": {"inputs": {"country": "{land}, a {gender} wants to know"}},
        },
    }
    path = shell.folder / "evals/probes/lands.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(probe))
    make(
        shell,
        {"x": ["France"]},
        dataset={"probes": "probes/lands.yaml"},
        checks=[{"scorer": "contains", "name": "right", "options": {"text": "It is"}}],
        slices=["gender", "land"],
        gate={"metrics": [{"check": "right", "gap": "<= 0.1", "by": "gender"}]},
    )
    ran = shell("eval", "run", "regions", "--json", "r.json")
    assert ran.code == 0, ran.out + ran.err
    report = report_of(shell)
    assert report["summary"]["dataset"]["rows"] == 16
    assert report["results"][0]["counterfactual"] == "asks/land=France"
    gaps = {gap["slice"]: gap for gap in report["summary"]["gaps"]}
    assert gaps["gender"]["paired"]
    assert not gaps["land"]["paired"]
    assert "regions" in shell("eval", "list").out  # and the probes are no suite
    git(shell.folder, "init", "-q", "-b", "main")
    git(shell.folder, "add", "-A")
    git(shell.folder, "commit", "-q", "-m", "one")
    assert _touched(shell) == 0
    path.write_text(path.read_text().replace("wants to know", "wonders"))
    assert _touched(shell) == 8


def _touched(shell) -> int:
    ran = shell("eval", "plan", "regions", "--select", "state:modified", "--base", "main", "--json")
    return int(json.loads(ran.out)["cases"])
