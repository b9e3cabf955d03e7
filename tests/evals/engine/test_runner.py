"""Runs: what is called, what is judged, and what stops a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from llmops.core.chat import ChatReply, ChatRequest, Usage
from llmops.core.errors import (
    AuthenticationFailed,
    ExitCode,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ServerFault,
    UsageError,
)
from llmops.core.scoring import Outcome
from llmops.evals.circuit import Patience
from llmops.evals.execution import Progress
from llmops.evals.report import load_report
from llmops.testing import ScriptedModel

pytestmark = pytest.mark.anyio

SCORERS = '''
import threading
import time

from llmops.scorers import scorer


@scorer(version="1", default_rule="== 1")
def picky(sample):
    """Fails on the answer to question 1."""
    if sample.output == "answer 1":
        raise RuntimeError("cannot look at this")
    return True


@scorer(version="1", default_rule="== 1")
def slow(sample):
    """Takes long, and says in which thread."""
    time.sleep(0.03)
    return threading.current_thread() is threading.main_thread()


@scorer(version="1", default_rule="== 1")
async def judge(sample):
    """An asynchronous scorer."""
    return "answer" in sample.output
'''


def asked(request: ChatRequest) -> str:
    return request.messages[-1].content


def failing_on(
    failures: Mapping[str, ProviderError],
) -> Callable[[ChatRequest], str | ProviderError]:
    def script(request: ChatRequest) -> str | ProviderError:
        return failures.get(asked(request), asked(request).replace("question", "answer"))

    return script


async def test_a_right_model_passes_every_case_in_the_datasets_order(lab: Any) -> None:
    lab.cases(50)
    report = await lab.run()
    assert report.summary.decision.exit_code is ExitCode.PASSED
    assert [result.case for result in report.results()] == [f"q{i}" for i in range(50)]
    (check,) = report.summary.checks
    assert (check.passed, check.failed, check.unscored, check.errors) == (50, 0, 0, 0)
    assert report.summary.calls == 50


async def test_a_report_is_the_same_when_it_is_read_again_from_its_folder(lab: Any) -> None:
    report = await lab.run()
    again = load_report(lab.output)
    assert again.summary == report.summary
    assert list(again.results()) == list(report.results())


async def test_a_provider_error_leaves_the_case_without_score_and_counted(lab: Any) -> None:
    lab.cases(40)
    model = ScriptedModel(failing_on({"question 3": ServerFault("it broke", status=500)}))
    report = await lab.run(model)
    (check,) = report.summary.checks
    assert (check.passed, check.failed, check.unscored, check.errors) == (39, 0, 0, 1)
    assert check.mean is not None
    assert check.mean.value == 1.0
    assert report.summary.decision.exit_code is ExitCode.INCONCLUSIVE
    broken = list(report.results())[3]
    assert broken.outcome is Outcome.ERROR
    assert broken.error == "ServerFault: it broke"
    assert broken.output is None


async def test_a_scorer_that_raises_leaves_an_error_and_not_a_zero(lab: Any) -> None:
    lab.write("evals/scorers.py", SCORERS)
    lab.suite_file(checks=["exact_match", "scorers.py:picky", "scorers.py:judge"])
    report = await lab.run()
    exact, picky, judge = report.summary.checks
    assert (exact.passed, picky.passed, picky.errors, judge.passed) == (4, 3, 1, 4)
    verdict = list(report.results())[1].verdicts[1]
    assert verdict.outcome is Outcome.ERROR
    assert verdict.score.rationale == "RuntimeError: cannot look at this"


async def test_a_scorer_that_keeps_the_loop_too_long_moves_to_a_thread(lab: Any) -> None:
    lab.write("evals/scorers.py", SCORERS)
    lab.suite_file(checks=["scorers.py:slow"])
    lab.cases(8)
    report = await lab.run()
    (check,) = report.summary.checks
    assert (check.passed, check.failed) == (3, 5)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProviderUnavailable("refused"), ExitCode.INCONCLUSIVE),
        (RateLimited("slow down"), ExitCode.INCONCLUSIVE),
    ],
)
async def test_without_a_single_answer_there_is_no_verdict(
    lab: Any, error: ProviderError, code: ExitCode
) -> None:
    with pytest.raises(ProviderError, match="not one of 4 calls was answered") as caught:
        await lab.run(ScriptedModel(lambda request: error))
    assert caught.value.exit_code is code


async def test_where_no_prompt_could_be_rendered_no_verdict_is_given(lab: Any) -> None:
    lab.write(
        "prompts/ask.prompty",
        "---\nmetadata: {version: 1.0.0}\ninputs:\n  - {name: question, kind: integer}\n---\n"
        "user:\n{{ question }}\n",
    )
    with pytest.raises(UsageError, match="cannot be rendered with case `q0`") as caught:
        await lab.run()
    assert caught.value.where is not None
    assert caught.value.where.line == 1


async def test_an_endpoint_that_is_dead_at_the_start_ends_the_run_at_once(lab: Any) -> None:
    class Dead(ScriptedModel):
        async def check(self, deadline: float = 30.0) -> None:
            raise ProviderUnavailable("connection refused", hint="llmops serve")

    model = Dead("never said")
    with pytest.raises(ProviderUnavailable, match="connection refused"):
        await lab.run(model)
    assert not model.requests
    assert not lab.output.exists()


class Dying(ScriptedModel):
    """Answers five calls, and then neither calls nor checks."""

    def __init__(self, error: ProviderError):
        super().__init__(self._said)
        self._error = error

    def _said(self, request: ChatRequest) -> str | ProviderError:
        if len(self.requests) > 5:
            return self._error
        return asked(request).replace("question", "answer")

    async def check(self, deadline: float = 30.0) -> None:
        if len(self.requests) > 5:
            raise self._error


@pytest.mark.parametrize(
    "error", [ProviderUnavailable("gone", hint="start it"), AuthenticationFailed("key expired")]
)
async def test_an_endpoint_that_dies_on_the_way_stops_the_run(
    lab: Any, error: ProviderError
) -> None:
    lab.cases(5000)
    model = Dying(error)
    with pytest.raises(type(error), match=r"5 of 5,000 results are safe in") as caught:
        await lab.run(model)
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE
    assert caught.value.hint is not None
    assert f"llmops eval run qa --resume {lab.output}" in caught.value.hint
    assert len(model.requests) < 100


async def test_a_model_that_says_it_lives_while_all_calls_fail_is_not_believed_for_ever(
    lab: Any,
) -> None:
    lab.cases(5000)
    model = ScriptedModel(lambda request: ProviderUnavailable("cut off"))
    with pytest.raises(ProviderUnavailable, match="0 of 5,000 results are safe"):
        await lab.run(model)
    assert len(model.requests) < 200


async def test_a_storm_of_server_faults_does_not_stop_the_run(lab: Any) -> None:
    lab.cases(60)
    storm = {f"question {i}": ServerFault("overloaded") for i in range(10, 40)}
    report = await lab.run(ScriptedModel(failing_on(storm)))
    (check,) = report.summary.checks
    assert (check.passed, check.errors) == (30, 30)


async def test_a_model_that_hangs_is_asked_whether_it_lives(lab: Any) -> None:
    class Hanging(ScriptedModel):
        hung = False

        async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:
            self.hung = True
            await asyncio.Event().wait()
            raise AssertionError

        async def check(self, deadline: float = 30.0) -> None:
            if self.hung:
                raise ProviderUnavailable("did not answer")

    patience = Patience(silence=0.0, tick=0.01, deadline=0.01)
    with pytest.raises(ProviderUnavailable, match="did not answer; 0 of 4 results are safe"):
        await lab.run(Hanging(""), patience=patience)


async def test_a_slow_model_that_answers_while_it_is_asked_whether_it_lives_is_not_dead(
    lab: Any,
) -> None:
    class Slow(ScriptedModel):
        checks = 0

        async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:
            await (one_may if request.messages[-1].content.endswith("0") else all_may).wait()
            one_did.set()
            return await super().chat(request, use_cache)

        async def check(self, deadline: float = 30.0) -> None:
            self.checks += 1
            if self.checks == 2:
                one_may.set()
                await one_did.wait()
                await asyncio.sleep(0)
                raise ProviderUnavailable("did not answer")
            if self.checks == 3:
                all_may.set()

    one_may, one_did, all_may = asyncio.Event(), asyncio.Event(), asyncio.Event()
    patience = Patience(silence=0.0, tick=0.01, deadline=0.01)
    report = await lab.run(Slow("x"), patience=patience)
    assert report.summary.calls == 4


async def test_no_more_calls_are_in_flight_than_allowed_and_the_next_starts_at_once(
    lab: Any,
) -> None:
    lab.cases(64)
    flying = 0
    seen: list[int] = []

    class Counting(ScriptedModel):
        async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:
            nonlocal flying
            flying += 1
            seen.append(flying)
            for _ in range(10 + 7 * (len(seen) % 5)):  # calls of several lengths
                await asyncio.sleep(0)
            reply = await super().chat(request, use_cache)
            flying -= 1
            return reply

    await lab.run(Counting("x", concurrency=4))
    assert max(seen) == 4
    assert seen.count(4) >= 50, "the server is kept busy"


async def test_the_suites_concurrency_goes_before_the_models(lab: Any) -> None:
    lab.cases(20)
    lab.suite_file(concurrency=2)
    flying = most = 0

    class Counting(ScriptedModel):
        async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            reply = await super().chat(request, use_cache)
            flying -= 1
            return reply

    await lab.run(Counting("x", concurrency=8))
    assert most == 2


async def test_repeats_are_asked_with_seeds_of_their_own_and_counted_as_one_case(lab: Any) -> None:
    lab.suite_file(sampling={"temperature": 0.7, "seed": 40})
    model = ScriptedModel("answer 0")
    report = await lab.run(model, repeat=3)
    assert sorted({(r.sampling.seed, r.repeat) for r in model.requests}) == [
        (40, 0),
        (41, 1),
        (42, 2),
    ]
    assert model.requests[0].sampling.temperature == 0.7
    assert [(r.case, r.repeat) for r in report.results()] == [
        (f"q{i}", repeat) for i in range(4) for repeat in range(3)
    ]
    assert (report.summary.cases, report.summary.repeats) == (4, 3)
    assert report.summary.checks[0].results == 12


async def test_the_prompts_sampling_is_kept_where_the_suite_says_nothing(lab: Any) -> None:
    lab.suite_file(sampling={"max_tokens": 5})
    model = ScriptedModel("x")
    await lab.run(model)
    assert model.requests[0].sampling.max_tokens == 5
    assert model.requests[0].sampling.temperature == 0.0


async def test_cached_answers_are_counted_apart_and_cost_nothing(lab: Any) -> None:
    reply = ChatReply(
        text="answer 0", finish_reason="stop", cached=True, usage=Usage(input_tokens=9)
    )
    report = await lab.run(ScriptedModel(lambda request: reply))
    assert (report.summary.calls, report.summary.cached) == (0, 4)
    assert report.summary.usage == Usage()


async def test_the_interval_of_a_count_never_goes_below_nothing(lab: Any) -> None:
    lab.suite_file(checks=[{"scorer": "length", "measure_only": True}, "exact_match"])
    lab.cases(3)
    model = ScriptedModel(
        lambda request: "word " * 50 if "1" in request.messages[-1].content else ""
    )
    report = await lab.run(model)
    length = report.summary.checks[0]
    assert length.unit == "words"
    assert length.mean is not None
    assert (length.mean.low, length.mean.value) == (0.0, 50 / 3)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (None, [0, 1, 2, 3]),
        ("q1", [1]),
        ("case:q1 case:q3", [1, 3]),
        ("tag:even", [0, 2]),
        ("tag:even,q2", [2]),
        ("tag:even,q2 q3", [2, 3]),
        ("q[12]", [1, 2]),
    ],
)
async def test_a_selection_runs_its_cases_only(
    lab: Any, select: str | None, expected: list[int]
) -> None:
    report = await lab.run(select=select)
    assert [result.case for result in report.results()] == [f"q{i}" for i in expected]
    assert report.summary.dataset["rows"] == 4
    assert report.summary.dataset["selected"] == len(expected)


async def test_a_limit_takes_the_first_of_the_selected(lab: Any) -> None:
    report = await lab.run(select="tag:odd", limit=1)
    assert [result.case for result in report.results()] == ["q1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": "tag:nothing"}, "`tag:nothing` selects none of the 4 cases"),
        ({"select": "colour:red"}, "selects by `colour`, which is not known"),
        ({"select": "state:modified"}, "`state:` says how a case differs from a base"),
        ({"select": "state:stale"}, "no state is named `stale`"),
        ({"select": "tag:"}, "holds an empty term"),
        ({"select": "a,,b"}, "holds an empty term"),
        ({"select": " "}, "the selection is empty"),
        ({"limit": 0}, "`limit` must be at least 1"),
        ({"repeat": 0}, "`repeat` must be at least 1"),
    ],
)
async def test_what_selects_nothing_is_refused_before_any_call(
    lab: Any, options: dict[str, Any], message: str
) -> None:
    model = ScriptedModel("x")
    with pytest.raises(UsageError) as caught:
        await lab.run(model, **options)
    assert message in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE
    assert not model.requests


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"inputs": {"qestion": "question"}}, "no input of the prompt `ask` is named `qestion`"),
        ({"inputs": {}}, "the prompt `ask` needs `question`"),
        ({"inputs": {"question": "frage"}}, "missing columns: `frage`"),
        ({"expected": "answers"}, "missing columns: `answers`"),
        ({"contexts": ["passage"]}, "missing columns: `passage`"),
        ({"tags": "kind"}, "missing columns: `kind`"),
        ({"id": "nr"}, "missing columns: `nr`"),
    ],
)
async def test_columns_that_do_not_fit_are_found_before_any_call(
    lab: Any, dataset: dict[str, Any], message: str
) -> None:
    lab.suite_file(dataset={"path": "cases.jsonl", **dataset})
    model = ScriptedModel("x")
    with pytest.raises(UsageError) as caught:
        await lab.run(model)
    assert message in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.line is not None
    assert not model.requests


async def test_a_check_that_could_score_no_case_is_refused(lab: Any) -> None:
    lab.rows([{"id": 1, "question": "question 1"}])
    with pytest.raises(UsageError, match="`exact_match` needs something expected"):
        await lab.run()
    lab.suite_file(checks=[{"scorer": "context_overlap", "pass": ">= 0.5"}])
    with pytest.raises(UsageError, match="`context_overlap` needs contexts"):
        await lab.run()


async def test_a_text_of_a_csv_file_becomes_the_number_that_the_prompt_asks_for(lab: Any) -> None:
    lab.write(
        "prompts/ask.prompty",
        "---\nmetadata: {version: 1.0.0}\ninputs:\n  - {name: question, kind: integer}\n---\n"
        "user:\n{{ question + 1 }}\n",
    )
    lab.suite_file(dataset={"path": "cases.csv"})
    lab.write("evals/cases.csv", "id,question,expected\na,41,42\n")
    report = await lab.run(ScriptedModel(asked))
    assert report.summary.decision.exit_code is ExitCode.PASSED


async def test_progress_ends_with_everything_done(lab: Any) -> None:
    seen: list[Progress] = []
    await lab.run(ScriptedModel("answer 0"), progress=seen.append)
    assert [each.done for each in seen] == [1, 2, 3, 4]
    assert (seen[-1].total, seen[-1].failed, seen[-1].errors) == (4, 3, 0)
    assert seen[-1].seconds_left == 0


async def test_an_answer_that_no_file_could_hold_is_kept_readable(lab: Any) -> None:
    report = await lab.run(ScriptedModel("half \ud83d of a pair"))
    assert {result.output for result in report.results()} == {"half ? of a pair"}
    json.dumps([result.output for result in report.results()], ensure_ascii=False).encode()
