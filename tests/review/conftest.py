"""Reviews as `review_project` makes them, of comparisons that nothing was run for."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llmops.core.errors import ExitCode
from llmops.evals.results import Change, Decision, Report, Turn
from llmops.prompts.comparison.diff import compare
from llmops.prompts.comparison.selection import Comparison
from llmops.prompts.prompt import parse_prompt
from llmops.review.results import ChangedFile, FileKind, FileState, Review, SuiteReview

PROMPT = """\
---
description: Answers from a passage.
metadata:
  version: {version}
inputs:
  - name: question
    kind: string
    description: What is asked.
---
system:
Answer in one sentence.

user:
{text}: {{{{ question }}}}
"""


def _sample(name: str) -> ModuleType:
    folder = Path(__file__).parent.parent / "evals" / "render"
    spec = importlib.util.spec_from_file_location(f"review_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def compared() -> ModuleType:
    """The module `sample_comparison.py`."""
    return _sample("sample_comparison")


@pytest.fixture(scope="session")
def reports() -> ModuleType:
    """The module `sample_report.py`."""
    return _sample("sample_report")


MakeReview = Callable[..., Review]


@pytest.fixture
def review(compared: ModuleType, reports: ModuleType, tmp_path: Path) -> MakeReview:
    """Makes a review of one prompt that was reworded, and of a suite that asks it."""
    path = tmp_path / "prompts" / "qa" / "answer.prompty"
    path.parent.mkdir(parents=True)
    text = PROMPT.format(version="1.1.0", text="Question, answer briefly")
    path.write_text(text, encoding="utf-8")
    old = parse_prompt(PROMPT.format(version="1.0.0", text="Question"), path, name="qa/answer")
    new = parse_prompt(text, path, name="qa/answer")
    suite = tmp_path / "evals" / "qa" / "xquad.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text("version: 1\n", encoding="utf-8")

    def make(verdict: Change = Change.REGRESSION, **differs: Any) -> Review:
        comparison = _turned(compared, verdict)
        report = reports.sample_report(120)
        report = replace(
            report,
            comparison=comparison,
            summary=replace(report.summary, decision=comparison.decision, repeats=3),
        )
        touched = SuiteReview(
            name="qa/xquad",
            path=suite,
            reasons=("prompt qa/answer: `user` message reworded",),
            prompt="qa/answer",
            selected=37,
            run=37,
            total=120,
            repeats=3,
            report=report,
            command="llmops eval run qa/xquad --base main",
        )
        fields: dict[str, Any] = {
            "base": "main (1a2b3c4)",
            "head": "working tree",
            "prompts": Comparison(
                before="main", after="working tree", prompts=(compare(old, new),)
            ),
            "files": (
                ChangedFile(
                    path="prompts/qa/answer.prompty",
                    kind=FileKind.PROMPT,
                    state=FileState.CHANGED,
                ),
                ChangedFile(
                    path="guardrails/default.yaml", kind=FileKind.POLICY, state=FileState.ADDED
                ),
            ),
            "suites": (touched,),
            "suites_total": 9,
            "cases_total": 412,
            "command": "llmops review --base main",
            "root": tmp_path,
        }
        return Review(**{**fields, **differs})

    return make


_CODES = {
    Change.REGRESSION: ("failed", ExitCode.FAILED),
    Change.INCONCLUSIVE: ("inconclusive", ExitCode.INCONCLUSIVE),
    Change.ERROR: ("inconclusive", ExitCode.INCONCLUSIVE),
    Change.SAME: ("passed", ExitCode.PASSED),
    Change.BETTER: ("passed", ExitCode.PASSED),
}


def _turned(compared: ModuleType, verdict: Change) -> Any:
    outcome, code = _CODES[verdict]
    metrics = tuple(
        replace(each, verdict=verdict if each.check == "exact_match" else Change.SAME)
        if each.gates
        else each
        for each in compared.METRICS
    )
    return compared.sample_comparison(
        metrics=metrics,
        decision=Decision(outcome=outcome, exit_code=code, reason="the `exact_match` decides"),
        turns={Turn.NEWLY_FAILING: 17} if verdict is Change.REGRESSION else {},
    )


@pytest.fixture
def bare_report(reports: ModuleType) -> Report:
    """A report without a base."""
    found: Report = reports.sample_report(20)
    return found
