"""What the page shows besides checks and cases: slices, score against latency, the base."""

from __future__ import annotations

import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from llmops.evals.render import write_reports
from llmops.evals.render.html import write_html
from llmops.evals.render.scatter import MOST_POINTS, Scatter
from llmops.evals.render.slice_parts import slices
from llmops.evals.results import CaseResult, Estimate, Report, SliceGap, SliceSummary

Sample = Callable[..., Report]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def sliced(report: Report, values: dict[str, float], *, check: str = "f1") -> Report:
    """The report with the pass rate of a check in every value of `language`."""
    found = tuple(
        SliceSummary(
            slice="language",
            value=value,
            check=check,
            cases=40,
            results=40,
            unjudged=2,
            mean=Estimate(value=rate, low=rate - 0.1, high=rate + 0.1),
            pass_rate=Estimate(value=rate, low=rate - 0.1, high=rate + 0.1),
        )
        for value, rate in values.items()
    )
    gap = SliceGap(
        slice="language",
        check=check,
        aggregate="pass_rate",
        paired=False,
        highest=max(values, key=values.__getitem__),
        lowest=min(values, key=values.__getitem__),
        difference=Estimate(value=0.28, low=0.1, high=0.4),
        method="bootstrap",
    )
    return replace(report, summary=replace(report.summary, slices=found, gaps=(gap,)))


def said(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_slices_are_drawn_from_the_worst_to_the_best_with_their_gap(
    sample_report: Sample,
) -> None:
    report = sliced(sample_report(8), {"de": 0.5, "en": 0.61, "zh": 0.33})
    told = said(slices(report.summary))
    assert told == (
        "By slice f1 pass rate by language"
        " zh 33.0 % 40 cases, 2 unjudged de 50.0 % 40 cases, 2 unjudged"
        " en 61.0 % 40 cases, 2 unjudged"
        " gap 28.0 points (95 %: 10.0 to 40.0 points): en over zh"
    )


def test_a_report_without_slices_has_no_such_part(sample_report: Sample, tmp_path: Path) -> None:
    write_html(sample_report(8), tmp_path / "r.html")
    assert "By slice" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_very_many_slices_are_counted_and_not_all_drawn(sample_report: Sample) -> None:
    report = sliced(sample_report(8), {f"value {n}": n / 1000 for n in range(1000)})
    html = slices(report.summary)
    assert html.count("value-name") == 40
    assert "… and 960 values more" in html


def test_a_point_for_every_answer_and_a_colour_for_every_outcome(sample_report: Sample) -> None:
    report = sample_report(120)
    scatter = Scatter(report.summary.checks)
    results = list(report.results())
    for each in results:
        scatter.add(each)
    html = scatter.html()
    f1 = next(part for part in html.split("<figure") if "<h3>f1</h3>" in part)
    paths = dict(re.findall(r'<path class="(\w+)" d="([^"]*)"', f1))
    verdicts = [
        (verdict.outcome, each.latency)
        for each in results
        for verdict in each.verdicts
        if verdict.check == "f1" and verdict.score.value is not None and each.latency is not None
    ]
    for side in ("passed", "failed"):
        assert paths[side].count("M") == sum(outcome == side for outcome, _ in verdicts)
    # Time against time says nothing.
    assert "<h3>latency</h3>" not in html


def test_beyond_two_thousand_answers_are_counted_in_cells(sample_report: Sample) -> None:
    report = sample_report(MOST_POINTS + 500)
    scatter = Scatter(report.summary.checks)
    for each in report.results():
        scatter.add(each)
    html = scatter.html()
    f1 = next(part for part in html.split("<figure") if "<h3>f1</h3>" in part)
    assert "<path" not in f1
    counts = [int(each.replace(",", "")) for each in re.findall(r"<title>([\d,]+) answer", f1)]
    judged = [
        each
        for each in report.results()
        if each.latency is not None and any(v.check == "f1" for v in each.verdicts)
    ]
    assert sum(counts) == len(judged)
    assert len(html) < 500_000


def test_one_slow_answer_does_not_squeeze_all_others(sample_report: Sample) -> None:
    report = sample_report(50)
    scatter = Scatter(report.summary.checks)
    for index, each in enumerate(report.results()):
        scatter.add(replace(each, latency=90.0) if index == 7 else each)
    assert "time, logarithmic" in scatter.html()


def test_the_page_holds_the_comparison_with_the_base(
    sample_report: Sample, compared: ModuleType, tmp_path: Path
) -> None:
    report = replace(sample_report(20), comparison=compared.sample_comparison())
    write_html(report, tmp_path / "r.html")
    told = said((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Against main (1a2b3c4)" in told
    assert "17 cases newly failing" in told


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_table_of_cases_works_beside_the_table_of_metrics(
    sample_report: Sample, compared: ModuleType, tmp_path: Path
) -> None:
    report = replace(sample_report(20, hostile=False), comparison=compared.sample_comparison())
    page = tmp_path / "r.html"
    write_html(report, page)
    command = [
        str(CHROMIUM),
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--dump-dom"),
        *(f"--user-data-dir={tmp_path / 'p'}", "--virtual-time-budget=2000", page.as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    metrics, _, explorer = dom.partition('id="explorer"')
    assert len(re.findall(r'<tr class="row', explorer)) == 20
    assert metrics.count('<svg class="forest"') == 10
    assert '<tr class="row' not in metrics


def test_writing_all_reports_of_a_hundred_thousand_cases_takes_bounded_memory(
    sample_report: Sample, tmp_path: Path
) -> None:
    def peak(count: int) -> int:
        few = list(sample_report(40, hostile=False).results())[:16]

        def results() -> Iterator[CaseResult]:
            for index in range(count):
                yield few[index % len(few)]

        report = replace(sample_report(40), results=results)
        tracemalloc.start()
        write_reports(report, tmp_path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # Numbers are kept for the plots, texts are not: 40 bytes a case, where a text has hundreds.
    grown = peak(6_000) - peak(2_000)
    assert grown / 4_000 < 200
