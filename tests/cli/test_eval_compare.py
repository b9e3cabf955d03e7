"""`llmops eval compare`: two runs, case by case, and what its exit code says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from llmops.evals.render.comparison_json import COMPARISON_SCHEMA, comparison_of

SUITE = """version: 1
subject: {prompt: geography/capital}
dataset: {path: data/many.csv}
checks:
  - {scorer: contains, name: right}
gate:
  metrics:
    - {check: right, drop: "<= 0.02"}
"""
PROMPT = "prompts/geography/capital.prompty"
LANDS = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Japan": "Tokyo"}


def suite(
    shell: Any, cases: int, *, unknown: int = 0, name: str = "many", text: str = SUITE
) -> None:
    """A suite of so many cases, the first of which the model does not know."""
    lands = list(LANDS.items())
    rows = ["id,country,expected"]
    for number in range(cases):
        land, city = lands[number % len(lands)]
        rows.append(f"c{number},{'Atlantis' if number < unknown else land},{city}")
    (shell.folder / "evals/data/many.csv").write_text("\n".join(rows) + "\n")
    (shell.folder / f"evals/{name}.yaml").write_text(text)


def broken_prompt(shell: Any) -> None:
    """From now on the prompt does not name the country."""
    file = shell.folder / PROMPT
    assert "of {{ country }}?" in file.read_text()
    file.write_text(file.read_text().replace("of {{ country }}?", "of {{ country[:2] }}?"))


def run(shell: Any, output: str, *options: str, name: str = "many") -> None:
    ran = shell("eval", "run", name, "--output", output, *options)
    assert (shell.folder / output / "report.json").exists(), ran.err


def said(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def twice(shell: Any) -> Any:
    """Two runs of 30 cases, the second with a prompt that asks for nothing."""
    suite(shell, 30)
    run(shell, "before")
    broken_prompt(shell)
    run(shell, "after")
    return shell


def test_a_regression_exits_with_1_and_shows_the_first_case_with_both_answers(twice: Any) -> None:
    ran = twice("eval", "compare", "before", "after")
    assert ran.code == 1
    assert "FAILED  before → after" in ran.out
    assert "the pass rate of `right` falls by 100.0 points" in said(ran.out)
    assert "30 cases fail now that passed before" in said(ran.out)
    assert "first newly failing: c0" in ran.out
    assert "It is Paris." in ran.out
    assert "No idea." in ran.out
    assert "llmops eval compare before after --markdown comparison.md" in ran.out


def test_the_other_way_round_it_is_better_and_exits_with_0(twice: Any) -> None:
    ran = twice("eval", "compare", "after", "before")
    assert (ran.code, "↑ better" in ran.out) == (0, True), ran.out
    assert "30 cases pass now that failed before" in said(ran.out)


def test_two_runs_of_the_same_subject_with_the_same_answers_are_the_same(shell: Any) -> None:
    suite(shell, 5)
    run(shell, "one")
    run(shell, "two")
    ran = shell("eval", "compare", "one", "two")
    assert ran.code == 0
    assert "is the same in every case, and nothing that the model sees changed" in said(ran.out)


def test_too_few_cases_exit_with_3_and_say_how_many_it_takes(shell: Any) -> None:
    suite(shell, 6, unknown=1)
    run(shell, "before")
    file = shell.folder / PROMPT
    file.write_text(file.read_text().replace("What is", "Say what is"))
    run(shell, "after")
    ran = shell("eval", "compare", "before", "after", "--json")
    assert ran.code == 3
    (metric,) = (each for each in json.loads(ran.out)["metrics"] if each["gates"])
    assert metric["verdict"] == "inconclusive"
    assert metric["needed"] == 189  # as `statistics.cases_needed(0.02, flaky(0.0))` has it
    assert "about 190 cases would tell, 6 did not" in metric["reason"]


def test_the_json_is_valid_against_its_schema_and_read_back_says_the_same(twice: Any) -> None:
    ran = twice("eval", "compare", "before", "after", "--json")
    assert (ran.code, ran.err) == (1, "")
    record = json.loads(ran.out)
    Draft202012Validator(COMPARISON_SCHEMA).validate(record)
    assert comparison_of(record).decision.exit_code == 1
    assert len(record["changes"]) == record["turns"]["newly failing"] == 30
    assert record["changes"][0]["base"][0]["output"] == "It is Paris."


def test_folders_and_reports_give_the_same_verdict(twice: Any) -> None:
    folders = json.loads(twice("eval", "compare", "before", "after", "--json").out)
    files = ("before/report.json", "after/report.json")
    reports = json.loads(twice("eval", "compare", *files, "--json").out)
    for record in (folders, reports):
        del record["base"], record["head"]
    assert reports == folders


def test_margin_and_confidence_of_the_command_line_go_before_the_suites(twice: Any) -> None:
    ran = twice(
        "eval", "compare", "before", "after", "--margin", "1", "--confidence", "0.9", "--json"
    )
    record = json.loads(ran.out)
    assert (ran.code, record["confidence"], record["metrics"][0]["margin"]) == (3, 0.9, 1)
    ran = twice("eval", "compare", "before", "after", "--margin", "1.5")
    assert ran.code == 2


def test_the_markdown_is_written_beside_the_verdict(twice: Any) -> None:
    ran = twice("eval", "compare", "before", "after", "--markdown", "out/c.md")
    assert ran.code == 1
    page = (twice.folder / "out/c.md").read_text()
    assert "It is Paris." in page
    assert "regression" in page


def test_the_page_is_written_beside_the_verdict(twice: Any) -> None:
    ran = twice("eval", "compare", "before", "after", "--html", "out/c.html")
    assert ran.code == 1
    page = (twice.folder / "out/c.html").read_text()
    assert "It is" in page
    assert "llmops eval compare before after" in page
    ran = twice("eval", "compare", "before", "after", "--html", "out")
    assert ran.code == 2
    assert "out: is a folder" in ran.err


def test_other_rows_in_the_dataset_are_refused_with_what_differs(shell: Any) -> None:
    suite(shell, 5)
    run(shell, "before")
    suite(shell, 6)
    run(shell, "after")
    ran = shell("eval", "compare", "before", "after")
    assert (ran.code, ran.out) == (2, "")
    assert "the two sides have another dataset" in ran.err
    assert ran.err.count("sha256:") == 2


def test_runs_of_two_suites_are_refused_by_their_names(shell: Any) -> None:
    suite(shell, 5)
    suite(shell, 5, name="others")
    run(shell, "before")
    run(shell, "after", name="others")
    ran = shell("eval", "compare", "before", "after")
    assert ran.code == 2
    assert "suite: many on before, others on after" in ran.err


def test_a_check_that_another_scorer_measured_is_refused(shell: Any) -> None:
    suite(shell, 5)
    run(shell, "before")
    text = SUITE.replace(
        "{scorer: contains, name: right}", "{scorer: token_f1, name: right, pass: '>= 0.5'}"
    )
    suite(shell, 5, text=text)
    run(shell, "after")
    ran = shell("eval", "compare", "before", "after")
    assert ran.code == 2
    assert "the check `right` is scored by `contains" in ran.err


def test_a_run_that_was_stopped_is_named_with_the_command_that_goes_on(twice: Any) -> None:
    journal = twice.folder / "after/journal.jsonl"
    text = journal.read_bytes()
    journal.write_bytes(text[: len(text) // 2])
    ran = twice("eval", "compare", "before", "after")
    assert (ran.code, ran.out) == (2, "")
    assert "the run in after is not finished" in ran.err
    assert "of 30 results are missing" in ran.err
    assert "--resume after" in ran.err


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty", None, "empty holds no run"),
        ("nowhere", ..., "nowhere: no such report"),
        ("t.csv", "id,score\nc0,1\n", "t.csv: not a report of this program"),
        ("p.json", '{"results": {"version": 3}}', "p.json: not a report of this program"),
    ],
)
def test_what_is_no_run_of_ours_is_said(shell: Any, name: str, content: Any, expected: str) -> None:
    suite(shell, 5)
    run(shell, "before")
    path: Path = shell.folder / name
    if content is None:
        path.mkdir()
    elif content is not ...:
        path.write_text(content)
    ran = shell("eval", "compare", "before", name)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err
    if content is not ...:
        assert "`llmops eval gate` reads results of other tools" in ran.err


def test_a_run_that_repeated_by_itself_is_judged_at_what_was_left_to_its_last_look(
    shell: Any,
) -> None:
    suite(shell, 30)
    run(shell, "before")
    broken_prompt(shell)
    run(shell, "after", "--repeat", "auto")
    lines = (shell.folder / "after/journal.jsonl").read_text().splitlines()
    (settled,) = (json.loads(line) for line in lines if '"settled"' in line)
    record = json.loads(shell("eval", "compare", "before", "after", "--json").out)
    assert record["confidence"] == settled["confidence"]
