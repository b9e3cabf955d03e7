"""Datasets: good ones are read as they are, bad ones refused with file and line."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmops.core.errors import DocumentError, UsageError
from llmops.evals.dataset import Columns, Dataset
from llmops.evals.rows import read_rows

GOOD = b'{"id": "a", "question": "x", "expected": "y"}\n'


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b"", "the dataset is empty", None),
        (b"\n\n", "the dataset is empty", None),
        (GOOD + b'{"id": "b", \n', "not valid JSON", 2),
        (GOOD + b"[1, 2]\n", "expected an object, found an array", 2),
        (GOOD + b'"text"\n', "expected an object, found a text", 2),
        (GOOD + b'{"id": "b", "question": "\xff"}\n', "not UTF-8: byte 0xff", 2),
        (GOOD + b'{"id": "b", "question": "\x00"}\n', "NUL byte", 2),
        (GOOD + b'{"id": "b", "question": "\\ud800"}\n', "half of a surrogate pair", 2),
        (GOOD + b'{"id": "b", "question": NaN}\n', "NaN is not JSON", 2),
        (GOOD + b'{"id": "b", "question": ' + b"9" * 5000 + b"}\n", "not valid JSON", 2),
        (GOOD + b"[" * 200_000 + b"\n", "nested too deep", 2),
        (GOOD + b'{"id": "b"}\n', "missing columns: `question`", 2),
        (GOOD + b'{"question": "x"}\n', "missing columns: `id`", 2),
        (GOOD + b'{"id": null, "question": "x"}\n', "the id (column `id`) is missing", 2),
        (GOOD + b'{"id": " ", "question": "x"}\n', "the id (column `id`) is missing", 2),
        (GOOD + b'{"id": 1.5, "question": "x"}\n', "neither a text nor a whole number", 2),
        (GOOD + b'{"id": true, "question": "x"}\n', "neither a text nor a whole number", 2),
        (GOOD + b'{"id": "b\\n", "question": "x"}\n', "line break or control character", 2),
        (GOOD + b"\n" + GOOD, "the id `a` stands twice, first on line 1", 3),
        (GOOD + b'{"id": "b", "question": "x", "tags": 7}\n', "the tags (column `tags`)", 2),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer", None),
        (b'[{"id": "a"}]\n', "expected an object", 1),
    ],
)
async def test_a_bad_jsonl_file_is_refused_before_any_call(
    lab: Any, content: bytes, message: str, line: int | None
) -> None:
    path = lab.write("evals/cases.jsonl", content)
    with pytest.raises(DocumentError) as caught:
        await lab.run()
    assert message in str(caught.value)
    assert caught.value.where is not None
    assert (caught.value.where.path, caught.value.where.line) == (path, line)
    assert not lab.output.exists()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b"", "the dataset is empty", None),
        (b"id,question\n", "the dataset is empty", None),
        (b"id,frage,expected\na,x,y\n", "missing columns: `question`", 2),
        (b"id,question\na,x,y\n", "3 columns, and the header has 2", 2),
        (b"id,question\na\n", "1 columns, and the header has 2", 2),
        (b"id,id\na,x\n", "two columns are named `id`", 1),
        (b"id,\na,x\n", "column 2 of the header has no name", 1),
        (b'id,question\n"a,x\n', "not valid CSV", 2),
        (b'id,question\na,"x"y\n', "not valid CSV", 2),
        (b"id,question\na,\xff\n", "not UTF-8", 2),
        (b"id,question\na,\x00\n", "NUL byte", 2),
        (b'id,question\na,"x\ny"\na,z\n', "the id `a` stands twice, first on line 2", 4),
        (b"id,question\n,x\n", "the id (column `id`) is missing", 2),
    ],
)
async def test_a_bad_csv_file_is_refused_before_any_call(
    lab: Any, content: bytes, message: str, line: int | None
) -> None:
    lab.suite_file(dataset={"path": "cases.csv"})
    lab.write("evals/cases.csv", content)
    with pytest.raises(DocumentError) as caught:
        await lab.run()
    assert message in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.line == line


@pytest.mark.anyio
async def test_the_error_for_a_wrong_header_names_the_columns_that_are_there(lab: Any) -> None:
    lab.suite_file(dataset={"path": "cases.csv"})
    lab.write("evals/cases.csv", "nr,frage\n1,x\n")
    with pytest.raises(DocumentError) as caught:
        await lab.run()
    assert "missing columns: `id`, `question`" in caught.value.message
    assert caught.value.hint is not None
    assert "columns here: `nr`, `frage`" in caught.value.hint


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_line_of_200_mb_is_refused_without_reading_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cases.{suffix}"
    with path.open("wb") as file:
        file.write(b"id,question\n" if suffix == "csv" else GOOD)
        file.seek(200 * 1024 * 1024)  # sparse: it takes no room on the disk
        file.write(b"\n")
    tracemalloc.start()
    with pytest.raises(DocumentError, match="a line of more than 16 MB") as caught:
        list(read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.where is not None
    assert caught.value.where.line == 2
    assert peak < 64 * 1024 * 1024


@pytest.mark.anyio
async def test_a_csv_file_with_bom_quotes_and_line_breaks_is_read(lab: Any) -> None:
    lab.suite_file(dataset={"path": "cases.csv", "tags": "kind"})
    lab.write(
        "evals/cases.csv",
        '\ufeffid,question,expected,kind\r\n1,"question\n""1""","answer\n""1""","a, b"\r\n',
    )
    report = await lab.run()
    (result,) = report.results()
    assert result.case == "1"
    assert result.inputs == {"question": 'question\n"1"'}
    assert result.tags == ("a", "b")


