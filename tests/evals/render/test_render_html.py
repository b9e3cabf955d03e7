"""report.html: one file, nothing from outside, nothing in a case that could come alive."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llmops.evals.render import html as html_module
from llmops.evals.render.html import write_html
from llmops.evals.results import Report

Sample = Callable[..., Report]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Page(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: dict[str, str] = {}
        self.words: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        kept = tag in ("script", "style") or (tag == "title" and "title" not in self.blocks)
        self._within = (found.get("id") or tag) if kept else ""

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.blocks[self._within] = self.blocks.get(self._within, "") + data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.blocks["records"])
        return found


def written(report: Report, folder: Path) -> str:
    write_html(report, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def hostile(report: Report, samples: ModuleType, nasty: str) -> Report:
    """The report with markup in every text that a suite, a dataset, a model or a scorer brings."""
    verdicts = tuple(
        replace(each, check=nasty, score=replace(each.score, rationale=nasty, spans=((0, 9),)))
        for each in samples.case(1).verdicts[:1]
    )
    evil = replace(
        samples.case(1),
        case=nasty,
        inputs={nasty: nasty, "nested": {nasty: [nasty]}},
        expected=[nasty],
        contexts=(nasty + "!",),
        tags=(nasty,),
        output=nasty,
        error=nasty,
        finish_reason=nasty,
        verdicts=verdicts,
    )
    was = report.summary
    summary = replace(
        was,
        suite=nasty,
        description=nasty,
        run=nasty,
        started=nasty,
        command=nasty,
        subject={nasty: nasty, "prompt": nasty, "model": {nasty: nasty}},
        dataset={"path": nasty},
        environment={"python": nasty},
        made_from={nasty: nasty},
        checks=tuple(
            replace(check, name=nasty, scorer=nasty, version=nasty, unit=nasty)
            for check in was.checks[:1]
        ),
        decision=replace(
            was.decision,
            reason=nasty,
            lines=tuple(
                replace(line, check=nasty, reason=nasty, rule=nasty) for line in was.decision.lines
            ),
        ),
    )
    return Report(summary=summary, results=lambda: iter([evil]))


def test_the_page_asks_for_nothing_from_outside(sample_report: Sample, tmp_path: Path) -> None:
    text = written(sample_report(30, hostile=False), tmp_path)
    page = Page(text)
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "poster", "data") and value
    ]
    assert all(value.startswith(("#", "data:image/svg+xml,")) for value in addresses)
    assert "url(" not in page.blocks["style"]
    assert "@import" not in page.blocks["style"]
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import)\s*\(", page.blocks["script"])


def test_the_policy_allows_exactly_the_two_blocks_of_the_page(
    sample_report: Sample, tmp_path: Path
) -> None:
    page = Page(written(sample_report(3), tmp_path))
    (policy,) = (
        each["content"]
        for each in page.all("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    )

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest(page.blocks['script'])}';"
        f" style-src 'sha256-{digest(page.blocks['style'])}'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    # What a hash does not cover, and the policy therefore forbids.
    assert not any(
        name == "style" or name.startswith("on")
        for _, attributes in page.elements
        for name in attributes
    )


def test_the_script_never_makes_html_of_text() -> None:
    script = Path(html_module.__file__).with_name("page.js").read_text(encoding="utf-8")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", ".src"):
        assert way not in script


def test_nothing_in_a_report_becomes_an_element(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    report = sample_report(3)
    page = Page(written(hostile(report, samples, samples.NASTY), tmp_path))
    assert [each.get("id") for each in page.all("script")] == ["records", "facts", None]
    assert page.all("img") == []
    (record,) = page.records()
    assert record["output"] == samples.NASTY
    assert "<img src=x onerror=window.pwned=1>" in "".join(page.words)


def test_the_records_are_those_of_the_json_report(sample_report: Sample, tmp_path: Path) -> None:
    from llmops.evals.render.json import write_json

    report = sample_report(15)
    write_json(report, tmp_path / "report.json")
    data = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert Page(written(report, tmp_path)).records() == data["results"]


def test_the_page_says_the_verdict_and_the_numbers_without_a_script(
    sample_report: Sample, tmp_path: Path
) -> None:
    page = Page(written(sample_report(120), tmp_path))
    words = " ".join(" ".join(page.words).split())
    assert page.blocks["title"] == "✗ qa/xquad: failed"
    for said in (
        "Failed qa/xquad exact_match: pass rate 0.259 is not >= 0.5",
        "28 passed ✗ 86 failed ○ 2 unscored ! 4 errors",
        "Model calls 105",
        "mean 0.569 95 %: 0.519 to 0.618 gate >= 0.3",
        "llmops eval run qa/xquad --limit 120",
        "The table of cases needs JavaScript.",
    ):
        assert said in words


def test_a_page_that_would_grow_too_large_keeps_what_did_not_pass(
    sample_report: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html_module, "LARGEST", 120_000)
    report = sample_report(400, hostile=False)
    kept = [case for case in report.results() if case.case != "xquad-0017"]
    passed = [case for case in kept if case.outcome == "passed"]
    failed = [case for case in kept if case.outcome != "passed"][:30]
    many = replace(report, results=lambda: iter([*passed, *failed]))
    page = Page(written(many, tmp_path))
    shown = page.records()
    assert [each["case"] for each in shown if each["outcome"] != "passed"] == [
        case.case for case in failed
    ]
    told = re.search(r"This page holds (\d+) of (\d+) results", " ".join(page.words))
    assert told is not None
    assert (int(told[1]), int(told[2])) == (len(shown), len(passed) + 30)
    assert len(shown) < len(passed) + 30


def test_a_very_long_text_is_cut_in_the_page_only(sample_report: Sample, tmp_path: Path) -> None:
    (record,) = (
        each
        for each in Page(written(sample_report(20), tmp_path)).records()
        if each["case"] == "xquad-0017"
    )
    assert len(record["output"]) < 21_000
    assert record["output"].endswith("… 20,000 more in report.json")


def dumped(page: Path, profile: Path, fragment: str = "") -> str:
    """The page's elements as a browser has them after its script ran."""
    command = [
        str(CHROMIUM),
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--dump-dom"),
        *(f"--user-data-dir={profile}", "--virtual-time-budget=3000"),
        page.as_uri() + fragment,
    ]
    ran = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return ran.stdout.decode("utf-8")


