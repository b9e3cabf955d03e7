"""All formats together: one pass, whole files, nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.core.errors import NotFound
from llmops.evals.render import FILENAMES, write_each, write_report, write_reports
from llmops.evals.render.terminal import summary_text
from llmops.evals.results import CaseResult, Report

Sample = Callable[..., Report]


def test_a_folder_gets_every_format_from_one_pass_over_the_cases(
    sample_report: Sample, tmp_path: Path
) -> None:
    report = sample_report(12)
    passes = []

    def counted() -> Iterator[CaseResult]:
        passes.append(1)
        return report.results()

    write_reports(replace(report, results=counted), tmp_path / "run")

    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(FILENAMES.values())
    assert len(passes) == 1


@pytest.mark.parametrize("name", FILENAMES)
def test_a_format_alone_is_the_same_as_among_the_others(
    name: str, sample_report: Sample, tmp_path: Path
) -> None:
    report = sample_report(40, repeats=2)
    write_reports(report, tmp_path / "all")
    write_report(report, name, tmp_path / "alone")
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "all" / FILENAMES[name]).read_bytes()


def test_a_report_that_breaks_off_leaves_the_old_files_and_no_others(
    sample_report: Sample, tmp_path: Path
) -> None:
    report = sample_report(5)
    write_reports(report, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken() -> Iterator[CaseResult]:
        yield from report.results()
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_reports(replace(report, results=broken), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_unknown_format_is_named_with_the_nearest(sample_report: Sample, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as found:
        write_each(sample_report(1), {"htlm": tmp_path / "x"})
    assert found.value.hint == "did you mean `html`?"
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_case_can_be_reported_in_every_format(
    sample_report: Sample, tmp_path: Path
) -> None:
    report = sample_report(3)
    empty = Report(
        summary=replace(report.summary, cases=0, calls=0, cached=0, seconds=0.0, checks=()),
        results=lambda: iter(()),
    )
    write_reports(empty, tmp_path)
    assert len(list(tmp_path.iterdir())) == len(FILENAMES)
    assert "0 cases" in summary_text(empty, width=80)


def test_writing_reports_loads_neither_rich_nor_pydantic() -> None:
    code = (
        "import sys\n"
        "from llmops.evals.render import open_writer, FILENAMES, terminal\n"
        "[open_writer(name) for name in FILENAMES]\n"
        "print({'rich', 'pydantic', 'jinja2', 'yaml', 'jsonschema', 'numpy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
