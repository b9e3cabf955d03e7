"""promptfoo configs as suites, held against what promptfoo itself made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from llmops.core.errors import DocumentError
from llmops.core.scoring import Outcome
from llmops.evals.foreign.opening import open_side
from llmops.evals.importing.planning import plan_suites, read_suites
from llmops.evals.importing.values import ImportedSuites
from llmops.project import Project, load_project
from llmops.project.scaffold import create
from llmops.prompts.exchange.files import write_all
from llmops.testing import FaultyEndpoint

DATA = Path(__file__).parents[2] / "data" / "foreign" / "importing"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    create(tmp_path / "project")
    return load_project(tmp_path / "project")


def echo(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    # promptfoo trims a prompt before its provider `echo` says it again.
    return str(messages[-1]["content"]).strip()


def imported(project: Project, source: Path, name: str = "taken") -> ImportedSuites:
    read = read_suites(source, name=name)
    write_all(plan_suites(read, project.folder("evals"), project.prompts))
    return read


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["promptfooconfig", "weighted"])
async def test_each_test_passes_and_fails_as_it_does_in_promptfoo(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    imported(project, DATA / f"{name}.yaml")
    theirs = {
        result.case: result.outcome for result in open_side(DATA / f"{name}.results.json").results()
    }
    async with FaultyEndpoint(echo) as endpoint:
        monkeypatch.setenv("LLMOPS_MODELS__LOCAL__API_BASE", endpoint.api_base)
        monkeypatch.setenv("LLMOPS_MODELS__LOCAL__MODEL", f"hosted_vllm/{endpoint.model}")
        report = await load_project(project.root).suite("taken").run()
    ours = {result.case: result.outcome for result in report.results()}
    assert ours == theirs
    assert {Outcome.PASSED, Outcome.FAILED} == set(ours.values())
    # promptfoo exited with 100: not all of its tests had passed.
    assert report.summary.decision.outcome == "failed"


def config(folder: Path, text: str) -> Path:
    path = folder / "promptfooconfig.yaml"
    path.write_text(f"prompts: ['Say {{{{ word }}}}']\nproviders: [echo]\n{text}")
    return path


def checks(read: ImportedSuites) -> list[dict[str, object]]:
    return [dict(each) for each in read.suites[0].checks]


def test_what_all_tests_assert_is_a_check_and_one_text_each_is_the_expected_value(
    tmp_path: Path,
) -> None:
    read = read_suites(
        config(
            tmp_path,
            """
defaultTest:
  assert: [{type: latency, threshold: 2000}, {type: not-contains, value: sorry}]
tests:
  - {vars: {word: a}, assert: [{type: icontains, value: A}]}
  - {vars: {word: b}, assert: [{type: icontains, value: "{{ word }}"}]}
