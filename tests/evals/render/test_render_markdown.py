"""report.md: short enough for a comment, and nothing in it that a model could make live."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from llmops.evals.render.markdown import write_markdown
from llmops.evals.render.markdown_text import LONGEST, code, fenced, html
from llmops.evals.results import Report

Sample = Callable[..., Report]

HEAD = """\
## ❌ Failed: `qa/xquad`

`exact_match: pass rate 0.259 is not >= 0.5`

120 results: ✓ 28 passed, ✗ 86 failed, ○ 2 unscored, ! 4 error · 105 calls, 15 from the cache \
· 31,202 tokens · cost 0.0213 · 41.2 s

| Check | Mean | 95 % interval | Pass rate | Passed | Failed | Unscored | Errors | Rule |
|:--|--:|:--:|--:|--:|--:|--:|--:|:--|
| `exact_match` | 0.259 | 0.179 to 0.338 | 25.9 % | 30 | 86 | 0 | 4 | `== 1` |
| `f1` | 0.569 | 0.519 to 0.618 | 58.6 % | 68 | 48 | 0 | 4 | `>= 0.5` |
| `groundedness` | 0.737 | 0.692 to 0.782 | - | 110 | 0 | 6 | 4 | measured |
| `latency` | 805 ms | 762 to 848 ms | - | 116 | 0 | 0 | 4 | measured |

| Gate | Value | Asked for | Outcome |
|:--|--:|:--|:--|
| `f1` mean | 0.569 | `>= 0.3` | ✓ passed |
| `exact_match` pass rate | 25.9 % | `>= 0.5` | ✗ failed: `pass rate 0.259 is not >= 0.5` |
| `groundedness` mean | 0.737 | `>= 0.6` | ? inconclusive: `8.3 % of the results were not judged, \
more than the 5 % that are tolerated` |

### 90 cases failed or broke; the worst 10:

"""


def written(report: Report, folder: Path) -> str:
    write_markdown(report, folder / "report.md")
    return (folder / "report.md").read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """What Markdown would still act on: the text less its code blocks and code spans."""
    text = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)


def test_the_verdict_comes_first_then_checks_gate_and_the_worst_cases(
    sample_report: Sample, tmp_path: Path
) -> None:
    text = written(sample_report(120), tmp_path)
    assert text.startswith(HEAD)
    assert text.count("<details>") == text.count("</details>") == 10
    assert text.endswith("```sh\nllmops eval run qa/xquad --limit 120\n```\n\n")


def test_the_worst_cases_are_those_furthest_from_their_rules(
    sample_report: Sample, tmp_path: Path
) -> None:
    text = written(sample_report(120), tmp_path)
    scores = [float(found) for found in re.findall(r"`f1` ([\d.]+), asked", text)]
    assert scores == sorted(scores)
    assert len(scores) == 10


def test_a_passed_run_shows_no_case(sample_report: Sample, tmp_path: Path) -> None:
    report = sample_report(120, decision="passed")
    good = [case for case in report.results() if case.outcome == "passed"]
    text = written(replace(report, results=lambda: iter(good)), tmp_path)
    assert text.startswith("## ✅ Passed: `qa/xquad`")
    assert "<details>" not in text


def test_nothing_from_a_case_stands_outside_of_code(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    nasty = samples.NASTY
    evil = replace(
        samples.case(1),
        case=nasty,
        inputs={nasty: nasty},
        expected=nasty,
        output=f"{nasty}\n```\n</details>\n# heading\n````\n| a |\n~~~\n",
        error=nasty,
    )
    report = sample_report(3)
    checks = tuple(replace(check, name=nasty) for check in report.summary.checks)
    decision = replace(
        report.summary.decision,
        reason=nasty,
        lines=tuple(
            replace(line, check=nasty, reason=nasty) for line in report.summary.decision.lines
        ),
    )
    summary = replace(
        report.summary, suite=nasty, checks=checks, decision=decision, command=nasty, run=nasty
    )
    text = written(Report(summary=summary, results=lambda: iter([evil])), tmp_path)
    active = without_code(text)
    for each in ("<script", "<img", "@octocat", "](http", "# heading", "https://", "#1 "):
        assert each not in active
    assert text.count("</details>") == 2  # ours, and the one within a block of code
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows if "Gate" not in row}
    assert bars <= {10, 5, 2}  # checks, gate, and the row within the block of code


@pytest.mark.parametrize("text", ["", " ", "`", "``a`", "a|b", "x" * 900, "\n\n", "a\x00b"])
def test_inline_code_is_one_whole_span(text: str) -> None:
    shown = code(text)
    assert without_code(shown) == ""
    assert "\n" not in shown


def test_a_block_of_code_cannot_be_ended_from_within() -> None:
    assert fenced("a\n````\nb") == "\n`````text\na\n````\nb\n`````\n\n"


def test_a_name_in_html_mentions_nobody() -> None:
    shown = html("@octocat #12 <b> _x_ https://example.com www.example.com GH-7", 200)
    assert "<b>" not in shown
    for link in ("@octocat", "&#64;octocat", "#12", "://", "www.example", "GH-7"):
        assert link not in shown


def test_a_report_of_long_texts_and_many_checks_fits_into_a_comment(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    long = [
        replace(
            samples.case(1),
            case=f"{index}" * 300,
            inputs={f"input {key}": "word " * 90_000 for key in range(9)},
            output="`" * 90_000,
        )
        for index in range(30)
    ]
    report = sample_report(3)
    checks = tuple(
        replace(report.summary.checks[0], name=f"check {index} " + "n" * 300)
        for index in range(400)
    )
    summary = replace(report.summary, checks=checks, command="c" * 90_000)
    text = written(Report(summary=summary, results=lambda: iter(long)), tmp_path)
    assert len(text) <= LONGEST
    assert "… and 300 checks more" in text
    assert text.count("<details>") == text.count("</details>") > 0


def test_no_control_character_reaches_the_file(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    controls = "".join(map(chr, range(32))) + "\x7f\x85\x9b31m\x1b]8;;https://example.com\x1b\\"
    evil = replace(
        samples.case(1),
        case=controls,
        inputs={controls: controls},
        expected=controls,
        output=controls,
        error=controls,
        verdicts=tuple(
            replace(each, check=controls, score=replace(each.score, rationale=controls))
            for each in samples.case(1).verdicts
        ),
    )
    was = sample_report(3).summary
    summary = replace(
        was,
        suite=controls,
        run=controls,
        command=controls,
        subject={"prompt": controls, "model": controls},
        checks=tuple(
            replace(each, name=controls, rule=controls, unit=controls) for each in was.checks
        ),
        decision=replace(
            was.decision,
            reason=controls,
            lines=tuple(
                replace(each, check=controls, rule=controls, reason=controls)
                for each in was.decision.lines
            ),
        ),
    )
    text = written(Report(summary=summary, results=lambda: iter([evil])), tmp_path)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
