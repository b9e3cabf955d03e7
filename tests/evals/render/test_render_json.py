"""report.json: what it says, that its schema says the same, and that it can be read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from llmops.core.errors import DocumentError
from llmops.evals.render.json import REPORT_SCHEMA, write_json
from llmops.evals.render.json_reading import read_json
from llmops.evals.results import CaseResult, Report, Summary

Sample = Callable[..., Report]


def with_cases(report: Report, *cases: CaseResult) -> Report:
    return Report(summary=report.summary, results=lambda: iter(cases))


def written(report: Report, folder: Path) -> Any:
    write_json(report, folder / "report.json")
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_whole_report_is_as_the_schema_says(sample_report: Sample, tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(REPORT_SCHEMA)
    data = written(sample_report(60, repeats=2), tmp_path)
    jsonschema.validate(data, REPORT_SCHEMA)
    assert data["schema"] == "llmops.report/1"
    assert len(data["results"]) == 120
    assert sum(data["outcomes"].values()) == 120


def test_the_schema_knows_every_field_of_the_summary() -> None:
    known = REPORT_SCHEMA["properties"]["summary"]["properties"]
    assert list(known) == [each.name for each in fields(Summary)]


def test_the_schema_refuses_what_the_report_does_not_say(
    sample_report: Sample, tmp_path: Path
) -> None:
    data = written(sample_report(2), tmp_path)
    data["results"][0]["outcome"] = "skipped"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, REPORT_SCHEMA)


def test_one_case_reads_like_this(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    data = written(with_cases(sample_report(), samples.case(1)), tmp_path)
    (case,) = data["results"]
    assert case.pop("inputs")["question"] == "Wie viele Seen wurden untersucht?"
    assert case.pop("contexts")[0].startswith("Die Forschungsgruppe der Universität Würzburg")
    assert case["verdicts"].pop(2)["check"] == "groundedness"
    assert case == {
        "case": "xquad-0001",
        "repeat": 0,
        "outcome": "failed",
        "tags": ["wissenschaft", "short"],
        "expected": ["42", "42 Seen"],
        "output": "Es wurden 42 Seen in Unterfranken untersucht. 👍",
        "error": None,
        "verdicts": [
            {
                "check": "exact_match",
                "outcome": "failed",
                "value": 0.0,
                "rationale": "no reference is equal",
                "spans": [],
            },
            {
                "check": "f1",
                "outcome": "failed",
                "value": 0.478,
                "rationale": "10 is where `42` stands",
                "spans": [[10, 12]],
            },
            {"check": "latency", "outcome": "passed", "value": 0.908, "rationale": "", "spans": []},
        ],
        "latency": 0.908,
        "usage": {"input_tokens": 181, "output_tokens": 24, "cached_tokens": 96, "cost": None},
        "finish_reason": "stop",
        "cached": False,
        "attempts": 1,
    }


def test_each_case_stands_on_a_line_of_its_own(sample_report: Sample, tmp_path: Path) -> None:
    write_json(sample_report(30), tmp_path / "report.json")
    lines = (tmp_path / "report.json").read_text(encoding="utf-8").split("\n")
    cases = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"case"')]
    assert len(cases) == 30


def test_what_was_written_is_read_back_the_same(sample_report: Sample, tmp_path: Path) -> None:
    report = sample_report(60, repeats=2)
    write_json(report, tmp_path / "report.json")
    again = read_json(tmp_path / "report.json")
    assert again.summary == report.summary
    assert list(again.results()) == list(report.results())
    assert list(again.results()) == list(report.results())  # as often as wanted


@pytest.mark.parametrize("layout", [{"indent": 3}, {"separators": (",", ":")}])
def test_a_report_laid_out_by_another_program_is_read_too(
    layout: dict[str, Any], sample_report: Sample, tmp_path: Path
) -> None:
    report = sample_report(80)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(written(report, tmp_path), **layout), encoding="utf-8")
    assert list(read_json(path).results()) == list(report.results())


def test_numbers_and_texts_that_json_cannot_spell_do_not_break_the_file(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    odd = replace(
        samples.case(1),
        inputs={"number": float("nan"), "set": {2, 1}, 7: Path("x")},
        output="half an emoji \ud83d and a NUL \0",
    )
    (case,) = written(with_cases(sample_report(), odd), tmp_path)["results"]
    assert case["inputs"] == {"number": None, "set": [1, 2], "7": "x"}
    assert case["output"] == "half an emoji \ud83d and a NUL \0"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found 'the end'"),
        ("[]", "expected one of '{'"),
        ("{}", "its schema is not"),
        ('{"schema": "llmops.report/9", "results": []}', "its schema is not"),
        ('{"schema": "llmops.report/1", "results": []}', "'summary' is missing"),
        ('{"schema": "llmops.report/1", "summary": 3, "results": []}', "not a report"),
        ('{"schema": "llmops.rep', "Unterminated string"),
    ],
)
def test_a_file_that_is_no_report_is_refused_with_its_path(
    text: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as found:
        read_json(path)
    assert reason in str(found.value)
    assert str(path) in str(found.value)


def test_a_report_that_is_cut_off_says_so_when_its_cases_are_read(
    sample_report: Sample, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    write_json(sample_report(20), path)
    path.write_text(path.read_text(encoding="utf-8")[:20_000], encoding="utf-8")
    with pytest.raises(DocumentError, match="not a report"):
        list(read_json(path).results())


def test_a_missing_report_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        read_json(tmp_path / "report.json")