@pytest.mark.anyio
async def test_an_empty_csv_cell_expects_nothing(lab: Any) -> None:
    lab.suite_file(dataset={"path": "cases.csv"})
    lab.write("evals/cases.csv", "id,question,expected\n1,question 1,\n2,question 2,answer 2\n")
    report = await lab.run()
    assert [result.outcome for result in report.results()] == ["unscored", "passed"]


@pytest.mark.anyio
async def test_a_file_that_dvc_has_not_pulled_is_named(lab: Any) -> None:
    (lab.root / "evals/cases.jsonl").unlink()
    lab.write("evals/cases.jsonl.dvc", "outs: []\n")
    with pytest.raises(DocumentError, match="it was not pulled") as caught:
        await lab.run()
    assert caught.value.hint == "dvc pull cases.jsonl.dvc"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["cases.json", "cases", "cases.parquet"])
async def test_an_unknown_format_is_refused(lab: Any, name: str) -> None:
    lab.suite_file(dataset={"path": name})
    lab.write(f"evals/{name}", "[]")
    with pytest.raises(DocumentError) as caught:
        await lab.run()
    assert caught.value.hint is not None
    assert "`.jsonl`" in caught.value.hint


@pytest.mark.anyio
async def test_a_missing_file_and_a_folder_are_refused(lab: Any) -> None:
    path = lab.root / "evals/cases.jsonl"
    path.unlink()
    with pytest.raises(DocumentError, match="no such file"):
        await lab.run()
    path.mkdir()
    with pytest.raises(DocumentError, match="is a folder"):
        await lab.run()


@pytest.mark.anyio
async def test_a_link_that_leads_out_of_the_project_is_refused(lab: Any, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.jsonl"
    outside.write_bytes(GOOD)
    path = lab.root / "evals/cases.jsonl"
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(DocumentError, match="lies outside of the project"):
        await lab.run()


def test_numbers_and_texts_that_read_the_same_are_one_id(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": 1}\n{"id": "1"}\n')
    with pytest.raises(DocumentError, match="the id `1` stands twice"):
        Dataset(path, Columns()).scan(lambda case: True)


def test_a_dataset_that_changes_between_the_passes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": 1}\n')
    dataset = Dataset(path, Columns())
    dataset.scan(lambda case: True)
    path.write_text('{"id": 1}\n{"id": 2}\n')
    with pytest.raises(DocumentError, match="changed"):
        list(dataset.cases(lambda case: True))


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(TEXT, min_size=1, max_size=8))
def test_every_text_comes_out_of_both_formats_as_it_went_in(
    tmp_path: Path, rows: list[str]
) -> None:
    jsonl, table = tmp_path / "cases.jsonl", tmp_path / "cases.csv"
    jsonl.write_text(
        "".join(json.dumps({"id": i, "q": text}) + "\n" for i, text in enumerate(rows))
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerows([["id", "q"], *([i, text] for i, text in enumerate(rows))])
    table.write_bytes(buffer.getvalue().encode())
    columns = Columns(inputs={"q": "q"})
    for path in (jsonl, table):
        dataset = Dataset(path, columns)
        assert dataset.scan(lambda case: True).rows == len(rows)
        assert [case.inputs["q"] for case in dataset.cases(lambda case: True)] == rows


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=80), suffix=st.sampled_from(["jsonl", "csv"]))
def test_any_bytes_are_read_or_refused_and_never_crash(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"cases.{suffix}"
    path.write_bytes(content)
    refusal: UsageError | None = None
    try:
        Dataset(path, Columns()).scan(lambda case: True)
    except UsageError as error:
        refusal = error
    assert refusal is None or refusal.where is not None


@pytest.mark.parametrize("change", ["shorter", "longer"])
def test_a_file_that_changes_while_the_run_goes_ends_it(tmp_path: Path, change: str) -> None:
    path = tmp_path / "cases.jsonl"
    rows = "".join(
        json.dumps({"id": f"q{number}", "question": "x" * 999}) + "\n" for number in range(99)
    )
    path.write_text(rows)
    dataset = Dataset(path, Columns(inputs={"question": "question"}))
    dataset.scan(lambda case: True)
    cases = dataset.cases(lambda case: True)
    assert next(cases).id == "q0"
    path.write_text(rows[:1_012] if change == "shorter" else rows + rows)
    with pytest.raises(DocumentError, match="the dataset changed while it was read"):
        list(cases)