""",
        ),
        name="x",
    )
    assert checks(read) == [
        {"scorer": "latency", "pass": "<= 2"},
        {"scorer": "contains", "options": {"text": "sorry"}, "pass": "== 0"},
        {
            "scorer": "contains",
            "name": "contains 2",
            "options": {"ignore_case": True},
            "pass": "== 1",
        },
    ]
    assert [row["expected"] for row in read.suites[0].rows] == ["A", "b"]


@pytest.mark.parametrize(
    ("assertion", "reason"),
    [
        ("{type: javascript, value: 'output.length'}", "a program decides it"),
        ("{type: llm-rubric, value: is polite}", "a model judges it"),
        ("{type: similar, value: hello}", "embedding model"),
        ("{type: levenshtein, value: hello}", "no scorer here does the same"),
        ("{type: contains, value: '{{ word | upper }}'}", "a template"),
        ("{type: contains, value: '{{ wrod }}'}", "no such variable"),
        ("{type: contains, value: 'file://x.txt'}", "in a file"),
        ("{type: contains, value: a, transform: output.trim()}", "`transform` is not known"),
        ("{type: contains, value: a, weight: 0}", "never fails"),
        ("{type: contains, value: a, weight: heavy}", "its `weight` is no number"),
        ("{type: regex, value: 'a[^]b'}", "JavaScript's own"),
        ("{type: regex, value: '('}", "its pattern is broken"),
        ("{type: word-count}", "its value is no whole number"),
        ("{type: word-count, value: {max: many}}", "its value is no whole number"),
        ("{type: assert-set, assert: 5}", "its `assert` is no list"),
        ("{type: assert-set, threshold: 0.5, assert: [{type: contains, value: a}]}", "a set"),
        ("{value: a}", "no `type`"),
    ],
)
def test_an_assertion_that_cannot_be_taken_over_is_refused_or_listed(
    tmp_path: Path, assertion: str, reason: str
) -> None:
    path = config(
        tmp_path,
        f"tests:\n  - vars: {{word: a}}\n    assert: [{{type: contains, value: a}}, {assertion}]\n",
    )
    with pytest.raises(DocumentError, match="cannot be taken over") as caught:
        read_suites(path, name="x")
    assert reason in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.line == 4
    read = read_suites(path, name="x", leave_out=True)
    assert [each["scorer"] for each in checks(read)] == ["contains"]
    (told,) = read.left_out
    assert reason in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tests: [{vars: {word: a}}]", "asserts nothing"),
        ("tests: [{vars: {word: a}, asert: [{type: contains, value: a}]}]", "`asert`"),
        ("tests: []", "has no tests"),
        ("description: x", "has no tests"),
        ("tests: [{vars: 5}]", "`vars` should be a mapping of names to values"),
        ("tests: [{vars: {word: a}, assert: 5}]", "`assert` should be a list of assertions"),
        ("tests: [{vars: {word: a}, threshold: half}]", "`threshold` should be a number"),
        ("defaultTest: {vars: 5}\ntests: [{vars: {word: a}}]", "`vars` should be a mapping"),
        ("defaultTest: 5\ntests: [{vars: {word: a}}]", "`defaultTest` is no test"),
        (
            "evaluateOptions: {repeat: x}\ntests: [{vars: {word: a}, assert: [{type: is-json}]}]",
            "`evaluateOptions.repeat` should be a whole number",
        ),
        ("tests: [{vars: {word: 'file://x.txt'}, assert: [{type: is-json}]}]", "a file or a templ"),
        ("tests: [{vars: {word: a}, provider: x, assert: [{type: is-json}]}]", "`provider`"),
        ("tests: 'file://make.py'", "cannot be read here"),
        ("tests: [1]", "is no test"),
        ("scenarios: []\ntests: [{vars: {word: a}, assert: [{type: is-json}]}]", "`scenarios`"),
        (
            "defaultTest: {options: {prefix: x}}\ntests: [{vars: {word: a}}]",
            "`options.prefix` cannot be taken over",
        ),
    ],
)
def test_what_could_turn_a_result_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_suites(config(tmp_path, text), name="x")
    assert message in caught.value.message


@pytest.mark.parametrize(
    "columns",
    ["word,__expected,__threshold\na,contains: a,half", "word,__expected\na,similar(1.2.3): a"],
)
def test_a_threshold_in_csv_that_is_no_number_is_refused_with_its_line(
    tmp_path: Path, columns: str
) -> None:
    (tmp_path / "t.csv").write_text(columns + "\n")
    with pytest.raises(DocumentError, match="is no number") as caught:
        read_suites(config(tmp_path, "tests: file://t.csv"), name="x")
    assert caught.value.where is not None
    assert (caught.value.where.path.name, caught.value.where.line) == ("t.csv", 2)


def test_tests_in_csv_have_their_assertions_in_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "word,__expected,__expected2,__description\n"
        'a,"contains: a",not-icontains: sorry,first\nb,Say b,,second\n'
    )
    read = read_suites(config(tmp_path, "tests: file://t.csv\n"), name="x")
    first, second = read.suites[0].rows
    assert [each["scorer"] for each in first["expected"]] == ["contains", "contains"]
    assert first["expected"][1]["pass"] == "== 0"
    assert [each["scorer"] for each in second["expected"]] == ["regex"]
    assert str(first["id"]).startswith("first-")


def test_several_prompts_become_several_suites_of_one_dataset(project: Project) -> None:
    source = project.root / "promptfooconfig.yaml"
    source.write_text(
        """
prompts:
  - {label: short, raw: "{{ word }}"}
  - {label: long, raw: "Say {{ word }}, please."}
providers: [openai:chat:a, openai:chat:b]
tests: [{vars: {word: a}, assert: [{type: contains, value: a}]}]
evaluateOptions: {repeat: 3}
"""
    )
    read = imported(project, source)
    assert [each.name for each in read.suites] == ["taken-short", "taken-long"]
    suites = [
        yaml.safe_load((project.folder("evals") / f"{each.name}.yaml").read_text())
        for each in read.suites
    ]
    assert suites[0]["dataset"]["path"] == suites[1]["dataset"]["path"]
    assert [each["subject"]["prompt"] for each in suites] == ["taken/short", "taken/long"]
    assert suites[0]["repeat"] == 3
    assert "asks 2 models" in read.notes[0]
    assert {each.name for each in project.suites()} >= {"taken-short", "taken-long"}
    for each in project.suites():
        each.load()


def test_importing_twice_changes_nothing(project: Project) -> None:
    read = imported(project, DATA / "promptfooconfig.yaml")
    again = plan_suites(read, project.folder("evals"), project.prompts)
    assert {each.state.value for each in again} == {"unchanged"}
    rows = (project.folder("evals") / "data" / "taken.jsonl").read_text().splitlines()
    assert len(rows) == 17
    assert len({json.loads(row)["id"] for row in rows}) == 17
