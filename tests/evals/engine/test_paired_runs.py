"""A run with a base: two subjects on the same cases, side by side."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from llmops.core.chat import ChatRequest
from llmops.core.errors import ExitCode, ProviderUnavailable, UsageError
from llmops.evals.blessing import bless
from llmops.evals.report import load_report
from llmops.evals.results import Change, Report
from llmops.evals.runner import Base
from llmops.prompts import PromptRepository
from llmops.testing import ScriptedModel

pytestmark = pytest.mark.anyio

DROP = {"metrics": [{"check": "exact_match", "drop": "<= 0.02"}]}


def base_of(lab, model, label: str = "main (1a2b3c4)") -> Base:
    prompt = PromptRepository(lab.root / "prompts").get("ask")
    return Base(label=label, suite=lab.load(), prompt=prompt, model=model)


def answering(wrong: set[int] = frozenset(), name: str = "scripted/model") -> ScriptedModel:
    """A model that knows all answers but these."""

    def answer(request: ChatRequest) -> str:
        number = int(request.messages[-1].content.removeprefix("question "))
        return "no idea" if number in wrong else f"answer {number}"

    return ScriptedModel(answer, name=name)


def flaky(share: int, name: str = "scripted/model") -> ScriptedModel:
    """A model that misses each `share`-th draw, another one on every repeat."""

    def answer(request: ChatRequest) -> str:
        number = int(request.messages[-1].content.removeprefix("question "))
        missed = (number * 7 + request.repeat * 3) % share == 0
        return "no idea" if missed else f"answer {number}"

    return ScriptedModel(answer, name=name)


def metric(report: Report):
    assert report.comparison is not None
    (found,) = report.comparison.metrics
    return found


async def test_a_change_that_breaks_many_cases_is_a_regression_and_fails(lab) -> None:
    lab.suite_file(gate=DROP)
    lab.cases(60)
    head = answering(wrong=set(range(15)), name="scripted/head")
    report = await lab.run(head, base=base_of(lab, answering()))
    assert metric(report).verdict is Change.REGRESSION
    assert metric(report).newly_failing == 15
    assert report.summary.decision.exit_code is ExitCode.FAILED
    assert load_report(lab.output).summary == report.summary


async def test_a_change_that_repairs_cases_is_better_and_passes(lab) -> None:
    lab.suite_file(gate=DROP)
    lab.cases(60)
    base = answering(wrong=set(range(15)), name="scripted/old")
    report = await lab.run(answering(), base=base_of(lab, base))
    assert metric(report).verdict is Change.BETTER
    assert report.summary.decision.exit_code is ExitCode.PASSED


async def test_too_few_cases_for_the_margin_are_inconclusive_and_say_how_many_it_takes(lab) -> None:
    lab.suite_file(gate=DROP)
    lab.cases(10)
    head = answering(wrong={3}, name="scripted/head")
    report = await lab.run(head, base=base_of(lab, answering()))
    assert metric(report).verdict is Change.INCONCLUSIVE
    assert metric(report).needed > 10
    assert report.summary.decision.exit_code is ExitCode.INCONCLUSIVE
    assert "cases would tell, 10 did not" in report.summary.decision.reason


async def test_every_case_is_asked_of_both_and_calls_are_interleaved(lab) -> None:
    lab.suite_file(gate=DROP, concurrency=1)
    lab.cases(20)
    asked: list[str] = []

    def noting(name: str) -> ScriptedModel:
        def answer(request: ChatRequest) -> str:
            asked.append(name)
            return request.messages[-1].content.replace("question", "answer")

        return ScriptedModel(answer, name=f"scripted/{name}")

    await lab.run(noting("head"), base=base_of(lab, noting("base")))
    assert Counter(asked) == {"head": 20, "base": 20}
    longest = max(
        len(run) for run in "".join(name[0] for name in asked).replace("bh", "b h").split()
    )
    assert longest <= 4
    firsts = [asked[index] for index in range(0, 40, 2)]
    assert {"head", "base"} == set(firsts)


async def test_a_gate_that_asks_for_a_drop_is_inconclusive_without_a_base(lab) -> None:
    lab.suite_file(gate=DROP)
    report = await lab.run()
    assert report.summary.decision.exit_code is ExitCode.INCONCLUSIVE
    assert "--base" in report.summary.decision.reason


async def test_without_a_gate_a_run_with_a_base_only_asks_that_nothing_gets_worse(lab) -> None:
    lab.suite_file(checks=[{"scorer": "exact_match"}])
    lab.cases(200)
    wrong = answering(wrong={1, 2, 3})
    report = await lab.run(wrong, base=base_of(lab, wrong))
    assert metric(report).verdict is Change.SAME
    assert report.summary.decision.exit_code is ExitCode.PASSED


async def test_thresholds_hold_beside_the_comparison(lab) -> None:
    lab.suite_file(
        gate={"metrics": [{"check": "exact_match", "pass_rate": ">= 0.9", "drop": "<= 0.02"}]}
    )
    lab.cases(200)
    wrong = answering(wrong=set(range(40)))
    report = await lab.run(wrong, base=base_of(lab, wrong))
    assert metric(report).verdict is Change.SAME
    assert report.summary.decision.exit_code is ExitCode.FAILED
    assert {line.aggregate for line in report.summary.decision.lines} == {"pass_rate", "drop"}


async def test_a_base_that_answers_nothing_is_an_error_and_no_improvement(lab) -> None:
    lab.suite_file(gate=DROP)
    lab.cases(60)

    def broken(request: ChatRequest) -> ProviderUnavailable | str:
        number = int(request.messages[-1].content.removeprefix("question "))
        return ProviderUnavailable("refused") if number % 4 else f"answer {number}"

    base = ScriptedModel(broken, name="scripted/old")
    report = await lab.run(answering(), base=base_of(lab, base))
    assert metric(report).verdict is Change.ERROR
    assert report.summary.decision.exit_code is ExitCode.INCONCLUSIVE


async def test_a_stopped_paired_run_goes_on_where_it_was(lab) -> None:
    lab.suite_file(gate=DROP, concurrency=2)
    lab.cases(60)
    calls = 0

    def dying(request: ChatRequest) -> ProviderUnavailable | str:
        nonlocal calls
        calls += 1
        if calls > 12:
            return ProviderUnavailable("gone")
        return request.messages[-1].content.replace("question", "answer")

    with pytest.raises(ProviderUnavailable, match=r"results are safe"):
        await lab.run(ScriptedModel(dying), base=base_of(lab, answering()))
    head, base = answering(), answering()
    report = await lab.run(head, base=base_of(lab, base), resume=True)
    lines = (lab.output / "journal.jsonl").read_text().splitlines()
    answered = [json.loads(line)["slot"] for line in lines if '"output"' in line]
    assert sorted(answered) == list(range(60))
    assert len(head.requests) + len(base.requests) < 108
    assert report.comparison is not None
    assert report.comparison.coverage.pairs == 60


async def test_a_run_is_not_resumed_against_another_base(lab) -> None:
    lab.suite_file(gate=DROP)
    await lab.run(answering(), base=base_of(lab, answering()))
    with pytest.raises(UsageError, match="base: main"):
        await lab.run(answering(), base=base_of(lab, answering(), "dev (2)"), resume=True)


async def test_a_blessed_report_is_a_base_that_is_not_run_again(lab, tmp_path) -> None:
    lab.suite_file(gate=DROP)
    lab.cases(60)
    first = await lab.run(answering())
    blessed = tmp_path / "baselines" / "qa.json"
    bless(first, blessed, why="the release of today")
    head = answering(wrong=set(range(15)))
    report = await lab.run(head, base=blessed, output=tmp_path / "second")
    assert len(head.requests) == 60
    assert metric(report).verdict is Change.REGRESSION
    blessed.unlink()
    assert load_report(tmp_path / "second").summary == report.summary


async def test_only_a_whole_run_that_passed_is_blessed(lab, tmp_path) -> None:
    target = tmp_path / "b.json"
    failed = await lab.run(answering(wrong={1}))
    with pytest.raises(UsageError, match="did not pass"):
        bless(failed, target, why="x")
    part = await lab.run(answering(), limit=2, output=tmp_path / "part")
    with pytest.raises(UsageError, match="2 of 4 cases"):
        bless(part, target, why="x")
    assert not target.exists()
    bless(part, target, why="all we have", force=True)
    written = json.loads(target.read_text())["summary"]["environment"]
    assert written["blessed_why"] == "all we have"
    assert "2 of 4 cases" in written["blessed_against"]


async def test_auto_asks_once_where_nothing_is_open(lab) -> None:
    lab.suite_file(gate=DROP, repeat="auto")
    lab.cases(300)
    head, base = answering(name="scripted/head"), answering()
    report = await lab.run(head, base=base_of(lab, base))
    assert metric(report).verdict is Change.SAME
    assert (len(head.requests), len(base.requests), report.summary.repeats) == (300, 300, 1)


async def test_auto_confirms_a_regression_before_it_blames_the_change(lab) -> None:
    lab.suite_file(gate=DROP, repeat="auto")
    lab.cases(100)
    wrong = set(range(20))
    head, base = answering(wrong, name="scripted/head"), answering()
    report = await lab.run(head, base=base_of(lab, base))
    assert metric(report).verdict is Change.REGRESSION
    assert (len(head.requests), len(base.requests)) == (120, 120)
    again = {request.messages[-1].content for request in base.requests if request.repeat == 1}
    assert again == {f"question {number}" for number in wrong}


async def test_auto_goes_on_while_a_flaky_model_leaves_the_verdict_open(lab) -> None:
    lab.suite_file(gate={"metrics": [{"check": "exact_match", "drop": "<= 0.06"}]}, repeat="auto")
    lab.cases(120)
    report = await lab.run(flaky(9, name="scripted/head"), base=base_of(lab, flaky(10)))
    assert 1 < report.summary.repeats <= 5
    assert load_report(lab.output).summary == report.summary
    assert metric(report).verdict is not Change.REGRESSION


async def test_auto_stops_where_a_model_that_repeats_itself_leaves_the_verdict_open(lab) -> None:
    lab.suite_file(gate=DROP, repeat="auto")
    lab.cases(30)
    head, base = answering({1, 2}, name="scripted/head"), answering({3})
    report = await lab.run(head, base=base_of(lab, base))
    assert metric(report).verdict is Change.INCONCLUSIVE
    assert report.summary.repeats == 1
    assert len(head.requests) == 30 + 3


async def test_an_interrupted_run_that_repeats_by_itself_is_not_read_as_finished(lab) -> None:
    lab.suite_file(gate=DROP, repeat="auto")
    lab.cases(30)
    await lab.run(answering(), base=base_of(lab, answering()))
    journal = lab.output / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"settled"' not in line))
    with pytest.raises(UsageError, match="not finished"):
        load_report(lab.output)
    again = await lab.run(answering(), base=base_of(lab, answering()), resume=True)
    assert again.summary.repeats == 1
