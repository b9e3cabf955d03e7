"""Plain tables, and files of any kind that are broken."""

from __future__ import annotations

import json
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.errors import DocumentError, UsageError
from llmops.core.scoring import Outcome
from llmops.evals.comparison.sides import Side
from llmops.evals.foreign.detecting import Kind, detect
from llmops.evals.foreign.opening import open_side

DATA = Path(__file__).parents[2] / "data" / "foreign"


def side_of(folder: Path, text: str, name: str = "results.csv") -> Side:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return open_side(path)


def test_a_table_has_ids_scores_and_further_measures(tmp_path: Path) -> None:
    side = side_of(
        tmp_path,
        'id,score,passed,words,language,output\na,0.9,true,3,de,"Ja, gern"\nb,0.1,no,5,en,No\n',
    )
    assert [(each.name, each.rule) for each in side.checks] == [
        ("score", "as the column `passed` says"),
        ("words", None),
    ]
    first, second = side.results()
    assert (first.output, first.inputs) == ("Ja, gern", {"language": "de"})
    assert [each.outcome for each in first.verdicts] == [Outcome.PASSED, Outcome.PASSED]
    assert [each.outcome for each in second.verdicts] == [Outcome.FAILED, Outcome.PASSED]
    assert [each.score.value for each in second.verdicts] == [0.1, 5.0]


def test_scores_of_zero_and_one_are_failures_and_passes(tmp_path: Path) -> None:
    side = side_of(tmp_path, "id,score\na,1\nb,0\n")
    assert [each.rule for each in side.checks] == ["== 1"]
    assert [each.outcome for each in side.results()] == [Outcome.PASSED, Outcome.FAILED]


def test_an_empty_score_and_nan_are_unscored_and_an_error_is_an_error(tmp_path: Path) -> None:
    side = side_of(tmp_path, "id,score,error\na,,\nb,NaN,\nc,,provider down\nd,0.5,\n")
    assert [each.outcome for each in side.results()] == [
        *(Outcome.UNSCORED, Outcome.UNSCORED, Outcome.ERROR, Outcome.PASSED),
    ]


def test_repeats_that_lie_apart_are_put_together(tmp_path: Path) -> None:
    rows = [{"id": case, "repeat": n, "score": n / 10} for n in range(3) for case in ("b", "a")]
    side = side_of(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "results.jsonl")
    assert side.repeats == 3
    assert [(each.case, each.repeat) for each in side.results()] == [
        *(("b", 0), ("b", 1), ("b", 2), ("a", 0), ("a", 1), ("a", 2)),
    ]


def test_rows_of_csv_that_span_lines_are_found_again(tmp_path: Path) -> None:
    text = "\ufeffid,repeat,score,output\n"
    text += "".join(f'{case},{n},0.5,"ä\n{case}{n}"\n' for n in range(2) for case in "ab")
    side = side_of(tmp_path, text)
    assert [each.output for each in side.results()] == ["ä\na0", "ä\na1", "ä\nb0", "ä\nb1"]


@pytest.mark.parametrize(
    ("name", "text", "message", "line"),
    [
        ("r.csv", "id,score\na,1\n,0\n", "the `id` is missing", 3),
        ("r.csv", "name,score\na,1\n", "the `id` is missing; columns here: name, score", 2),
        ("r.csv", "id,score\na,1\nb,0\na,1\n", None, None),
        ("r.csv", "id,score\na,well\n", "`score` is no number: 'well'", 2),
        ("r.csv", "id,passed\na,perhaps\n", "`passed` is neither true nor false", 2),
        ("r.csv", "id,score,repeat\na,1,-1\n", "`repeat` is no whole number", 2),
        ("r.csv", "id,score,repeat\na,1,0\na,0,0\n", "stands twice, first on line 2", 3),
        ("r.csv", "id,score\na,1,2\n", "3 columns, and the header has 2", 2),
        ("r.csv", "id,text\na,b\n", "neither a column `score` nor another one of numbers", None),
        ("r.csv", "id,score\n", "holds no result", None),
        ("r.csv", "", "the file is empty", None),
        ("r.json", "", "the file is empty", None),
        ("r.csv", 'id,score\na,"1\n', "cut off", 2),
        ("r.jsonl", '{"id": "a", "score": 1}\n{"score": 1}\n', "the `id` is missing", 2),
        ("r.jsonl", '{"id": "a", "score": 1}\n{"id": "b", "sco', "cut off", 2),
        ("r.jsonl", '{"id": "a", "score": 1}\n{"id": "b" "score"}\n', "not valid JSON", 2),
        ("r.jsonl", '{"id": true, "score": 1}\n', "the `id` is missing", 1),
    ],
)
def test_a_broken_table_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str, message: str | None, line: int | None
) -> None:
    if message is None:  # the same id without numbers of repeats: counted
        assert side_of(tmp_path, text, name).repeats == 2
        return
    with pytest.raises(DocumentError, match=message) as caught:
        side_of(tmp_path, text, name)
    assert caught.value.where is not None
    assert caught.value.where.line == line


