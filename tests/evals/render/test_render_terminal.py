"""The summary on a terminal: the same words at every width, with and without colour."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from llmops.core.errors import ExitCode
from llmops.evals.render.terminal import print_summary, summary_text
from llmops.evals.results import Decision, Report

Sample = Callable[..., Report]

FAILED = """\
✗ FAILED  qa/xquad
  exact_match: pass rate 0.259 is not >= 0.5
  120 cases; 105 calls; 15 from the cache; 31,202 tokens; cost 0.0213; 41.2 s
  qa/answer@1.2.0 on hosted_vllm/smollm2-135m

  check           mean   95 % interval  pass  fail  unscored  error  rule
✗ exact_match    0.259  0.179 to 0.338    30    86         -      4  == 1
✓ f1             0.569  0.519 to 0.618    68    48         -      4  >= 0.5
? groundedness   0.737  0.692 to 0.782   110     -         6      4  measured
  latency       805 ms   762 to 848 ms   116     -         -      4  measured

  gate
✓ f1 mean                 0.569  >= 0.3
✗ exact_match pass rate  25.9 %  >= 0.5
    pass rate 0.259 is not >= 0.5
? groundedness mean       0.737  >= 0.6
    8.3 % of the results were not judged, more than the 5 % that are tolerated

✗ first failure: xquad-0001
    score       exact_match 0.000, asked for == 1
    because     no reference is equal
    passage     Die Forschungsgruppe der Universität Würzburg untersuchte
                zwischen 1998 und 2004 die Wasserqualität von 42 Seen in
                Unterf…
    question    Wie viele Seen wurden untersucht?
    expected    ["42","42 Seen"]
    output      Es wurden 42 Seen in Unterfranken untersucht. 👍

  page    run/report.html
  cases   run/report.json
  again   llmops eval run qa/xquad --limit 120
  case    llmops eval run qa/xquad --limit 120 --select case:xquad-0001
"""


def test_a_failed_run_reads_like_this(sample_report: Sample) -> None:
    assert summary_text(sample_report(120), width=80, folder=Path("run")) == FAILED


def test_colour_adds_nothing_to_the_words(sample_report: Sample) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=False, width=80)
    print_summary(sample_report(120), console, folder=Path("run"))
    assert out.getvalue() == FAILED


def test_a_terminal_gets_colour(sample_report: Sample) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, color_system="standard")
    print_summary(sample_report(120), console)
    assert "\x1b[1;31m✗ FAILED" in out.getvalue()


def test_standard_output_that_is_no_terminal_gets_plain_text(
    sample_report: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_summary(sample_report(120), folder=Path("run"))
    assert capsys.readouterr().out == FAILED


def test_a_passed_run_is_short(sample_report: Sample) -> None:
    text = summary_text(sample_report(120, decision="passed"), width=80)
    assert text.startswith("✓ PASSED  qa/xquad\n")
    assert "first failure" not in text
    assert len(text.splitlines()) <= 18


@pytest.mark.parametrize("width", [20, 60, 72, 80, 100, 400])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_lost(
    width: int, sample_report: Sample
) -> None:
    text = summary_text(sample_report(120), width=width)
    assert max(len(line) for line in text.splitlines()) <= max(width, 77)
    for name in ("exact_match", "groundedness", "latency"):
        assert name in text


def test_a_model_cannot_steer_the_terminal(sample_report: Sample, samples: ModuleType) -> None:
    evil = replace(samples.case(1), case="\x1b]0;owned\x07", output="\x1b[2J\x9b31m\u202e [red]x")
    report = sample_report(20)
    for text in (
        summary_text(Report(summary=report.summary, results=lambda: iter([evil])), width=80),
        summary_text(sample_report(20), width=80),
    ):
        assert not any(ord(each) < 32 and each != "\n" for each in text)
        assert not set(text) & {"\x9b", "\u202e", "\x7f"}
    assert "[red]x" in summary_text(replace(report, results=lambda: iter([evil])), width=80)


def test_the_failure_shown_is_one_that_the_gate_blames(sample_report: Sample) -> None:
    report = sample_report(120)
    line = replace(report.summary.decision.lines[0], outcome="failed")
    decision = Decision(
        outcome="failed", exit_code=ExitCode.FAILED, reason="f1 is low", lines=(line,)
    )
    text = summary_text(
        replace(report, summary=replace(report.summary, decision=decision)), width=80
    )
    assert "score       f1 0.478, asked for >= 0.5" in text


def test_where_nothing_failed_the_first_error_is_shown(
    sample_report: Sample, samples: ModuleType
) -> None:
    report = sample_report(120, decision="inconclusive")
    checks = tuple(replace(check, failed=0) for check in report.summary.checks)
    summary = replace(report.summary, checks=checks)
    only = Report(summary=summary, results=lambda: iter([samples.case(5)]))
    text = summary_text(only, width=80)
    assert "! first error: xquad-0005" in text
    assert "error       the server closed the connection after 3 attempts" in text
