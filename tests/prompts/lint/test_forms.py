"""The forms in which findings leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from llmops.core.errors import Where
from llmops.prompts.lint import Finding, Level, LintConfig
from llmops.prompts.lint.annotations import as_annotations
from llmops.prompts.lint.findings import RULES, found
from llmops.prompts.lint.sarif import sarif
from llmops.prompts.lint.text import lines_of, summary

ROOT = Path("/repo")


def finding(rule: str = "secret", line: int | None = 3, path: str = "prompts/a.prompty") -> Finding:
    return found(rule, "a token is in the text", Where(ROOT / path, line), hint="take it out")


def test_sarif_names_rule_level_place_and_prompt() -> None:
    log = sarif([finding(), finding("unused-input", None, "prompts/ü b.prompty")], ROOT)
    assert json.loads(json.dumps(log)) == log
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    first, second = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "secret"
    assert (first["level"], second["level"]) == ("error", "warning")
    assert first["message"]["text"] == "a token is in the text. take it out."
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "prompts/a.prompty"},
                "region": {"startLine": 3},
            }
        }
    ]
    assert second["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "prompts/%C3%BC%20b.prompty"}}}
    ]


def test_a_file_whose_name_is_not_utf_8_is_shown_by_its_bytes() -> None:
    odd = finding(path="prompts/caf\udce9.prompty")
    none = finding(path="prompts/\ud800.prompty")
    log = sarif([odd, none], ROOT)
    shown = [each["locations"][0]["physicalLocation"] for each in log["runs"][0]["results"]]
    assert [each["artifactLocation"]["uri"] for each in shown] == [
        "prompts/caf%E9.prompty",
        "prompts/%ED%A0%80.prompty",
    ]
    assert json.dumps(log).isascii()


def test_a_fingerprint_stays_when_lines_move_and_tells_twins_apart() -> None:
    def prints(*findings: Finding) -> list[str]:
        results = sarif(findings, ROOT)["runs"][0]["results"]
        return [each["partialFingerprints"]["llmopsLint/v1"] for each in results]

    here, there = prints(finding(line=3)), prints(finding(line=30))
    assert here == there
    twins = prints(finding(line=3), finding(line=5))
    assert twins[0] == here[0] != twins[1]
    others = (finding("broken"), finding(path="prompts/b.prompty"))
    assert len({*here, *prints(*others)}) == 3


def test_annotations_are_escaped_and_the_worst_comes_first() -> None:
    odd = found("unused-input", "100% of a,b:c\nd\re", Where(ROOT / "a,b:50%.prompty", 2))
    note = found("secret", "n", Where(ROOT / "n", None), level=Level.NOTE)
    assert as_annotations([note, odd, finding()], ROOT).splitlines() == [
        "::error file=prompts/a.prompty,line=3,title=secret::a token is in the text%0Atake it out",
        "::warning file=a%2Cb%3A50%25.prompty,line=2,title=unused-input::100%25 of a,b:c%0Ad%0De",
        "::notice file=n,line=1,title=secret::n",
    ]


def test_text_begins_with_a_place_that_can_be_followed() -> None:
    assert list(lines_of([finding()], ROOT)) == [
        "prompts/a.prompty:3: error secret: a token is in the text",
        "  take it out",
    ]
    elsewhere = finding(line=None)
    assert next(lines_of([elsewhere], ROOT / "docs")).startswith("/repo/prompts/a.prompty: error")


def test_the_summary_counts_by_level() -> None:
    findings = [finding(), finding(), finding("unused-input")]
    assert summary(findings, 1500) == "2 errors, 1 warning in 1,500 prompts"


def test_an_unknown_rule_in_the_configuration_suggests_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean `unused-input`"):
        LintConfig(rules={"unused-inputs": "off"})