@pytest.mark.parametrize(
    "path",
    [
        *("promptfoo/capitals.jsonl", "inspect/head.json", "deepeval/test_run.json"),
        *("importing/weighted.results.json", "mlflow/head/result_df.json"),
    ],
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_real_file_that_was_cut_off_is_never_read_as_whole(
    tmp_path: Path, path: str, share: float
) -> None:
    whole = (DATA / path).read_bytes()
    cut = tmp_path / Path(path).name
    cut.write_bytes(whole[: int(len(whole) * share)])
    subject = "scripted | short" if path.startswith("promptfoo") else None
    with pytest.raises(DocumentError, match=r"cut off|did not finish|no tool that is known"):
        list(open_side(cut, subject=subject).results())


def test_an_eval_archive_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    cut = tmp_path / "log.eval"
    cut.write_bytes((DATA / "inspect" / "head.eval").read_bytes()[:-200])
    with pytest.raises(DocumentError, match="cut off"):
        open_side(cut)


def test_the_log_of_an_unfinished_inspect_run_is_refused(tmp_path: Path) -> None:
    log = json.loads((DATA / "inspect" / "head.json").read_text())
    path = tmp_path / "log.json"
    path.write_text(json.dumps({**log, "status": "cancelled"}))
    with pytest.raises(DocumentError, match="its status is `cancelled`"):
        open_side(path)
    started = tmp_path / "log.eval"
    with zipfile.ZipFile(started, "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with pytest.raises(DocumentError, match=r"no `header\.json`"):
        open_side(started)


@pytest.mark.parametrize(
    ("source", "at", "value", "message"),
    [
        ("promptfoo/capitals.jsonl", "testCase", "x", "`testCase` should be an object"),
        ("promptfoo/capitals.jsonl", "response", "x", "`response` should be an object"),
        ("promptfoo/capitals.jsonl", "provider", 5, "`provider` should be a name or an object"),
        ("promptfoo/capitals.jsonl", "namedScores", [1], "`namedScores` should be an object"),
        (
            *("promptfoo/capitals.jsonl", "gradingResult", {"componentResults": [1]}),
            "`gradingResult.componentResults` should be a list of objects",
        ),
        ("inspect/head.json", "eval", [1], "`eval` should be an object"),
        ("inspect/head.json", "samples.0.scores", {"a": 1}, "`scores` should be an object of obj"),
        ("inspect/head.json", "samples.0.error", "down", "`error` should be an object"),
        ("deepeval/test_run.json", "testCases.0.metricsData", "x", "`metricsData` should be"),
        ("mlflow/head/eval_results_table.json", "columns.0", 5, "`columns` should be a list of"),
    ],
)
def test_a_part_of_another_shape_than_the_tool_writes_is_refused_by_its_name(
    tmp_path: Path, source: str, at: str, value: Any, message: str
) -> None:
    written = (DATA / source).read_text(encoding="utf-8")
    lines = written.splitlines() if source.endswith(".jsonl") else [written]
    record = json.loads(lines[0])
    within, keys = record, at.split(".")
    for key in keys[:-1]:
        within = within[int(key) if isinstance(within, list) else key]
    within[int(keys[-1]) if isinstance(within, list) else keys[-1]] = value
    path = tmp_path / Path(source).name
    path.write_text("\n".join([json.dumps(record), *lines[1:]]) + "\n", encoding="utf-8")
    subject = "scripted | short" if source.startswith("promptfoo") else None
    with pytest.raises(DocumentError, match=message):
        list(open_side(path, subject=subject).results())


def test_a_promptfoo_test_without_description_and_variables_has_no_id(tmp_path: Path) -> None:
    lines = (DATA / "promptfoo" / "capitals.jsonl").read_text().splitlines()
    record: dict[str, Any] = json.loads(lines[0])
    record["testCase"] = {"assert": []}
    record["vars"] = {}
    with pytest.raises(DocumentError, match="without description and variables") as caught:
        side_of(tmp_path, json.dumps(record) + "\n", "r.jsonl")
    assert caught.value.where is not None
    assert caught.value.where.line == 1


def test_a_promptfoo_test_that_asserts_nothing_is_unscored(tmp_path: Path) -> None:
    lines = (DATA / "promptfoo" / "capitals.jsonl").read_text().splitlines()
    record: dict[str, Any] = json.loads(lines[0])
    # As promptfoo 0.123.1 writes it of a test with `asert:` for `assert:`.
    record |= {"success": True, "score": 1, "failureReason": 0}
    record["gradingResult"] = {"pass": True, "score": 1, "reason": "No assertions"}
    side = side_of(tmp_path, json.dumps(record) + "\n", "r.jsonl")
    (result,) = side.results()
    assert result.outcome is Outcome.UNSCORED
    assert any("assert nothing" in note for note in side.notes)


def test_two_deepeval_cases_of_one_name_that_ask_something_else_are_refused(
    tmp_path: Path,
) -> None:
    run = json.loads((DATA / "deepeval" / "test_run.json").read_text())
    run["testCases"][1]["name"] = "france"
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run, indent=1))
    with pytest.raises(DocumentError, match="two test cases are named `france`") as caught:
        open_side(path)
    assert caught.value.where is not None
    assert (caught.value.where.line or 0) > 10


