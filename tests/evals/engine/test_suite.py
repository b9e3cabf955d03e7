"""Suites: what is read, and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, UsageError
from llmops.evals.suite import SuiteFile


def test_a_suite_is_named_by_its_path_under_the_evals_folder(lab: Any) -> None:
    assert lab.load().name == "qa"


def test_the_short_form_of_a_check_names_its_scorer(lab: Any) -> None:
    lab.suite_file(checks=["exact_match", {"scorer": "token_f1", "name": "f1", "pass": ">= 0.5"}])
    suite = lab.load()
    assert [(check.name, str(check.rule)) for check in suite.checks] == [
        ("exact_match", "== 1"),
        ("f1", ">= 0.5"),
    ]


def test_without_a_gate_every_ruled_check_must_pass_on_every_case(lab: Any) -> None:
    thresholds = lab.load().gate.thresholds
    assert [(each.check, each.aggregate, str(each.rule)) for each in thresholds] == [
        ("exact_match", "pass_rate", "== 1")
    ]


def test_the_fingerprint_follows_the_checks_and_not_the_description(lab: Any) -> None:
    before = lab.load().fingerprint
    lab.suite_file(description="another text", tags=["a"], concurrency=3)
    assert lab.load().fingerprint == before
    lab.suite_file(checks=[{"scorer": "exact_match", "options": {"ignore_case": True}}])
    assert lab.load().fingerprint != before


def test_the_schema_knows_both_forms_of_a_check() -> None:
    items = SuiteFile.model_json_schema()["properties"]["checks"]["items"]
    assert {"type": "string"} in items["anyOf"]


@pytest.mark.parametrize(
    ("changes", "message", "line"),
    [
        ({"chekcs": []}, "unknown key `chekcs`", 9),
        ({"version": 2}, "`version`", 1),
        ({"version": ...}, "`version` is missing", 1),
        ({"subject": {"prompt": "ask", "modle": "m"}}, "unknown key `subject.modle`", 4),
        ({"checks": []}, "`checks`", 6),
        ({"checks": ["exact_mach"]}, "no scorer is named `exact_mach`", 7),
        ({"checks": ["exact_match", "exact_match"]}, "two checks are named `exact_match`", 8),
        ({"checks": ["token_f1"]}, "`token_f1` asserts nothing", 7),
        ({"checks": [{"scorer": "token_f1", "pass": ">= 0"}]}, "`>= 0` always holds", 7),
        ({"checks": [{"scorer": "token_f1", "pass": ">= 80"}]}, "`>= 80` can never hold", 7),
        ({"checks": [{"scorer": "latency", "pass": ">= 0"}]}, "`>= 0` always holds", 7),
        (
            {
                "checks": ["token_f1"],
                "gate": {"metrics": [{"check": "token_f1", "mean": ">= 0"}]},
            },
            "`>= 0` always holds",
            9,
        ),
        ({"checks": [{"scorer": "token_f1", "measure_only": True}]}, "asserts nothing", 6),
        (
            {"checks": [{"scorer": "token_f1", "measure_only": True, "pass": "> 0"}]},
            "cannot have a `pass` rule",
            7,
        ),
        ({"checks": [{"scorer": "token_f1", "pass": "about 0.5"}]}, "is not a rule", 7),
        ({"checks": [{"scorer": "exact_match", "optoins": {}}]}, "unknown key", 8),
        ({"checks": [{"scorer": "contains", "options": {"ignore_cas": True}}]}, "ignore_cas", 7),
        ({"gate": {"metrics": []}}, "`gate.metrics`", 9),
        ({"gate": {"metrics": [{"check": "f1", "mean": "> 0"}]}}, "no check is named `f1`", 10),
        ({"gate": {"metrics": [{"check": "exact_match"}]}}, "needs `mean`, `pass_rate`", 10),
        (
            {"gate": {"metrics": [{"check": "exact_match", "pass_rate": ">= 0"}]}},
            "always holds",
            10,
        ),
        (
            {"gate": {"metrics": [{"check": "exact_match", "pass_rate": ">= 95"}]}},
            "can never hold",
            10,
        ),
        ({"gate": {"unjudged": 5}}, "`gate.unjudged`", 9),
        ({"repeat": 0}, "`repeat`", 8),
        ({"concurrency": 0}, "`concurrency`", 8),
        ({"sampling": {"temperature": -1}}, "`sampling.temperature`", 9),
        ({"dataset": {"path": "../../cases.jsonl"}}, "lies outside of the project", 5),
        ({"dataset": {"path": "/etc/passwd"}}, "lies outside of the project", 5),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(
    lab: Any, changes: dict[str, Any], message: str, line: int
) -> None:
    lab.suite_file(**changes)
    with pytest.raises(UsageError) as caught:
        lab.load()
    assert message in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.path == lab.suite_path
    assert caught.value.where.line is not None
    assert abs(caught.value.where.line - line) <= 1


def test_a_measured_check_that_the_gate_names_asserts_something(lab: Any) -> None:
    lab.suite_file(checks=["token_f1"], gate={"metrics": [{"check": "token_f1", "mean": ">= 0.5"}]})
    assert lab.load().checks[0].rule is None


def test_a_pass_rate_of_a_check_without_rule_is_refused(lab: Any) -> None:
    lab.suite_file(
        checks=["token_f1"], gate={"metrics": [{"check": "token_f1", "pass_rate": ">= 0.5"}]}
    )
    with pytest.raises(UsageError, match="has no pass rule"):
        lab.load()


def test_a_misspelt_key_of_a_check_gets_a_suggestion(lab: Any) -> None:
    lab.suite_file(checks=[{"scorer": "exact_match", "optoins": {}}])
    with pytest.raises(DocumentError) as caught:
        lab.load()
    assert caught.value.hint == "did you mean `options`?"


def test_broken_yaml_is_refused_with_its_line(lab: Any) -> None:
    lab.write("evals/qa.yaml", "version: 1\nchecks: [a,\n")
    with pytest.raises(DocumentError, match=r"qa\.yaml:3: not valid YAML"):
        lab.load()


def test_a_missing_suite_is_an_error_and_no_traceback(lab: Any, tmp_path: Path) -> None:
    lab.suite_path.unlink()
    with pytest.raises(DocumentError, match="no such file"):
        lab.load()
