"""junit.xml: shape, counts, stable names, and texts that XML cannot hold."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from llmops.evals.render.junit import write_junit
from llmops.evals.results import CaseResult, Report

Sample = Callable[..., Report]


def written(report: Report, folder: Path) -> ET.Element:
    write_junit(report, folder / "junit.xml")
    return ET.parse(folder / "junit.xml").getroot()


def kinds(suite: ET.Element) -> Counter[str]:
    return Counter(case[0].tag if len(case) else "passed" for case in suite.iter("testcase"))


def test_failures_errors_and_skips_are_counted_apart(sample_report: Sample, tmp_path: Path) -> None:
    root = written(sample_report(120), tmp_path)
    cases, gate = root.findall("testsuite")
    assert kinds(cases) == {"passed": 28, "failure": 86, "skipped": 2, "error": 4}
    assert kinds(gate) == {"passed": 1, "failure": 1, "error": 1}
    assert {name: cases.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "120",
        "failures": "86",
        "errors": "4",
        "skipped": "2",
    }
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("123", "87", "5")


def test_a_failed_case_says_which_check_score_and_rule(
    sample_report: Sample, tmp_path: Path
) -> None:
    root = written(sample_report(10), tmp_path)
    case = root.find(".//testcase[@name='xquad-0001']")
    assert case is not None
    assert (case.get("classname"), case.get("time")) == ("qa/xquad", "0.908")
    (failure,) = case
    assert failure.get("type") == "exact_match, f1"
    assert failure.get("message") == (
        "exact_match: 0.000 is not == 1; no reference is equal;"
        " f1: 0.478 is not >= 0.5; 10 is where `42` stands"
    )
    assert failure.text is not None
    assert "Es wurden 42 Seen in Unterfranken untersucht. 👍" in failure.text


def test_a_case_that_was_not_reached_is_an_error(sample_report: Sample, tmp_path: Path) -> None:
    root = written(sample_report(10), tmp_path)
    error = root.find(".//testcase[@name='xquad-0005']/error")
    assert error is not None
    assert (error.get("message") or "").startswith(
        "the server closed the connection after 3 attempts"
    )


def test_names_are_the_case_ids_and_tell_repeats_apart(
    sample_report: Sample, tmp_path: Path
) -> None:
    root = written(sample_report(9, repeats=2), tmp_path)
    names = [case.get("name") for case in root.findall("testsuite")[0].iter("testcase")]
    assert names[:3] == ["xquad-0000 [repeat 1]", "xquad-0000 [repeat 2]", "xquad-0001 [repeat 1]"]
    assert len(set(names)) == 18


def test_the_properties_tell_what_ran(sample_report: Sample, tmp_path: Path) -> None:
    root = written(sample_report(3), tmp_path)
    found = {each.get("name"): each.get("value") for each in root.iter("property")}
    assert found["subject.prompt_fingerprint"] == "sha256:9f2b6f4fd0e5ac1b3b7f1f0d5c2b8a6e"
    assert found["scorer.f1"] == "token_f1@1"
    assert found["verdict"] == "failed"
    assert found["subject.sampling"] == '{"temperature":0,"seed":7,"max_tokens":64}'


def test_text_that_xml_cannot_hold_is_replaced_and_the_rest_kept(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    text = 'a\x00b\x1b[31m\ud83d\uffff ]]> <evil attr="x">&amp; \t\r\n "quoted" é 🤖'
    odd: CaseResult = replace(samples.case(1), case=text, output=text, error=None)
    report = sample_report(3)
    root = written(Report(summary=report.summary, results=lambda: iter([odd])), tmp_path)
    (case,) = root.findall("testsuite")[0].iter("testcase")
    kept = 'a\ufffdb\ufffd[31m\ufffd\ufffd ]]> <evil attr="x">&amp; \t\r\n "quoted" é 🤖'
    assert case.get("name") == kept
    assert kept in (case[0].text or "")
