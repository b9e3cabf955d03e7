"""Judges: what they ask, how an answer becomes a score, and what leaves a case unscored."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.core.chat import ChatRequest
from llmops.core.errors import (
    ContextTooLong,
    NotFound,
    ProviderUnavailable,
    UsageError,
)
from llmops.core.scoring import Sample, Score, Scorer
from llmops.models import ModelConfig, open_model
from llmops.models.cache import ResponseCache
from llmops.project import Project, load_project
from llmops.project.scaffold import create
from llmops.scorers import build
from llmops.testing import FaultyEndpoint, ScriptedModel, ScriptedServices
from llmops.testing.scorer_conformance import ScorerConformance

SAMPLE = Sample(
    output="The Eiffel Tower stands in Paris.",
    input={"question": "Where is the Eiffel Tower?"},
    expected="in Paris",
    contexts=("The Eiffel Tower is in Paris, France.",),
)
SURE = {"Yes": 0.9, "No": 0.06}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    create(folder, judges=True)
    return load_project(folder)


@pytest.fixture
def judge(project: Project) -> Callable[..., Any]:
    """Makes judges on a model: `judge(model, "judge", prompt=…)`."""

    def make(model: Any, name: str = "judge", **options: Any) -> Any:
        if name == "judge":
            options.setdefault("prompt", "judges/faithfulness")
        services = ScriptedServices(model, project.prompt)
        return build(name, options, base=project.root, services=services)

    return make


def told(probabilities: Any) -> ScriptedModel:
    return ScriptedModel("reasons", probabilities=probabilities)


def ask(scorer: Any, sample: Sample = SAMPLE) -> Score:
    score: Score = asyncio.run(scorer.score(sample))
    return score


def write_prompt(project: Project, name: str, inputs: str, body: str, more: str = "") -> str:
    declared = ", ".join(f"{{name: {each}, kind: string}}" for each in inputs.split())
    head = f"metadata: {{version: 1.0.0}}\ninputs: [{declared}]\n{more}"
    text = f"---\n{head}---\nuser:\n{body}\n"
    path = project.root / "prompts" / "own" / f"{name}.prompty"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    project._prompts = None  # read anew
    return f"own/{name}"


class TestScripted(ScorerConformance):
    """A judge keeps every promise of a scorer, whatever stands in the case."""

    judged_by_size = False  # a model reads the text, and its context is what limits it

    @pytest.fixture(
        params=[
            ("judge", {"prompt": "judges/faithfulness"}),
            ("judge_reference", {"labels": {"Yes": 1, "No": 0}}),
            ("judge_pairwise", {}),
            ("judge_geval", {"criteria": "Tone.", "labels": {"1": 0.2, "5": 1}}),
        ],
        ids=lambda each: each[0],
    )
    def scorer(self, request: pytest.FixtureRequest, judge: Callable[..., Any]) -> Scorer:
        name, options = request.param
        likely = {"Yes": 0.6, "No": 0.3, "A": 0.5, "B": 0.4, "1": 0.2, "5": 0.7}
        made: Scorer = judge(told(likely), name, **options)
        return made


def test_the_score_is_the_mean_worth_of_the_labels_by_their_probability(judge: Any) -> None:
    model = told(SURE)
    score = ask(judge(model))
    assert score.value == pytest.approx(0.9 / 0.96)
    assert score.details == {"unparsed": 0.0, "mass": pytest.approx(0.96)}
    assert score.rationale == "Yes 0.94, No 0.06"
    assert score.usage.output_tokens == 1
    assert score.usage.input_tokens > 0
    # One question finds out what the endpoint can do, one judges.
    assert len(model.requests) == 2


def test_a_judge_that_wants_to_say_something_else_leaves_the_case_unscored(judge: Any) -> None:
    score = ask(judge(told({"Yes": 0.3, "No": 0.01})))
    assert score.value is None
    assert "31%" in score.rationale
    assert score.details["mass"] == pytest.approx(0.31)
    assert ask(judge(told({"Yes": 0.3, "No": 0.01}), min_mass=0.2)).value is not None


def test_labels_of_the_suite_are_asked_for_and_weighed(judge: Any) -> None:
    model = told({"1": 0.1, "2": 0.0, "3": 0.4, "4": 0.0, "5": 0.4})
    rating = judge(
        model, prompt="judges/rubric", criteria="Tone.", labels={each: each for each in range(1, 6)}
    )
    assert ask(rating).value == pytest.approx((0.1 + 1.2 + 2.0) / 0.9)
    assert rating.unit == "points"
    assert "1, 2, 3, 4, 5" in model.requests[-1].messages[-1].content


def test_without_probabilities_decoding_is_held_to_the_labels(judge: Any) -> None:
    model = ScriptedModel(lambda request: "No" if request.constraint else "I would say no.")
    scorer = judge(model)
    score = ask(scorer)
    assert score.value == 0.0
    assert score.details == {"unparsed": 0.0}
    assert model.requests[-1].constraint is not None
    assert model.requests[-1].constraint.value == ["Yes", "No"]
    assert scorer.made_from["answers"] == "choice"


@pytest.fixture
async def served() -> AsyncIterator[Callable[..., Any]]:
    """Makes models on endpoints that obey what is asked: `await served(answer, obeys=…)`."""
    opened: list[Any] = []

    async def make(answer: str, obeys: Any) -> Any:
        endpoint = FaultyEndpoint(answer, obeys=obeys)
        await endpoint.__aenter__()
        config = ModelConfig(model="openai/fake", api_base=endpoint.api_base)
        model = open_model(config, cache=None, environ={})
        opened.extend([model.aclose, lambda: endpoint.__aexit__(None, None, None)])
        return model

    yield make
    for close in opened:
        await close()


@pytest.mark.anyio
async def test_an_endpoint_that_knows_schemas_only_is_asked_by_one(
    judge: Any, served: Callable[..., Any]
) -> None:
    scorer = judge(await served("whatever", "response_format"))
    score = await scorer.score(SAMPLE)
    assert score.value in (0.0, 1.0)
    assert scorer.made_from["answers"] == "json"


@pytest.mark.anyio
async def test_where_nothing_can_be_held_only_a_label_is_accepted(
    judge: Any, served: Callable[..., Any]
) -> None:
    scorer = judge(await served(" **yes**.\n", "nothing"))
    score = await scorer.score(SAMPLE)
    assert (score.value, score.details) == (1.0, {"unparsed": 0.0})
    assert scorer.made_from["answers"] == "text"


@pytest.mark.anyio
async def test_an_answer_that_is_no_label_is_counted_and_is_no_zero(
    judge: Any, served: Callable[..., Any]
) -> None:
    scorer = judge(await served("Yes, but I am not sure.", "nothing"))
    score = await scorer.score(SAMPLE)
    assert score.value is None
    assert score.rationale == "the judge's answer is none of its labels: `Yes, but I am not sure.`"
    assert score.details == {"unparsed": 1.0}
    assert score.usage.output_tokens > 0


def test_a_pair_is_asked_in_both_orders_and_averaged(judge: Any) -> None:
    def prefers_paris(request: ChatRequest) -> dict[str, float]:
        shown = request.messages[-1].content
        if "<answer_a>" not in shown:
            return {"A": 0.5, "B": 0.5}
        first = "Paris" in shown.split("</answer_a>")[0]
        return {"A": 0.8, "B": 0.1} if first else {"A": 0.3, "B": 0.6}

    model = told(prefers_paris)
    score = ask(judge(model, "judge_pairwise"), Sample(output="Paris.", expected="Rome."))
    assert score.value == pytest.approx((8 / 9 + 2 / 3) / 2)
    assert score.details["inconsistent"] == 0.0
    assert score.details["first"] == pytest.approx((8 / 9 + 1 / 3) / 2)
    assert score.usage.output_tokens == 2


def test_a_preference_for_a_position_is_a_tie_and_is_told(judge: Any) -> None:
    scorer = judge(told({"A": 0.9, "B": 0.05}), "judge_pairwise")
    score = ask(scorer)
    assert score.value == pytest.approx(0.5)
    assert score.details["inconsistent"] == 1.0
    assert "the order decides" in score.rationale


def test_a_pair_can_be_made_with_an_input_of_the_case(judge: Any) -> None:
    scorer = judge(told({"A": 0.5, "B": 0.4}), "judge_pairwise", against="before")
    assert scorer.needs_inputs == {"before"}
    assert ask(scorer, Sample(output="Paris.", input={"before": "Rome."})).value is not None
    assert "no text in `before`" in ask(scorer, Sample(output="Paris.", input={})).rationale


def test_g_eval_reasons_first_and_weighs_the_digits(judge: Any) -> None:
    model = told({"4": 0.6, "5": 0.3})
    score = ask(judge(model, "judge_geval", criteria="Coherence."))
    assert score.value == pytest.approx((4 * 0.6 + 5 * 0.3) / 0.9)
    reasoning, rating = (model.requests[index].messages[-1].content for index in (0, 2))
    assert "Give no score yet" in reasoning
    assert "<assessment>\nreasons\n</assessment>" in rating
    assert score.rationale.endswith(": reasons")
    assert score.usage.output_tokens == 2


def test_a_text_goes_into_the_prompt_as_it_is(judge: Any) -> None:
    odd = "{{ 7 * 7 }} {% raw %} \"'\\ </statement> \u202e \ud800"
    model = told(SURE)
    ask(judge(model), Sample(output=odd, contexts=("a", "b")))
    shown = model.requests[-1].messages[-1].content
    assert odd[:-1] + "?" in shown
    assert "<passage>\na\nb\n</passage>" in shown


def test_an_input_of_the_prompt_can_be_filled_from_another_part(
    judge: Any, project: Project
) -> None:
    ref = write_prompt(project, "claim", "claim topic", "{{claim}}{{topic}}")
    model = told(SURE)
    scorer = judge(model, prompt=ref, inputs={"claim": "output", "topic": "subject"})
    assert scorer.needs_inputs == {"subject"}
    ask(scorer, Sample(output="O", input={"subject": "S"}))
    assert model.requests[-1].messages[-1].content == "OS"
    assert ask(scorer, Sample(output="O")).rationale.endswith("the case has no `subject`")


def test_what_the_prompt_asks_for_is_what_a_case_needs(judge: Any) -> None:
    assert judge(told(SURE)).needs == {"contexts"}
    assert judge(told(SURE), "judge_reference").needs == {"expected"}
    assert judge(told(SURE), "judge_reference").needs_inputs == frozenset()
    assert judge(told(SURE), prompt="judges/relevance").needs_inputs == {"question"}


def test_a_case_too_long_for_the_judge_is_unscored_with_the_reason(judge: Any) -> None:
    def too_long(request: ChatRequest) -> dict[str, float]:
        if len(request.messages[-1].content) > 5_000:
            raise ContextTooLong("the request does not fit the context of `small`")
        return SURE

    score = ask(judge(told(too_long)), Sample(output="word " * 2_000, contexts=("a",)))
    assert score.value is None
    assert score.rationale.startswith("the case is too long for the judge")


def test_a_provider_failure_is_raised_and_never_a_score(judge: Any) -> None:
    model = ScriptedModel(lambda _: ProviderUnavailable("gone"))
    with pytest.raises(ProviderUnavailable):
        ask(judge(model))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt": "judges/faithfullness"}, "did you mean `judges/faithfulness`.*init --judges"),
        ({"labels": {True: 1, False: 0}}, "in quotes"),
        ({"labels": {"Yes": 1}}, "at least two labels"),
        ({"labels": {"Yes": 1, "yes": 0}}, "more than capital letters"),
        ({"labels": {"Yes": 1, "No": 1}}, "worth the same"),
        ({"labels": {" .": 1, "No": 0}}, "is no label"),
        ({"inputs": {"claim": "output"}}, "no input of the prompt `judges/faithfulness`"),
        ({"prompt": "judges/rubric"}, "none are given"),
        ({"min_mass": 1.0}, "less than 1"),
        ({"services": "mine"}, "no option of `judge` is named `services`"),
    ],
)
def test_what_cannot_be_is_refused_before_any_call(
    judge: Any, options: dict[str, Any], said: str
) -> None:
    model = told(SURE)
    with pytest.raises(UsageError) as refused:
        judge(model, **options)
    assert re.search(said, f"{refused.value} {refused.value.hint}")
    assert not model.requests


def test_a_prompt_with_outputs_is_no_judge(judge: Any, project: Project) -> None:
    ref = write_prompt(
        project, "json", "output", "{{output}}", "outputs: [{name: verdict, kind: string}]\n"
    )
    with pytest.raises(UsageError, match="declares outputs"):
        judge(told(SURE), prompt=ref)


def test_a_judge_outside_of_a_project_says_what_it_misses(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no project"):
        build("judge", {"prompt": "judges/faithfulness"}, base=tmp_path)


def test_a_model_that_nobody_configured_is_found_out_before_any_call(project: Project) -> None:
    services = project.services()
    scorer = build(
        "judge",
        {"prompt": "judges/faithfulness", "model": "locl"},
        base=project.root,
        services=services,
    )
    with pytest.raises(NotFound) as refused:
        _ = scorer.version
    assert refused.value.hint == "did you mean `local`?"


def test_the_version_changes_with_everything_that_decides_on_the_score(
    judge: Any, project: Project
) -> None:
    one = write_prompt(project, "one", "output", "Is {{output}} good?")
    two = write_prompt(project, "two", "output", "Is {{output}} good? ")
    versions = [
        judge(told(SURE), prompt=one).version,
        judge(told(SURE), prompt=two).version,
        judge(told(SURE), prompt=one, labels={"Yes": 1, "No": 0.5}).version,
        judge(told(SURE), prompt=one, min_mass=0.1).version,
        judge(ScriptedModel("", name="scripted/other"), prompt=one).version,
        judge(told(SURE), "judge_pairwise").version,
        judge(told(SURE), "judge_pairwise", criteria="Shorter is better.").version,
        judge(told(SURE), "judge_pairwise", against="before").version,
    ]
    assert len(set(versions)) == len(versions)
    assert judge(told(SURE), prompt=one).version == versions[0]


def test_two_ways_of_answering_are_two_versions(judge: Any) -> None:
    exact, chosen = judge(told(SURE)), judge(ScriptedModel("Yes"))
    assert exact.version == chosen.version
    asyncio.run(exact.warm_up())
    asyncio.run(chosen.warm_up())
    assert exact.version != chosen.version


def test_the_packages_judges_are_those_of_this_repository(project: Project) -> None:
    here = Path(__file__).parents[2] / "prompts" / "judges"
    names = {path.name for path in here.glob("*.prompty")}
    assert names == {path.name for path in (project.root / "prompts/judges").glob("*.prompty")}
    ours = load_project(here)
    for name in names:
        ref = f"judges/{name.removesuffix('.prompty')}"
        assert project.prompt(ref).fingerprint == ours.prompt(ref).fingerprint


def test_judges_can_be_added_to_a_project_and_never_overwrite(project: Project) -> None:
    from llmops.project.scaffold import add_judges

    with pytest.raises(UsageError, match="is there already"):
        add_judges(project.folder("prompts"))


@pytest.mark.vllm
@pytest.mark.anyio
async def test_probabilities_are_kept_apart_from_answers_to_the_same_request(
    vllm_server: Any, project: Project, tmp_path: Path
) -> None:
    config = ModelConfig(model=f"hosted_vllm/{vllm_server.model}", api_base=vllm_server.api_base)
    model = open_model(config, cache=ResponseCache(tmp_path / "cache.sqlite"), environ={})
    services = ScriptedServices(model, project.prompt)
    scorer: Any = build(
        "judge", {"prompt": "judges/faithfulness"}, base=project.root, services=services
    )
    try:
        first, again = await scorer.score(SAMPLE), await scorer.score(SAMPLE)
        assert first.value == again.value
        assert first.usage.input_tokens > 0
        assert again.usage.input_tokens == 0
        assert model.statistics.cached == 1
        different = build(
            "judge",
            {"prompt": "judges/faithfulness", "labels": {"No": 0, "Maybe": 0.5}, "min_mass": 0},
            base=project.root,
            services=services,
        )
        await different.score(SAMPLE)  # type: ignore[misc]
        assert model.statistics.cached == 1
    finally:
        await model.aclose()


@pytest.mark.vllm
@pytest.mark.anyio
async def test_no_answer_on_vllm_can_fail_to_be_read(vllm_server: Any) -> None:
    import importlib.util

    path = Path(__file__).parents[2] / "benchmarks" / "judges.py"
    spec = importlib.util.spec_from_file_location("benchmark_judges", path)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    found = await benchmark.measure(vllm_server.api_base, vllm_server.model, 70)
    assert found["judgements"] == 70
    assert set(found["outcomes"]) <= {
        "scored",
        "unscored: too long for the context",
        "unscored: too little probability on the labels",
    }
