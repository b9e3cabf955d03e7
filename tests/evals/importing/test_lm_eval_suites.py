"""Tasks of lm-evaluation-harness as suites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from llmops.core.errors import DocumentError, UsageError
from llmops.evals.importing.planning import plan_suites, read_suites
from llmops.evals.importing.values import ImportedSuite
from llmops.project import load_project
from llmops.project.scaffold import create
from llmops.prompts.exchange.files import write_all
from llmops.prompts.prompt import parse_prompt

DATA = Path(__file__).parents[2] / "data" / "foreign" / "importing"


def task(folder: Path, **changes: Any) -> Path:
    (folder / "rows.jsonl").write_text(
        '{"country": "France", "capital": "Paris", "big": "yes"}\n'
        '{"country": "Malta", "capital": "Valletta", "big": "no"}\n'
    )
    data = {
        "task": "capitals",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "What is the capital of {{country}}?",
        "doc_to_target": "{{capital}}",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 8},
        "metric_list": [{"metric": "exact_match", "ignore_case": True}],
        **changes,
    }
    path = folder / "task.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in data.items() if value != "-"}))
    return path


def suite_of(path: Path, **options: Any) -> ImportedSuite:
    (suite,) = read_suites(path, name="x", **options).suites
    return suite


def test_a_task_becomes_a_prompt_rows_and_a_gate_against_a_base(tmp_path: Path) -> None:
    suite = suite_of(task(tmp_path, description="Geography. "))
    prompt = parse_prompt(suite.prompt.text, Path("p.prompty"), name=suite.prompt.name)
    (message,) = prompt.render(country="Malta")
    assert message.content == "Geography. What is the capital of Malta?"
    assert [(row["country"], row["expected"]) for row in suite.rows] == [
        ("France", "Paris"),
        ("Malta", "Valletta"),
    ]
    assert suite.checks == (
        {
            "scorer": "exact_match",
            "name": "exact_match",
            "options": {"strip": False, "ignore_case": True},
            "pass": "== 1",
        },
    )
    assert suite.gate == {"metrics": [{"check": "exact_match", "drop": "<= 0.02"}]}
    assert suite.sampling == {"temperature": 0, "max_tokens": 8, "stop": ["\n"]}


def test_fixed_choices_constrain_the_answer(tmp_path: Path) -> None:
    suite = suite_of(
        task(
            tmp_path,
            output_type="multiple_choice",
            doc_to_choice=["no", "yes"],
            doc_to_target="big",
            metric_list=[{"metric": "acc"}],
            generation_kwargs="-",
        )
    )
    assert [row["expected"] for row in suite.rows] == ["yes", "no"]
    assert suite.sampling["extra"] == {"structured_outputs": {"choice": ["no", "yes"]}}


def test_the_suite_that_is_written_can_be_loaded(tmp_path: Path) -> None:
    create(tmp_path / "project")
    project = load_project(tmp_path / "project")
    read = read_suites(task(tmp_path), name="capitals-task")
    write_all(plan_suites(read, project.folder("evals"), project.prompts))
    suite = project.suite("capitals-task").load()
    assert suite.gate.comparison.margins[0].check == "exact_match"
    assert project.prompt(suite.subject.prompt).name == "capitals"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset_path": "org/hub"}, "its data is on a hub: `org/hub`"),
        ({"num_fewshot": 5}, "examples that the harness draws"),
        ({"output_type": "loglikelihood"}, "`output_type: loglikelihood`"),
        ({"process_docs": "x"}, "`process_docs` cannot be taken over"),
        ({"include": "other.yaml"}, "`include` cannot be taken over"),
        ({"metric_list": [{"metric": "f1"}]}, "the metric `f1` cannot be taken over"),
        (
            {"metric_list": [{"metric": "exact_match", "ignore_punctuation": True}]},
            "with `ignore_punctuation`",
        ),
        ({"filter_list": [{"filter": [{"function": "regex"}]}]}, "the filter `regex`"),
        ({"generation_kwargs": {"num_beams": 4}}, "`generation_kwargs.num_beams`"),
        ({"doc_to_text": "{{land}}"}, "has no `land`"),
        ({"doc_to_target": "{{ 1 / 0 }}"}, "cannot be rendered: division by zero"),
        ({"dataset_kwargs": {}}, "names no file for the split"),
        ({"dataset_kwargs": 5}, "names no file for the split"),
        ({"metric_list": 5}, "`metric_list` should be a list of mappings"),
        ({"filter_list": ["lowercase"]}, "`filter_list` should be a list of mappings"),
        ({"filter_list": [{"filter": 5}]}, "`filter` should be a list"),
        ({"filter_list": [{"filter": [5]}]}, "the filter `5`"),
        ({"generation_kwargs": {"until": 5}}, "`until` should be a text or a list of texts"),
        (
            {"output_type": "multiple_choice", "doc_to_choice": "{{choices}}"},
            "choices that differ from row to row",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_suites(task(tmp_path, **changes), name="x")
    assert message in caught.value.message


def test_a_task_without_rows_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "none.jsonl"
    rows.touch()
    with pytest.raises(DocumentError, match="the data has no rows"):
        read_suites(task(tmp_path), name="x", data=rows)


def test_what_python_code_makes_is_refused_with_its_line(tmp_path: Path) -> None:
    path = task(tmp_path)
    path.write_text(path.read_text() + "process_results: !function utils.process\n")
    with pytest.raises(DocumentError, match="`process_results` is made by Python code") as caught:
        read_suites(path, name="x")
    assert caught.value.where is not None
    assert caught.value.where.line == len(path.read_text().splitlines())


def test_a_filter_that_is_left_out_is_told(tmp_path: Path) -> None:
    path = DATA / "capitals.yaml"
    with pytest.raises(DocumentError, match="several filters"):
        read_suites(path, name="x")
    changed = task(tmp_path, filter_list=[{"filter": [{"function": "regex"}]}])
    read = read_suites(changed, name="x", leave_out=True)
    assert read.left_out[0].startswith("the filter `regex`")


def test_rows_of_a_hub_are_given_as_a_file(tmp_path: Path) -> None:
    path = task(tmp_path, dataset_path="org/hub", dataset_kwargs="-")
    suite = suite_of(path, data=tmp_path / "rows.jsonl")
    assert len(suite.rows) == 2
