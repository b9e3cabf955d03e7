"""A review: decided once, and told the same in every form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.core.chat import Usage
from llmops.core.errors import ExitCode
from llmops.evals.results import Change, Report
from llmops.review.findings import as_sarif, as_workflow_commands
from llmops.review.html import as_html
from llmops.review.json import as_json
from llmops.review.markdown import LONGEST, MARKER, as_markdown
from llmops.review.results import FileState, Review, SuiteReview

MakeReview = Callable[..., Review]
NASTY = "</details><script>x</script> @octocat #1 [a](http://b) | `c` \x1b[2J\n\n# heading"


def said(html: str) -> str:
    html = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_the_comment_tells_what_changed_then_what_it_did_then_how_to_run_it(
    review: MakeReview,
) -> None:
    text = as_markdown(review())
    assert text.startswith(
        f"{MARKER}\n## ❌ Review: failed\n\n"
        "`main (1a2b3c4)` → `working tree`: worse or failed: `qa/xquad`\n"
    )
    places = [
        text.index(each)
        for each in (
            "Ran 37 of 412 cases: those that the change touches, in 1 of 9 suites.",
            "| `qa/answer` | 1.0.0 → 1.1.0 | **behaviour (minor)** | - |",
            "| `guardrails/default.yaml` | policy | added |",
            "### ❌ `qa/xquad`",
            "ran 37 of 120 cases, 3 times each",
            "- **✗ regression** `exact_match` pass rate 61.2 % → 49.1 %",
            "**✗ 17 cases newly failing, the first 5**",
            "<details><summary>What changed in the prompts</summary>",
            "<ins><b>, answer briefly</b></ins>",
            "```sh\nllmops review --base main\n```",
        )
    ]
    assert places == sorted(places)


def test_the_page_holds_all_of_the_comment(review: MakeReview) -> None:
    told = said(as_html(review()))
    for each in (
        "✗ Review: failed",
        "Ran 37 of 412 cases: those that the change touches, in 1 of 9 suites.",
        "qa/answer behaviour (minor) 1.0.0 → 1.1.0",
        "guardrails/default.yaml policy added",
        "exact_match pass rate 61.2 % → 49.1 %",
        "17 cases newly failing",
        "llmops review --base main",
    ):
        assert each in told


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Change.REGRESSION, ExitCode.FAILED),
        (Change.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (Change.ERROR, ExitCode.INCONCLUSIVE),
        (Change.SAME, ExitCode.PASSED),
        (Change.BETTER, ExitCode.PASSED),
    ],
)
def test_the_verdict_of_a_suite_is_that_of_the_review(
    review: MakeReview, verdict: Change, code: ExitCode
) -> None:
    assert review(verdict).exit_code == code


def test_a_regression_weighs_more_than_a_suite_that_could_not_run(review: MakeReview) -> None:
    bad = review()
    down = SuiteReview(name="down", path=Path("evals/down.yaml"), error="no model at :8000")
    both = replace(bad, suites=(down, *bad.suites))
    assert both.exit_code == ExitCode.FAILED
    assert replace(both, suites=(down,)).exit_code == ExitCode.INCONCLUSIVE
    text = as_markdown(both)
    assert text.index("### ❌ `qa/xquad`") < text.index("### ⚠️ `down`")
    assert "no model at" in text


def test_a_change_of_nothing_is_told_in_a_few_lines(review: MakeReview) -> None:
    nothing = review(prompts=None, files=(), suites=(), cases_total=None)
    text = as_markdown(nothing)
    assert nothing.exit_code == ExitCode.PASSED
    assert len(text) < 300
    assert "nothing changed that a prompt or a suite is made of" in text
    assert "nothing changed" in said(as_html(nothing))


def test_without_a_run_the_touched_suites_are_named_and_nothing_is_judged(
    review: MakeReview,
) -> None:
    full = review()
    planned = replace(full.suites[0], report=None, run=None)
    looked = replace(full, suites=(planned,), ran=False)
    assert looked.exit_code == ExitCode.PASSED
    text = as_markdown(looked)
    assert "The change touches 1 of 9 suites." in text
    assert "touched by prompt qa/answer" in text
    assert "✅" not in text


def test_a_new_suite_is_judged_by_its_gate_alone(review: MakeReview, bare_report: Report) -> None:
    full = review()
    new = replace(full.suites[0], report=bare_report, state=FileState.ADDED)
    found = replace(full, suites=(new,))
    assert found.exit_code == bare_report.summary.decision.exit_code == ExitCode.FAILED
    text = as_markdown(found)
    assert "- ✗ gate `exact_match` `>= 0.5`: pass rate 0.259 is not" in text
    assert "| Metric |" not in text
    (result,) = as_sarif(found)["runs"][0]["results"]
    assert result["ruleId"] == "eval-gate"


def test_sarif_blames_the_changed_line_of_the_prompt(review: MakeReview) -> None:
    (result,) = as_sarif(review())["runs"][0]["results"]
    assert result["ruleId"] == "eval-regression"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "prompts/qa/answer.prompty"
    assert place["region"]["startLine"] == 14
    assert "61.2 % → 49.1 %" in result["message"]["text"]


def test_a_finding_keeps_its_fingerprint_when_its_numbers_move(review: MakeReview) -> None:
    first = review()
    report = first.suites[0].report
    assert report is not None
    assert report.comparison is not None
    moved = tuple(
        replace(each, newly_failing=each.newly_failing + 3) for each in report.comparison.metrics
    )
    again = replace(
        first,
        suites=(
            replace(
                first.suites[0],
                report=replace(report, comparison=replace(report.comparison, metrics=moved)),
            ),
        ),
    )
    one, other = (as_sarif(each)["runs"][0]["results"][0] for each in (first, again))
    assert one["message"] != other["message"]
    assert one["partialFingerprints"] == other["partialFingerprints"]


def test_where_no_prompt_changed_the_suite_itself_is_pointed_at(review: MakeReview) -> None:
    (result,) = as_sarif(review(prompts=None))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "evals/qa/xquad.yaml"


def test_at_most_ten_annotations_of_a_level_are_printed(review: MakeReview) -> None:
    full = review()
    many = tuple(replace(full.suites[0], name=f"suite {n}: 100%, yes\nno") for n in range(30))
    text = as_workflow_commands(replace(full, suites=many))
    assert text.count("::error ") == 10
    assert len(text.splitlines()) == 10
    assert "suite 0: 100%25, yes%0Ano" in text
    assert "file=prompts/qa/answer.prompty,line=14,title=eval-regression::" in text


def test_json_has_every_number_and_no_case(review: MakeReview) -> None:
    data = json.loads(json.dumps(as_json(review())))
    assert data["schema"] == "llmops.review/1"
    assert (data["outcome"], data["exit_code"]) == ("failed", 1)
    (suite,) = data["suites"]
    assert (suite["cases_run"], suite["cases_total"]) == (37, 120)
    metric = next(each for each in suite["comparison"]["metrics"] if each["check"] == "exact_match")
    assert metric["verdict"] == "regression"
    assert metric["difference"] == {"value": -0.121, "low": -0.187, "high": -0.054}
    assert suite["comparison"]["turns"] == {"newly failing": 17}


def test_judges_are_told_with_what_is_known_of_them(
    review: MakeReview, bare_report: Report
) -> None:
    checks = list(bare_report.summary.checks)
    checks[0] = replace(
        checks[0],
        details={"mass": 0.98, "unparsed": 0.0},
        usage=Usage(input_tokens=900, output_tokens=20),
        calibration={
            "name": "exact",
            "cases": 120,
            "requires": {"kappa": ">= 0.6"},
            "figures": {"kappa": [0.71, 0.6, 0.8], "alpha": None},
        },
    )
    report = replace(bare_report, summary=replace(bare_report.summary, checks=tuple(checks)))
    full = review()
    judged = replace(full, suites=(replace(full.suites[0], report=report),))
    told = as_markdown(judged)
    assert (
        "judge `exact_match`: kappa 0.71 (0.60 to 0.80) against people, 120 cases; 98.0 % of"
        in told
    )
    assert "judge `f1`" not in told
    assert "kappa 0.71 (0.60 to 0.80) against people" in said(as_html(judged))
    ((judge,),) = (each["judges"] for each in as_json(judged)["suites"])
    assert judge["check"] == "exact_match"


def test_a_comment_of_very_much_fits_and_keeps_verdicts_before_cases(
    review: MakeReview,
) -> None:
    full = review()
    many = tuple(replace(full.suites[0], name=f"suite-{n:03}") for n in range(60))
    assert full.prompts is not None
    prompts = replace(full.prompts, prompts=full.prompts.prompts * 300)
    text = as_markdown(replace(full, suites=many, prompts=prompts, files=full.files * 900))
    assert len(text) <= LONGEST
    assert text.count("### ❌") == 60
    assert text.endswith("```sh\nllmops review --base main\n```\n\n")
    assert text.count("<details") == text.count("</details>")


def test_nothing_foreign_comes_alive_in_a_comment_or_on_a_page(review: MakeReview) -> None:
    full = review()
    evil = replace(
        full,
        base=NASTY,
        command=NASTY,
        notes=(NASTY,),
        suites=(replace(full.suites[0], name=NASTY, reasons=(NASTY,), error=NASTY, report=None),),
    )
    text = as_markdown(evil)
    bare = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    bare = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", bare)
    for each in ("<script", "@octocat", "](http", "\n# heading", "#1 "):
        assert each not in bare
    assert "\x1b" not in text
    page = as_html(evil)
    assert page.count("<script") == 1
    assert "\x1b" not in page


def test_the_page_asks_for_nothing_from_outside(review: MakeReview) -> None:
    page = as_html(review())
    addresses = re.findall(r'\b(?:src|href|action|srcset)="([^"]*)"', page)
    assert all(each.startswith(("#", "data:image/svg+xml,")) for each in addresses)
    assert "Content-Security-Policy" in page
