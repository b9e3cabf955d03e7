"""No cell that differs is left out: one file is changed, and two checkouts say what differs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.core.errors import LlmopsError
from llmops.project import load_project
from llmops.prompts.release import lock_prompts, promote

ANSWERS = {"support/answer", "polite", "kind"}
"""The suites on the prompt `support/answer` as it is now."""
QUESTIONS = ANSWERS | {"support/released", "triage"}

Edit = Callable[[Any], None]
Told = frozenset[tuple[str, str]]

UNREADABLE = "*"
"""Stands for all cases of a suite that the oracle cannot read."""


def edit(path: str, old: str, new: str) -> Edit:
    return lambda repository: repository.replace(path, old, new)


def _release(repository: Any) -> None:
    repository.replace("prompts/support/answer.prompty", "system:", "system:\nBe short.")
    repository.replace("prompts/support/answer.prompty", "version: 1.0.0", "version: 1.1.0")
    prompts = load_project(repository.root).prompts
    lock_prompts(prompts)
    promote(prompts, "support/answer", "1.1.0", to="production", why="shorter", force=True)


def _rename_prompt(repository: Any) -> None:
    (repository.root / "prompts/count.prompty").rename(repository.root / "prompts/number.prompty")
    repository.replace("evals/count.yaml", "prompt: count", "prompt: number")


def _rename_model(repository: Any) -> None:
    repository.replace("llmops.toml", "[models.local]", "[models.here]")
    repository.replace("llmops.toml", 'default_model = "local"', 'default_model = "here"')
    for name in ("correct", "clear", "grounded"):
        repository.replace(f"evals/judged/{name}.yaml", "model: local", "model: here")


def _add_case(repository: Any) -> None:
    row = {"id": "new", "question": "New?", "language": "de", "expected": "x", "passage": "p"}
    path = "evals/data/questions.jsonl"
    repository.write(path, repository.read(path) + json.dumps(row) + "\n")


def _reverse_cases(repository: Any) -> None:
    path = "evals/data/questions.jsonl"
    lines = repository.read(path).splitlines(keepends=True)
    repository.write(path, "".join(reversed(lines)))


def _add_suite(repository: Any) -> None:
    repository.write("evals/fresh.yaml", repository.read("evals/count.yaml"))


GERMAN = {f"q{n}" for n in (0, 4, 8)}

MUTATIONS: dict[str, tuple[Edit, set[str], set[str] | None]] = {
    # name: the edit, the suites that it touches, their cases (`None` for all of them)
    "nothing": (lambda _: None, set(), None),
    "a text for people": (edit("README.md", "A project", "The project"), set(), None),
    "a prompt": (edit("prompts/support/answer.prompty", "user:", "user:\nPlease."), ANSWERS, None),
    "a prompt's comment": (
        edit("prompts/support/answer.prompty", "system:\n", "{# why #}\nsystem:\n"),
        set(),
        None,
    ),
    "a prompt's temperature": (
        edit("prompts/support/answer.prompty", "temperature: 0", "temperature: 0.5"),
        ANSWERS,
        None,
    ),
    "a prompt's version alone": (
        edit("prompts/support/answer.prompty", "version: 1.0.0", "version: 1.0.1"),
        set(),
        None,
    ),
    "a prompt that no suite asks": (edit("prompts/unused.prompty", "after", "before"), set(), None),
    "a partial": (edit("prompts/shared/tone.jinja", "kind", "brief"), ANSWERS, None),
    "a partial in one branch": (edit("prompts/shared/german.jinja", "auf", "in"), ANSWERS, GERMAN),
    "a branch of the prompt": (
        edit("prompts/support/answer.prompty", '"shared/german" %}', '"shared/german" %} Kurz.'),
        ANSWERS,
        GERMAN,
    ),
    "an example": (edit("prompts/triage.jsonl", "My bill", "The bill"), {"triage"}, None),
    "an output's values": (
        edit("prompts/support/triage.prompty", "billing, other", "other, billing"),
        {"triage"},
        None,
    ),
    "a judge's prompt": (edit("prompts/judges/kind.prompty", "kind?", "polite?"), {"kind"}, None),
    "a judge's default prompt": (
        edit("prompts/judges/correctness.prompty", "the same", "as much"),
        {"judged/correct"},
        None,
    ),
    "a partial of a judge's prompt": (
        edit("prompts/shared/scale.jinja", "5", "5, no more"),
        {"judged/clear"},
        None,
    ),
    "a judge's prompt's model": (
        edit("prompts/judges/correctness.prompty", "referee", "judge"),
        {"judged/correct"},
        None,
    ),
    "the model that a judge's prompt names": (
        edit("llmops.toml", "/referee", "/better-referee"),
        {"judged/correct"},
        None,
    ),
    "a calibration": (
        edit("evals/calibrations/correct.json", "0.7", "0.8"),
        {"judged/correct"},
        None,
    ),
    "a calibration that no suite names": (
        edit("evals/calibrations/other.json", "0.2", "0.3"),
        set(),
        None,
    ),
    "a schema of rows": (
        edit("evals/row.json", '"question"', '"question", "id"'),
        {"judged/correct"},
        None,
    ),
    "a pinned package": (
        edit("requirements.txt", "0.4.3", "0.4.4"),
        {"judged/grounded", "polite"},
        None,
    ),
    "a package that is asked for": (
        edit("pyproject.toml", '"ragas"', '"ragas<1"'),
        {"judged/grounded", "polite"},
        None,
    ),
    "the version of the app": (edit("pyproject.toml", '"1"', '"2"'), set(), None),
    "a judge's model": (
        edit("llmops.toml", "/judge", "/better-judge"),
        {"kind", "judged/grounded"},
        None,
    ),
    "the default model": (
        edit("llmops.toml", 'default_model = "local"', 'default_model = "other"'),
        {"support/answer", "support/released", "triage", "polite", "judged/clear"},
        None,
    ),
    "the name of the model of all": (_rename_model, set(), None),
    "an address": (edit("llmops.toml", ":9000", ":9001"), {"count", "kind"}, None),
    "a timeout": (edit("llmops.toml", "timeout = 60", "timeout = 30"), set(), None),
    "a row's question": (
        edit("evals/data/questions.jsonl", "Question 3?", "Which 3?"),
        QUESTIONS,
        {"q3"},
    ),
    "a row's expected answer": (
        edit("evals/data/questions.jsonl", "Answer 5", "Answer five"),
        QUESTIONS,
        {"q5"},
    ),
    "a row's language": (
        edit("evals/data/questions.jsonl", '"q4", "question": "Question 4?", "language": "de"',
             '"q4", "question": "Question 4?", "language": "en"'),
        QUESTIONS - {"triage"},
        {"q4"},
    ),
    "a new row": (_add_case, QUESTIONS, {"new"}),
    "the order of the rows": (_reverse_cases, set(), None),
    "a cell of a table": (edit("evals/data/numbers.csv", "n2,2,3", "n2,2,4"), {"count"}, {"n2"}),
    "a schema of answers": (edit("evals/schema.json", "object", "array"), {"triage"}, None),
    "own code": (edit("evals/code/rude.py", "any(", "all("), {"polite"}, None),
    "what own code imports": (edit("evals/code/helper.py", "1.0", "0.5"), {"polite"}, None),
    "what own code reads": (edit("evals/code/words.txt", "damn", "darn"), {"polite"}, None),
    "a rule": (edit("evals/support/answer.yaml", ">= 0.5", ">= 0.6"), {"support/answer"}, None),
    "a suite's sampling": (
        edit("evals/count.yaml", "max_tokens: 5", "max_tokens: 6"),
        {"count"},
        None,
    ),
    "a suite's description": (edit("evals/triage.yaml", "Sorts", "Files"), set(), None),
    "a suite's contexts": (
        edit("evals/support/answer.yaml", ", contexts: [passage]", ""),
        {"support/answer"},
        None,
    ),
    "a suite's model": (edit("evals/count.yaml", "model: other", "model: local"), {"count"}, None),
    "a suite's repeats": (
        edit("evals/count.yaml", "sampling:", "repeat: 3\nsampling:"),
        {"count"},
        None,
    ),
    "a new suite": (_add_suite, {"fresh"}, None),
    "a prompt's name": (_rename_prompt, set(), None),  # it says the same
    "a release": (_release, ANSWERS | {"support/released"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_an_edit_touches_what_it_changes_and_nothing_else(
    name: str, repository: Any, checked_out: Path, ask_oracle: Any
) -> None:
    apply, suites, cases = MUTATIONS[name]
    apply(repository)
    touched = repository.touched()
    before, after = ask_oracle(checked_out), ask_oracle(repository.root)
    differing = {cell for cell, what in after.items() if before.get(cell) != what}
    assert differing <= touched
    assert {suite for suite, _ in touched} == suites
    if cases is not None:
        assert {case for _, case in touched} == cases
    else:
        assert touched == {cell for cell in after if cell[0] in suites}


def test_an_edit_that_was_committed_is_told_beside_the_commit_before(repository: Any) -> None:
    repository.replace("prompts/shared/german.jinja", "auf", "in")
    here = repository.touched()
    repository.commit()
    assert repository.touched("HEAD~1") == here
    assert repository.touched() == set()


def test_with_another_model_for_all_no_suite_is_touched_by_its_own(repository: Any) -> None:
    repository.replace("evals/count.yaml", "model: other", "model: local")
    assert repository.state(model="judge").suite("count").cells.modified == frozenset()


def test_own_code_that_is_handed_models_is_touched_by_any_of_them(repository: Any) -> None:
    repository.replace(
        "evals/code/rude.py", "def rude(sample)", "def rude(sample, *, services=None)"
    )
    repository.commit()
    repository.replace("llmops.toml", "/referee", "/better-referee")
    assert repository.touched_suites() == {"judged/correct", "polite"}
    repository.commit()
    repository.replace("prompts/unused.prompty", "after", "before")
    assert repository.touched_suites() == {"polite"}


def test_whatever_lies_beside_own_code_counts_unless_it_is_a_dataset(repository: Any) -> None:
    repository.write("evals/code/lists/de.csv", "word\nmist\n")
    assert repository.touched_suites() == {"polite"}
    repository.commit()
    repository.write("evals/code/numbers.csv", repository.read("evals/data/numbers.csv"))
    repository.replace("evals/count.yaml", "data/numbers.csv", "code/numbers.csv")
    assert repository.touched_suites() == set()  # the same rows, in another place


def test_a_named_file_that_git_does_not_keep_counts_as_changed(repository: Any) -> None:
    repository.write(".gitignore", ".llmops/\n__pycache__/\n/evals/made/\n")
    repository.write("evals/made/schema.json", repository.read("evals/schema.json"))
    repository.replace("evals/triage.yaml", "schema.json", "made/schema.json")
    repository.commit()
    cells = repository.state().suite("triage").cells
    assert len(cells.modified) == 12
    assert cells.reasons == (
        "git does not keep evals/made/schema.json, so whether it changed cannot be told",
    )


MUTABLE = [
    "llmops.toml",
    "prompts/support/answer.prompty",
    "prompts/support/triage.prompty",
    "prompts/triage.jsonl",
    "prompts/count.prompty",
    "prompts/judges/kind.prompty",
    "prompts/shared/tone.jinja",
    "prompts/shared/german.jinja",
    "evals/data/questions.jsonl",
    "evals/data/numbers.csv",
    "evals/schema.json",
    "evals/code/helper.py",
    "evals/code/words.txt",
    "evals/support/answer.yaml",
    "evals/support/released.yaml",
    "evals/triage.yaml",
    "evals/count.yaml",
    "evals/polite.yaml",
    "evals/kind.yaml",
    "prompts/judges/correctness.prompty",
    "prompts/judges/geval.prompty",
    "prompts/shared/scale.jinja",
    "prompts/plain.prompty",
    "evals/row.json",
    "evals/calibrations/correct.json",
    "evals/judged/correct.yaml",
    "evals/judged/clear.yaml",
    "evals/judged/grounded.yaml",
    "requirements.txt",
]


@st.composite
def mistyped(draw: st.DrawFn, text: str) -> str:
    """The text with one line dropped, doubled, swapped with another, or typed over."""
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["drop", "double", "type", "swap"])):
        case "drop":
            del lines[at]
        case "double":
            lines.insert(at, lines[at])
        case "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        case _:
            column = draw(st.integers(0, len(lines[at])))
            typed = draw(st.sampled_from([*"ab 109.:", "_x", '"']))
            lines[at] = lines[at][:column] + typed + lines[at][column + 1 :]
    return "\n".join(lines)


def said(repository: Any) -> Told | None:
    """What the state says is touched; `None` where it says instead what cannot be read."""
    try:
        return frozenset(repository.touched())
    except LlmopsError:
        return None


def left_out(before: Mapping[Any, str], after: Mapping[Any, str], touched: Told) -> set[Any]:
    """The cells that differ, and are not among the touched ones.

    Of a suite that cannot be read now, any touched case will do: it is run, and
    the run says what is wrong.
    """
    suites = {suite for suite, _ in touched}
    return {
        (suite, case)
        for (suite, case), what in after.items()
        if before.get((suite, case)) != what
        and (suite not in suites if case == UNREADABLE else (suite, case) not in touched)
    }


UNENDING = {
    "max_examples": 40,
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@given(data=st.data(), path=st.sampled_from(MUTABLE))
@settings(**UNENDING)
def test_no_cell_that_differs_is_left_out_whatever_was_typed(
    data: st.DataObject, path: str, repository: Any, checked_out: Path, ask_oracle: Any
) -> None:
    original = repository.read(path)
    try:
        repository.write(path, data.draw(mistyped(original)))
        touched = said(repository)
        try:
            after = ask_oracle(repository.root)
        except LlmopsError:  # the project as a whole cannot be read, and that is said
            assert touched is None
            return
        if touched is not None:
            assert left_out(ask_oracle(checked_out), after, touched) == set()
    finally:
        repository.write(path, original)
        shutil.rmtree(repository.root / "evals/code/__pycache__", ignore_errors=True)


@given(data=st.data(), path=st.sampled_from(MUTABLE))
@settings(**UNENDING)
def test_no_cell_that_differs_is_left_out_whatever_was_typed_at_the_base(
    data: st.DataObject, path: str, repository: Any, checked_out: Path, ask_oracle: Any
) -> None:
    original = repository.read(path)
    base = repository.git("rev-parse", "HEAD").strip()
    try:
        repository.write(path, data.draw(mistyped(original)))
        repository.git("commit", "-qam", "typed", "--allow-empty")
        try:
            before = ask_oracle(repository.root)
        except LlmopsError:
            before = None
        repository.write(path, original)
        touched = said(repository)
        if touched is None:
            assert path == "llmops.toml"  # the whole project of then; a suite of then is no error
        else:
            assert left_out(before or {}, ask_oracle(checked_out), touched) == set()
    finally:
        repository.git("reset", "-q", "--hard", base)
        shutil.rmtree(repository.root / "evals/code/__pycache__", ignore_errors=True)
