"""Files that the tools themselves wrote, read as sides of a comparison."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from llmops.core.errors import UsageError
from llmops.core.scoring import Outcome
from llmops.evals.comparison.sides import Side
from llmops.evals.foreign.opening import open_side
from llmops.evals.results import CaseResult

DATA = Path(__file__).parents[2] / "data" / "foreign"


def outcomes(side: Side, check: str) -> dict[tuple[str, int], Outcome]:
    return {
        (result.case.split("-")[0].lower(), result.repeat): verdict.outcome
        for result in side.results()
        for verdict in result.verdicts
        if verdict.check == check
    }


def by_case(side: Side) -> dict[tuple[str, int], CaseResult]:
    return {(each.case.split("-")[0].lower(), each.repeat): each for each in side.results()}


PASSED, FAILED, ERROR, UNSCORED = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.UNSCORED


def test_a_promptfoo_file_of_several_subjects_asks_which_and_lists_them() -> None:
    with pytest.raises(UsageError, match="4 subjects") as caught:
        open_side(DATA / "promptfoo" / "capitals.jsonl")
    assert caught.value.hint == (
        "choose one with `--subject`: `scripted | long`, `scripted | short`, "
        "`smollm2 | long`, `smollm2 | short`"
    )
    with pytest.raises(UsageError, match="2 subjects called `scripted`"):
        open_side(DATA / "promptfoo" / "capitals.jsonl", subject="scripted")


def test_promptfoo_tells_failed_assertions_from_a_provider_that_is_down() -> None:
    side = open_side(DATA / "promptfoo" / "capitals.jsonl", subject="scripted | short")
    assert side.repeats == 2
    assert outcomes(side, "assertions") == {
        **{("france", repeat): PASSED for repeat in (0, 1)},
        **{("italy", repeat): PASSED for repeat in (0, 1)},
        **{("japan", repeat): PASSED for repeat in (0, 1)},
        **{("atlantis", repeat): ERROR for repeat in (0, 1)},
    }
    down = by_case(side)["atlantis", 0]
    assert (down.error, down.output) == ("HTTP 503: the model is down", None)
    known = by_case(side)["france", 1]
    assert (known.output, known.inputs["expected"]) == ("Paris.", "Paris")
    assert (known.usage.input_tokens, known.usage.output_tokens) == (5, 1)
    assert (known.usage.cost, known.latency) == (0.0001, 0.001)


def test_a_metric_of_promptfoo_is_a_check_of_the_tests_that_have_it() -> None:
    side = open_side(DATA / "promptfoo" / "capitals.jsonl", subject="scripted | short")
    assert outcomes(side, "names the city") == {("italy", 0): PASSED, ("italy", 1): PASSED}
    assert outcomes(side, "starts with a capital") == {("italy", 0): FAILED, ("italy", 1): FAILED}


def test_the_ids_of_promptfoo_tests_do_not_hang_on_prompt_or_provider() -> None:
    sides = [
        open_side(DATA / "promptfoo" / "capitals.jsonl", subject=name)
        for name in ("scripted | short", "smollm2 | long")
    ]
    first, second = ([each.case for each in side.results()] for side in sides)
    assert first == second
    assert "paired by their description and variables" in sides[0].notes[0]


@pytest.mark.parametrize("name", ["head.eval", "head.json"])
def test_an_inspect_log_keeps_errors_and_what_is_not_a_number_unjudged(name: str) -> None:
    side = open_side(DATA / "inspect" / name)
    assert (side.kind, side.repeats, side.identity) == ("inspect", 2, {"task": "capitals"})
    assert {each.name: each.rule for each in side.checks} == {
        "includes": "== 1",
        "brevity": None,
        "style/polite": "== 1",
        "style/short": None,
    }
    found = outcomes(side, "includes")
    assert (found["italy", 0], found["italy", 1]) == (FAILED, PASSED)
    assert found["atlantis", 0] is ERROR
    assert outcomes(side, "brevity")["peru", 0] is UNSCORED
    assert Counter(found.values()) == {PASSED: 7, FAILED: 1, ERROR: 2}
    france = by_case(side)["france", 0]
    assert (france.output, france.expected) == ("It is Paris.", "Paris")
    assert (france.usage.input_tokens, france.usage.output_tokens) == (8, 3)
    assert "the model is down" in str(by_case(side)["atlantis", 1].error)


def test_a_deepeval_metric_that_raised_is_an_error_and_not_a_zero() -> None:
    side = open_side(DATA / "deepeval" / "head")
    assert {each.name: each.rule for each in side.checks} == {
        "Contains": ">= 0.5",
        "Exact Match": ">= 1",
    }
    assert outcomes(side, "Contains") == {
        ("france", 0): PASSED,
        ("italy", 0): FAILED,
        ("japan", 0): PASSED,
        ("atlantis", 0): ERROR,
    }
    assert outcomes(side, "Exact Match")["atlantis", 0] is PASSED
    france = by_case(side)["france", 0]
    assert (france.usage.cost, france.latency, france.expected) == (0.001, 0.25, "Paris")


def test_a_deepeval_file_of_the_results_folder_is_the_same_run() -> None:
    of_folder = open_side(DATA / "deepeval" / "head")
    of_file = open_side(DATA / "deepeval" / "test_run.json")
    assert list(of_folder.results()) == list(of_file.results())


def test_repeats_of_deepeval_are_repeats() -> None:
    side = open_side(DATA / "deepeval" / "twice")
    assert side.repeats == 2
    assert sorted(repeat for case, repeat in by_case(side) if case == "italy") == [0, 1]


def test_the_filters_of_one_lm_eval_document_are_one_result() -> None:
    side = open_side(DATA / "lm_eval" / "base")
    assert [each.name for each in side.checks] == ["exact_match,last-word", "exact_match,whole"]
    results = list(side.results())
    assert [each.case.split("-")[0] for each in results] == ["0", "1", "2", "3"]
    assert all(
        [verdict.outcome for verdict in each.verdicts] == [PASSED, FAILED] for each in results
    )
    assert side.identity == {"task": "capitals", "task version": "1.0"}
    assert results[0].inputs == {"country": "France", "capital": "Paris"}


def test_an_lm_eval_choice_has_its_two_accuracies() -> None:
    (path,) = (DATA / "lm_eval").glob("samples_capitals_choice_*")
    side = open_side(path)
    assert [each.name for each in side.checks] == ["acc", "acc_norm"]
    assert "no `results_*.json` lies beside" in side.notes[-1]


def test_the_aggregates_of_lm_eval_are_sent_to_the_samples() -> None:
    (path,) = (DATA / "lm_eval" / "base").glob("results_*")
    with pytest.raises(UsageError, match="of all documents together") as caught:
        open_side(path)
    assert "--log_samples" in str(caught.value.hint)


def test_an_mlflow_table_has_a_check_a_metric() -> None:
    side = open_side(DATA / "mlflow" / "head" / "eval_results_table.json")
    assert outcomes(side, "contains") == {
        ("france", 0): PASSED,
        ("italy", 0): FAILED,
        ("japan", 0): PASSED,
        ("atlantis", 0): UNSCORED,
        ("peru", 0): PASSED,
    }
    assert by_case(side)["france", 0].output == "It is Paris."


@pytest.mark.parametrize("name", ["result_df.json", "result_df.csv"])
def test_an_mlflow_scorer_that_raised_is_an_error_though_mlflow_leaves_it_out(name: str) -> None:
    side = open_side(DATA / "mlflow" / "head" / name)
    assert {each.name: each.rule for each in side.checks} == {
        "names_city": "== 1",
        "words": None,
        "polite": "== 1",
    }
    assert list(outcomes(side, "names_city").values()) == [PASSED, FAILED, PASSED, ERROR, ERROR]
    *_, down = side.results()
    assert down.error == "the traced call ended in an error"
    assert "paired by `request`" in side.notes[0]


def test_ids_and_order_are_the_same_however_often_a_side_is_read() -> None:
    for path, subject in (
        (DATA / "promptfoo" / "capitals.jsonl", "smollm2 | long"),
        (DATA / "inspect" / "head.json", None),
        (DATA / "lm_eval" / "head", None),
    ):
        side = open_side(path, subject=subject)
        first = list(side.results())
        assert first == list(side.results())
        assert [each.case for each in first] == sorted(
            (each.case for each in first), key=[each.case for each in first].index
        ), "all repeats of a case lie next to each other"
