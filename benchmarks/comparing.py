"""What it costs to compare two large runs: seconds and peak memory of `llmops eval compare`."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measure import measure, median
from peers import environment, ours

from llmops.core.chat import Usage
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.journal import Journal
from llmops.evals.results import CaseResult

CHECKS = ("exact_match", "f1", "latency")
WORDS = ("the", "capital", "of", "a", "country", "on", "some", "river", "with", "long", "history")


def run(work: Path, *, cases: int, repeats: int) -> dict[str, Any]:
    """Compare two runs of so many cases, from their folders and from their reports."""
    base, head = work / "base", work / "head"
    _run(base, cases, drop=0.0)
    _run(head, cases, drop=0.01)
    env = environment()
    report = (
        "import sys; from pathlib import Path; from llmops.evals.render import write_reports; "
        "from llmops.evals.report import load_report; folder = Path(sys.argv[1]); "
        "write_reports(load_report(folder), folder)"
    )
    writing = [measure([sys.executable, "-c", report, str(base)], env=env)]
    writing += [measure([sys.executable, "-c", report, str(head)], env=env)]
    compare = (*ours(), "eval", "compare")
    done: dict[str, Any] = {"writing the four reports of one": writing}
    for name, words in (
        ("compare two folders", (str(base), str(head))),
        ("compare two report.json", (str(base / "report.json"), str(head / "report.json"))),
    ):
        done[name] = [
            measure((*compare, *words), env=env, accept=(0, 1, 3)) for _ in range(repeats)
        ]
    return {
        "cases": cases,
        "journal_mb": round((base / "journal.jsonl").stat().st_size / 1e6, 1),
        "steps": {
            name: {
                "wall_s": round(median(cost.wall for cost in costs), 2),
                "cpu_s": round(median(cost.cpu for cost in costs), 2),
                "peak_mb": round(max(cost.peak for cost in costs), 1),
            }
            for name, costs in done.items()
        },
    }


def table(results: dict[str, Any]) -> list[str]:
    return [
        f"{results['cases']:,} cases, {len(CHECKS)} checks, {results['journal_mb']:.0f} MB a side.",
        "",
        "| step | wall, s | CPU, s | peak, MB |",
        "|---|--:|--:|--:|",
        *(
            f"| {name} | {cost['wall_s']:.1f} | {cost['cpu_s']:.1f} | {cost['peak_mb']:.0f} |"
            for name, cost in results["steps"].items()
        ),
    ]


def _run(folder: Path, cases: int, *, drop: float) -> None:
    """The journal of a finished run, as a run leaves it."""
    with Journal.create(folder, _header(cases)) as journal:
        for slot, result in enumerate(_results(cases, drop)):
            journal.record(slot, result, elapsed=slot / 1000, system_fingerprint=None)


def _results(cases: int, drop: float) -> Iterator[CaseResult]:
    answers, losses = random.Random(1), random.Random(2)
    for number in range(cases):
        passes = answers.random() < 0.9 and losses.random() >= drop
        text = " ".join(answers.choices(WORDS, k=40))
        f1 = 0.6 + 0.4 * answers.random() if passes else 0.3 * answers.random()
        yield CaseResult(
            case=f"case-{number:06d}",
            inputs={"question": text},
            expected=text,
            output=" ".join(answers.choices(WORDS, k=25)),
            verdicts=(
                _verdict("exact_match", float(passes), passes=passes),
                _verdict("f1", f1, passes=True),
                _verdict("latency", 0.2 + answers.random(), passes=True),
            ),
            latency=0.2 + answers.random(),
            usage=Usage(input_tokens=60 + number % 9, output_tokens=25),
        )


def _verdict(check: str, value: float, *, passes: bool) -> Verdict:
    return Verdict(
        check=check,
        outcome=Outcome.PASSED if passes else Outcome.FAILED,
        score=Score(value=value, rationale="as the scorer saw it"),
    )


def _header(cases: int) -> dict[str, Any]:
    subject = {
        "prompt": "answer",
        "prompt_version": "1.0.0",
        "prompt_fingerprint": "sha256:0",
        "model": "fake",
        "model_identity": "fake",
        "sampling": {},
    }
    checks = [
        {
            "name": name,
            "scorer": name,
            "version": "1",
            "rule": "== 1" if name == "exact_match" else None,
            "unit": "s" if name == "latency" else "",
            "higher_is_better": name != "latency",
            "calibration": None,
        }
        for name in CHECKS
    ]
    return {
        "suite": "large",
        "description": "",
        "command": "llmops eval run large",
        "cases": cases,
        "repeats": 1,
        "auto": False,
        "untouched": False,
        "shard": None,
        "base": None,
        "subject": subject,
        "dataset": {"path": "cases.jsonl", "sha256": "0", "rows": cases, "selected": cases},
        "checks": checks,
        "slices": [],
        "gate": {
            "unjudged": 0.05,
            "thresholds": [["exact_match", "pass_rate", ">= 0.5"]],
            "confidence": 0.95,
            "margins": [],
            "written": True,
            "slices": [],
        },
        "environment": {},
        "made_from": {"suite": "large", "dataset": "sha256:0"},
    }
