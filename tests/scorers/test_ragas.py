"""Ragas' metrics as scorers: the values of Ragas itself, and none of its silences."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.core.chat import ChatReply, ChatRequest, Usage
from llmops.core.errors import (
    BadResponse,
    ContextTooLong,
    NotFound,
    ProviderError,
    ProviderUnavailable,
    Unsupported,
    UsageError,
)
from llmops.core.scoring import Sample, Score, Scorer
from llmops.models import ModelConfig, open_model
from llmops.models.cache import ResponseCache
from llmops.scorers import build, measure, names
from llmops.scorers.ragas import package
from llmops.scorers.ragas.bounds import Room, bounded, misfit
from llmops.scorers.ragas.catalogue import LEFT_OUT, METRICS, SAME
from llmops.scorers.ragas.parts import part
from llmops.scorers.ragas.spelling import pattern
from llmops.testing import ScriptedModel, ScriptedServices
from llmops.testing.scorer_conformance import ScorerConformance

ASKING = [name for name, metric in METRICS.items() if metric.asks_model]
SILENT = [name for name, metric in METRICS.items() if not metric.asks_model]
RUBRICS = {"score1_description": "wrong", "score2_description": "right"}
CALL = {"name": "search", "args": {"query": "towers"}}
SAMPLE = Sample(
    output="The tower is in Paris. It was finished in 1889, and it is made of iron.",
    input={"question": "Where is the tower?", "rubrics": RUBRICS, "topics": ["Towers"]},
    expected=["in Paris, France", "Paris"],
    contexts=("The tower is in Paris.", "It was finished in 1889."),
)


def sample_for(name: str) -> Sample:
    """The sample, with what only some metrics look at."""
    if name.startswith("tool_call"):
        return replace(SAMPLE, output=json.dumps([CALL]), expected=[CALL])
    return SAMPLE


def example(schema: dict[str, Any], draw: random.Random) -> Any:
    """Some value that `schema` allows."""
    if "anyOf" in schema:
        return example(draw.choice(schema["anyOf"]), draw)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw.choice(schema["enum"])
    match schema["type"]:
        case "object":
            return {key: example(each, draw) for key, each in schema["properties"].items()}
        case "array":
            count = draw.randint(schema["minItems"], schema["maxItems"])
            kinds = schema.get("prefixItems") or [schema["items"]] * count
            return [example(each, draw) for each in kinds]
        case "boolean":
            return draw.random() < 0.5
        case "integer":
            return draw.randint(0, 100)
    length = draw.randint(1, schema["maxLength"])
    return "".join(draw.choice("abc xyzäß,.") for _ in range(length))


class Answering:
    """Answers with something that the schema allows, the same for the same request.

    As an endpoint does that knows JSON Schema and no regular expressions.
    """

    def __init__(self) -> None:
        self.said: dict[str, list[str]] = {}

    def __call__(self, request: ChatRequest) -> Any:
        assert request.constraint is not None
        if request.constraint.kind != "json":
            return Unsupported("a JSON Schema and nothing else")
        asked = request.messages[-1].content
        draw = random.Random(f"{asked}{request.sampling.seed}")
        text = json.dumps(example(request.constraint.value, draw), ensure_ascii=False)
        self.said.setdefault(asked, []).append(text)
        usage = Usage(input_tokens=10, output_tokens=2)
        return ChatReply(text=text, finish_reason="stop", usage=usage)


def asking(name: str, script: Any, **options: Any) -> Any:
    model = ScriptedModel(script)
    scorer: Any = build(f"ragas.{name}", options, base=Path(), services=ScriptedServices(model))
    return scorer, model


def options_for(name: str) -> dict[str, Any]:
    return {"topics": "topics"} if name == "topic_adherence" else {}


def score_of(scorer: Scorer, sample: Sample) -> Score:
    return asyncio.run(measure(scorer, sample))


def test_every_metric_of_the_installed_ragas_is_a_scorer_or_left_out_with_a_reason() -> None:
    collections = package.collections()
    found = {
        name
        for name in collections.__all__
        if isinstance(getattr(collections, name), type)
        and issubclass(getattr(collections, name), collections.BaseMetric)
    }
    kinds = {metric.kind for metric in METRICS.values()}
    assert found - {"BaseMetric"} == kinds | set(SAME) | set(LEFT_OUT)
    assert set(SAME.values()) <= set(METRICS)


def test_naming_and_building_them_imports_no_ragas() -> None:
    code = (
        "import sys; from pathlib import Path; from llmops.scorers import build, names\n"
        "assert 'ragas.faithfulness' in names()\n"
        "build('ragas.rouge_score', base=Path())\n"
        "print('ragas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_importing_it_leaves_no_thread_and_no_telemetry() -> None:
    code = (
        "import socket, threading, time\n"
        "socket.socket.connect = socket.getaddrinfo = None\n"
        "from llmops.scorers.ragas import package; package.collections()\n"
        "from ragas._analytics import do_not_track\n"
        "deadline = time.time() + 20\n"
        "while threading.active_count() > 1 and time.time() < deadline: time.sleep(0.05)\n"
        "print(do_not_track(), [each.name for each in threading.enumerate()])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert done.stdout == "True ['MainThread']\n", done.stderr


def test_a_name_that_is_close_is_suggested_and_options_are_checked() -> None:
    with pytest.raises(NotFound) as caught:
        build("ragas.faithfullness", base=Path())
    assert caught.value.hint == "did you mean `ragas.faithfulness`?"
    with pytest.raises(UsageError, match="no project"):
        build("ragas.faithfulness", base=Path())
    with pytest.raises(NotFound, match=r"option of `ragas\.rouge_score`"):
        build("ragas.rouge_score", {"question": "q"}, base=Path())
    with pytest.raises(UsageError, match="at least 128"):
        asking("faithfulness", "", max_tokens=20)
    with pytest.raises(UsageError, match="option `mode` of"):
        asking("factual_correctness", "", mode="both")
    assert names() == sorted(names())


def test_options_of_ragas_and_of_the_columns_reach_the_metric() -> None:
    scorer, _ = asking("answer_correctness", Answering(), weights=[1.0, 0.0], beta=2.0)
    assert score_of(scorer, SAMPLE).value is not None
    rubrics = {"score1_description": "bad", "score3_description": "good"}
    scorer, model = asking("domain_specific_rubrics", Answering(), rubrics=rubrics)
    assert score_of(scorer, SAMPLE).value in (1.0, 3.0)
    assert "score3_description" in model.requests[0].messages[0].content
    scorer, model = asking("sql_semantic_equivalence", Answering(), reference_contexts="tables")
    sample = Sample(output="SELECT 1", expected="SELECT 1", metadata={"tables": "users: id"})
    assert score_of(scorer, sample).value in (0.0, 1.0)
    assert "users: id" in model.requests[0].messages[0].content


class StockModel:
    """Says to Ragas itself what was said to ours, prompt by prompt."""

    def __new__(cls, said: dict[str, list[str]]) -> Any:
        from ragas.llms.base import InstructorBaseRagasLLM

        left = {prompt: iter(texts) for prompt, texts in said.items()}

        class Said(InstructorBaseRagasLLM):  # type: ignore[misc]
            def generate(self, prompt: str, response_model: Any) -> Any:
                raise NotImplementedError

            async def agenerate(self, prompt: str, response_model: Any) -> Any:
                return response_model.model_validate_json(next(left[prompt]))

        return Said()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ASKING)
def test_the_value_is_that_of_ragas_itself_for_the_same_answers(name: str, seed: int) -> None:
    said = Answering()
    scorer, model = asking(name, said, seed=seed, **options_for(name))
    score = score_of(scorer, SAMPLE)
    assert score.value is not None, score.rationale
    from llmops.scorers.ragas.talk import Embeddings

    metric = METRICS[name]
    handed: dict[str, Any] = {"llm": StockModel(said.said)}
    if metric.embeddings:
        handed["embeddings"] = Embeddings(scorer._encoder)
    stock = getattr(package.collections(), metric.kind)(**handed)
    columns = {"topics": "topics"}
    shown = {*metric.inputs, *metric.optional}
    if metric.optional and name != "sql_semantic_equivalence":
        shown.discard("reference_contexts")  # of a rubric, unless a column is named
    given = {
        "user_input" if key == "conversation" else key: part(key, SAMPLE, columns) for key in shown
    }
    theirs = float(asyncio.run(stock.ascore(**given)).value)
    assert score.value == pytest.approx(min(max(theirs, 0.0), metric.highest), abs=1e-9)
    assert score.details["calls"] == model.statistics.calls
    assert score.usage.output_tokens == 2 * model.statistics.calls


@pytest.mark.parametrize("name", SILENT)
def test_a_metric_that_asks_no_model_has_the_value_of_ragas_itself(name: str) -> None:
    from llmops.scorers.ragas.talk import Embeddings

    metric = METRICS[name]
    sample = sample_for(name)
    scorer: Any = build(f"ragas.{name}", base=Path())
    handed: dict[str, Any] = {}
    if metric.embeddings:
        vectors = Embeddings(scorer._encoder)
        asyncio.run(vectors.learn(["in Paris, France", sample.output]))
        sample = replace(sample, expected="in Paris, France")
        handed["embeddings"] = vectors
    stock = getattr(package.collections(), metric.kind)(**handed)
    sample = (
        replace(sample, expected=part("reference", sample, {}))
        if ("reference" in metric.inputs)
        else sample
    )
    given = {
        "user_input" if key == "conversation" else key: part(key, sample, {})
        for key in metric.inputs
    }
    theirs = float(asyncio.run(stock.ascore(**given)).value)
    assert score_of(scorer, sample).value == pytest.approx(theirs, abs=1e-9)


def test_of_several_references_the_best_counts_where_no_model_is_asked() -> None:
    scorer = build("ragas.exact_match", base=Path())
    assert score_of(scorer, Sample(output="b", expected=["a", "b"])).value == 1.0


class TestSilent(ScorerConformance):
    judged_by_size = False

    @pytest.fixture(params=[name for name in SILENT if not name.startswith("tool_call")])
    def scorer(self, request: pytest.FixtureRequest) -> Scorer:
        return build(f"ragas.{request.param}", base=Path())


class TestToolCalls(ScorerConformance):
    judged_by_size = False

    def ordinary(self) -> Sample:
        return replace(super().ordinary(), output=json.dumps([CALL]), expected=[CALL, CALL])

    @pytest.fixture(params=["tool_call_accuracy", "tool_call_f1"])
    def scorer(self, request: pytest.FixtureRequest) -> Scorer:
        return build(f"ragas.{request.param}", base=Path())


class TestAsking(ScorerConformance):
    judged_by_size = False

    def ordinary(self) -> Sample:
        return replace(super().ordinary(), input=SAMPLE.input)

    @pytest.fixture(params=["faithfulness", "context_recall", "agent_goal_accuracy"])
    def scorer(self, request: pytest.FixtureRequest) -> Scorer:
        scorer: Scorer = asking(request.param, Answering())[0]
        return scorer


texts = st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable())


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, min_size=1, max_size=7), st.integers(128, 4096), st.integers())
def test_whatever_a_schema_allows_is_matched_by_its_pattern_and_nothing_in_it_is_open(
    statements: list[str], tokens: int, seed: int
) -> None:
    given = {
        "statements": statements,
        "questions": statements,
        "topics": statements,
        "answer": statements,
        "ground_truth": statements,
        "text": " ".join(statements),
        "response": " ".join(statements),
    }
    for model in _response_models():
        shape = bounded(model.model_json_schema(), given, Room(tokens))
        for each in _parts(shape.schema):
            if each.get("type") == "string" and "enum" not in each:
                assert each["maxLength"] <= 384
            if each.get("type") == "array":
                assert each["maxItems"] <= max(tokens // 24, len(statements)) + 1
        value = example(shape.schema, random.Random(seed))
        text = json.dumps(value, ensure_ascii=False)
        assert re.fullmatch(pattern(shape.schema), text)
        assert misfit(shape.schema, value) is None
        model.model_validate_json(text)


def _response_models() -> list[Any]:
    from ragas.prompt.metrics.base_prompt import BasePrompt

    package.collections()
    return [
        each.output_model
        for each in BasePrompt.__subclasses__()
        if each.__module__.startswith("ragas.metrics.collections")
        and "multi" not in each.__module__
    ]


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for each in schema:
            yield from _parts(each)
    elif isinstance(schema, dict):
        yield schema
        for each in schema.values():
            yield from _parts(each)


def said(*answers: Any) -> Any:
    """A model that gives these answers in turn, to an endpoint that knows JSON Schema only."""
    left = iter(answers)

    def script(request: ChatRequest) -> Any:
        if request.constraint is not None and request.constraint.kind != "json":
            return Unsupported("a JSON Schema and nothing else")
        answer = next(left)
        return answer if isinstance(answer, ProviderError) else json.dumps(answer)

    return script


def claim(verdict: int, statement: str = "a") -> dict[str, Any]:
    return {"statement": statement, "reason": "b", "verdict": verdict}


def test_fewer_verdicts_than_claims_leave_the_case_unscored() -> None:
    claims = {"statements": ["a", "b", "c", "d"]}
    scorer, _ = asking("faithfulness", said(claims, {"statements": [claim(1)]}))
    score = score_of(scorer, SAMPLE)
    assert score.value is None
    assert "1 item where 4 were asked for" in score.rationale
    judged = {"statements": [claim(n != 2, name) for n, name in enumerate("abcd")]}
    scorer, _ = asking("faithfulness", said(claims, judged))
    found = score_of(scorer, SAMPLE)
    assert found.value == 0.75
    assert found.rationale == "3 of 4 hold; not `c`"


def test_an_answer_of_no_use_leaves_the_case_unscored_after_shorter_ones_were_tried() -> None:
    cut = BadResponse("the answer was cut at 9 tokens")
    cut.retryable = False
    scorer, model = asking("domain_specific_rubrics", said(*[cut] * 20))
    score = score_of(scorer, SAMPLE)
    assert (score.value, score.rationale) == (None, "the answer was cut at 9 tokens")
    asked = [r.sampling.max_tokens for r in model.requests if r.constraint.kind == "json"]
    assert len(asked) == 3
    assert asked[0] > asked[1] > asked[2]


def test_a_rating_that_is_no_use_is_not_asked_for_again() -> None:
    scorer, model = asking("context_relevance", said(*[{"rating": 7}] * 20))
    score = score_of(scorer, SAMPLE)
    assert score.value is None
    assert "7 is none of [0, 1, 2]" in score.rationale
    assert model.statistics.calls == 1  # Ragas asks each judge five times, and then gives NaN


def test_a_provider_that_fails_is_an_error_and_no_score() -> None:
    scorer, _ = asking("response_groundedness", lambda _: ProviderUnavailable("it is down"))
    with pytest.raises(ProviderUnavailable, match="it is down"):
        score_of(scorer, SAMPLE)


def test_a_case_too_long_for_the_model_is_asked_for_less_and_then_left_unscored() -> None:
    long = ContextTooLong("2,100 of 2,048 tokens")
    verdict = {"statements": [claim(1, "a")]}
    scorer, model = asking("faithfulness", said({"statements": ["a"]}, long, verdict))
    assert score_of(scorer, SAMPLE).value == 1.0
    tokens = [r.sampling.max_tokens for r in model.requests if r.constraint.kind == "json"]
    assert tokens[2] < tokens[1]
    scorer, _ = asking("faithfulness", said(*[long] * 9))
    assert score_of(scorer, SAMPLE).rationale.startswith("the case is too long for the model")


def test_the_same_question_asked_again_gets_the_next_seed() -> None:
    scorer, model = asking("answer_relevancy", Answering(), seed=7)
    assert score_of(scorer, SAMPLE).value is not None
    asked = [each.sampling for each in model.requests if each.constraint.kind == "json"]
    assert [(each.seed, each.temperature) for each in asked] == [(7, 0.3), (8, 0.3), (9, 0.3)]


def test_where_it_can_an_endpoint_is_held_to_one_line() -> None:
    def answer(request: ChatRequest) -> str:
        assert request.constraint is not None
        assert request.constraint.kind == "regex"
        return '{"rating": 2}'

    scorer, model = asking("context_relevance", answer)
    assert score_of(scorer, SAMPLE) == Score(
        value=1.0,
        rationale="rated 2 and 2",
        usage=Usage(input_tokens=sum(map(_words, model.requests)), output_tokens=4),
        details={"calls": 2.0},
    )


def _words(request: ChatRequest) -> int:
    return sum(len(each.content.split()) for each in request.messages)


def test_the_contexts_of_a_case_are_judged_at_once() -> None:
    waiting: list[int] = []

    class Slow(ScriptedModel):
        async def chat(self, request: ChatRequest, use_cache: bool = True) -> ChatReply:
            waiting.append(len(self.requests))
            while len(waiting) < 5:
                await asyncio.sleep(0)
            return await super().chat(request, use_cache)

    model = Slow('{"reason": "b", "verdict": 1}')
    scorer = build("ragas.context_precision", base=Path(), services=ScriptedServices(model))
    sample = replace(SAMPLE, contexts=tuple(f"Passage {n}." for n in range(5)))
    score = asyncio.run(asyncio.wait_for(_measured(scorer, sample), 20))
    assert score.value == pytest.approx(1.0)


async def _measured(scorer: Scorer, sample: Sample) -> Score:
    return await measure(scorer, sample)


def test_the_version_changes_with_all_that_decides_on_the_score() -> None:
    def version(**options: Any) -> str:
        found: str = asking("faithfulness", "", **options)[0].version
        return found

    assert version() == version()
    assert version().startswith(f"1[ragas {package.version()}, sha256:")
    assert len({version(), version(seed=1), version(max_tokens=900), version(temperature=1.0)}) == 4
    made_from = asking("faithfulness", "")[0].made_from
    assert made_from["model"] == "scripted/model"
    assert made_from["prompts"].startswith("sha256:")


def test_the_prompts_are_part_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    package.collections()
    from ragas.metrics.collections.faithfulness.util import NLIStatementPrompt

    before = asking("faithfulness", "")[0].version
    monkeypatch.setattr(NLIStatementPrompt, "instruction", "Judge.")
    assert asking("faithfulness", "")[0].version != before


def test_what_a_metric_needs_is_declared_and_what_it_cannot_find_is_said() -> None:
    assert asking("context_recall", "")[0].needs == {"expected", "contexts"}
    assert asking("summary_score", "")[0].needs == {"contexts"}
    assert asking("summary_score", "", reference_contexts="source")[0].needs == frozenset()
    assert asking("topic_adherence", "")[0].needs == {"expected"}
    scorer, model = asking("faithfulness", "")
    score = score_of(scorer, replace(SAMPLE, input={"a": "x", "b": "y"}))
    assert score.rationale.startswith("which input is the question?")
    assert not model.requests
    scorer, _ = asking("faithfulness", "", question="c")
    assert "named `c`" in score_of(scorer, SAMPLE).rationale


def test_tool_calls_are_read_from_the_conversation_and_the_answer() -> None:
    openai = {"function": {"name": "search", "arguments": '{"query": "towers"}'}}
    turns = [
        {"role": "user", "content": "Find towers."},
        {"role": "assistant", "content": "", "tool_calls": [openai]},
        {"role": "tool", "content": "One found."},
    ]
    sample = Sample(output="Here is one.", input={"messages": turns}, expected=[CALL])
    scorer = build("ragas.tool_call_accuracy", base=Path())
    assert score_of(scorer, sample).value == 1.0
    more = score_of(scorer, replace(sample, expected=[CALL, CALL]))
    assert more.value == 0.0
    assert "Length mismatch" in more.rationale
    wrong = score_of(scorer, replace(sample, expected="search"))
    assert wrong.rationale == "the expected value is no list of `{name, args}`"


@pytest.mark.vllm
@pytest.mark.parametrize("name", ["faithfulness", "context_recall", "answer_correctness"])
def test_a_small_served_model_judges_without_breaking_the_json_and_its_answers_are_kept(
    vllm_server: Any, tmp_path: Path, name: str
) -> None:
    config = ModelConfig(
        model=f"hosted_vllm/{vllm_server.model}", api_base=vllm_server.api_base, timeout=300
    )

    async def judged() -> tuple[Score, Score, int]:
        model = open_model(config, cache=ResponseCache(tmp_path / "cache.sqlite"), environ={})
        scorer = build(f"ragas.{name}", base=Path(), services=ScriptedServices(model))
        try:
            first = await measure(scorer, SAMPLE)
            return first, await measure(scorer, SAMPLE), model.statistics.calls
        finally:
            await model.aclose()

    first, again, calls = asyncio.run(judged())
    assert first.value is not None, first.rationale
    assert first.usage.output_tokens > 0
    assert first.details == {"calls": float(calls)}
    assert again == replace(first, usage=Usage())