def test_a_deepeval_metric_of_which_less_is_better_is_known_by_its_verdicts(
    tmp_path: Path,
) -> None:
    run = json.loads((DATA / "deepeval" / "test_run.json").read_text())
    for case, score in zip(run["testCases"], (0.1, 0.9, 0.2, 0.3), strict=True):
        passed = score <= 0.5
        case["metricsData"] = [
            {"name": "Bias", "threshold": 0.5, "success": passed, "score": score}
        ]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    (check,) = open_side(path).checks
    assert (check.rule, check.higher_is_better) == ("<= 0.5", False)


def test_the_format_is_told_by_the_content_and_not_by_the_name(tmp_path: Path) -> None:
    for source, kind in (
        ("promptfoo/capitals.jsonl", Kind.PROMPTFOO),
        ("importing/weighted.results.json", Kind.PROMPTFOO),
        ("inspect/head.eval", Kind.INSPECT),
        ("inspect/head.json", Kind.INSPECT),
        ("deepeval/test_run.json", Kind.DEEPEVAL),
        ("deepeval/head/.deepeval/.latest_test_run.json", Kind.DEEPEVAL),
        ("mlflow/head/result_df.json", Kind.MLFLOW),
        ("mlflow/head/result_df.csv", Kind.MLFLOW),
        ("mlflow/head/eval_results_table.json", Kind.MLFLOW),
    ):
        copy = tmp_path / "results"
        copy.write_bytes((DATA / source).read_bytes())
        assert detect(copy) is kind, source


def test_a_file_of_no_known_tool_is_refused(tmp_path: Path) -> None:
    for text in ("hello", '{"a": 1}', "<html></html>"):
        with pytest.raises(DocumentError, match="no tool that is known"):
            side_of(tmp_path, text, "r.json")
    with pytest.raises(DocumentError, match="no such file"):
        open_side(tmp_path / "missing.json")
    with pytest.raises(UsageError, match="one subject"):
        open_side(DATA / "inspect" / "head.eval", subject="x")


@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1).filter(
                str.strip
            ),
            st.integers(0, 5),
            st.none() | st.floats(allow_infinity=False),
            st.text(st.characters(codec="utf-8")),
        ),
        min_size=1,
        unique_by=lambda row: row[:2],
    )
)
def test_every_row_comes_back_once_with_its_repeats_together(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, float | None, str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "r.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for case, repeat, score, output in rows:
            row = {"id": case, "repeat": repeat, "score": score, "output": output}
            file.write(json.dumps(row) + "\n")
    results = list(open_side(path).results())
    assert {(each.case, each.repeat, each.output) for each in results} == {
        (case, repeat, output) for case, repeat, _, output in rows
    }
    seen = [each.case for each in results]
    changes = sum(one != other for one, other in pairwise(seen))
    assert changes == len(set(seen)) - 1