def acting(page: Path, actions: str) -> None:
    """Let the page act on itself, as a person would."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"script-src '[^']+'", "script-src 'unsafe-inline'", text)
    page.write_text(text.replace("</body>", f"<script>{actions}</script></body>"), encoding="utf-8")


def names(dom: str) -> list[str]:
    return re.findall(r'<tr class="row[^>]* id="case-([^"]+)"', dom)


@browser
def test_a_browser_shows_the_first_cases_and_opens_the_one_that_is_linked(
    sample_report: Sample, tmp_path: Path
) -> None:
    written(sample_report(260, hostile=False), tmp_path)
    page = tmp_path / "report.html"
    dom = dumped(page, tmp_path / "p", "#case-xquad-0201")
    assert len(names(dom)) >= 202
    (detail,) = re.findall(r'<tr class="detail.*?</tr>', dom, flags=re.DOTALL)
    assert 'aria-expanded="true"' in dom
    assert re.search(r"<mark[^>]*f1[^>]*>42</mark>", detail)


@browser
def test_spans_count_characters_beyond_the_basic_plane_once(
    sample_report: Sample, tmp_path: Path
) -> None:
    written(sample_report(8, hostile=False), tmp_path)
    dom = dumped(tmp_path / "report.html", tmp_path / "p", "#case-xquad-0002")
    marks = re.findall(r'<mark title="([^"]*)"[^>]*>([^<]*)</mark>', dom)
    assert ("f1, groundedness", "6587平方公里") in marks


@browser
def test_searching_filtering_and_sorting_leave_the_cases_asked_for(
    sample_report: Sample, tmp_path: Path
) -> None:
    written(sample_report(120, hostile=False), tmp_path)
    acting(
        tmp_path / "report.html",
        """
        const search = document.getElementById("search");
        search.value = "WARSAW razed";
        search.dispatchEvent(new Event("input"));
        setTimeout(() => {
          document.querySelector("[data-outcome=failed]").click();
          document.querySelector("th[data-key='check:f1'] button").click();
        }, 500);
        """,
    )
    dom = dumped(tmp_path / "report.html", tmp_path / "p")
    cases = {
        each.case: each
        for each in sample_report(120, hostile=False).results()
        if "Warsaw" in each.inputs["passage"] and each.outcome == "failed"
    }
    wanted = sorted(cases.values(), key=lambda each: each.verdicts[1].score.value or 0)
    assert names(dom) == [each.case for each in wanted]
    assert re.search(r'<th[^>]*data-key="check:f1"[^>]*aria-sort="ascending"', dom)
    assert f"{len(wanted)} of 120 results" in dom


@browser
def test_a_browser_runs_nothing_of_a_hostile_report(
    sample_report: Sample, samples: ModuleType, tmp_path: Path
) -> None:
    written(hostile(sample_report(3), samples, samples.NASTY), tmp_path)
    # The body is cleared, since `--dump-dom` gives up over half a surrogate pair.
    acting(
        tmp_path / "report.html",
        """
        document.querySelector("tr.row button").click();
        setTimeout(() => {
          document.title = `${window.pwned} ${document.images.length}`
            + ` ${document.scripts.length} ${document.querySelectorAll("mark").length}`;
          document.body.replaceChildren();
        }, 500);
        """,
    )
    dom = dumped(tmp_path / "report.html", tmp_path / "p")
    assert "<title>undefined 0 4 1</title>" in dom  # our three scripts and this test's
