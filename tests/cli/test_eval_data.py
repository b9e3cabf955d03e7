"""`llmops eval data`, and what a run says of its dataset: schema, DVC and Git LFS."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

TOWER = "Where is the tower with the broken clock and who built it?"
SECRET = "Anna Schmidt asks for her order number, please answer her."


def dataset(folder: Path, rows: list[dict[str, Any]], name: str = "cases.jsonl") -> str:
    path = folder / "evals/data" / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"evals/data/{name}"


def test_duplicates_and_near_duplicates_are_named_by_id_and_no_text_is_shown(shell) -> None:
    rows = [
        {"id": "a", "question": TOWER, "expected": "x"},
        {"id": "b", "question": SECRET, "expected": "y", "note": None},
        {"id": "c", "question": TOWER, "expected": "z"},
        {"id": "d", "question": TOWER.upper().replace("?", " ?"), "expected": "x"},
        {"id": "e", "question": "What is the capital of the largest country?", "expected": "x"},
    ]
    path = dataset(shell.folder, rows)
    ran = shell("eval", "data", path, "--column", "question")
    assert ran.code == 0, ran.err
    assert "2 cases the same, in 1 group\n  a, c  (and something else is expected" in ran.out
    assert "2 cases alike (0.8 or more), in 1 group\n  a, d  0.9" in ran.out
    assert "note      nothing  5" in ran.out
    again = shell("eval", "data", path, "--column", "question")
    assert again.out == ran.out
    for text in ("Anna", "tower", "capital"):
        assert text not in ran.out
    found = json.loads(shell("eval", "data", path, "--column", "question", "--json").out)
    assert found["sha256"] == hashlib.sha256((shell.folder / path).read_bytes()).hexdigest()
    assert found["rows"] == 5
    assert found["duplicates"][0]["ids"] == ["a", "c"]
    assert found["columns"][1] == {
        "name": "question", "kinds": {"text": 5}, "missing": 0, "longest": 59
    }  # fmt: skip


def test_cases_that_stand_in_training_data_fail_where_asked(shell) -> None:
    test = dataset(shell.folder, [{"id": "a", "q": TOWER}, {"id": "b", "q": SECRET}])
    train = dataset(
        shell.folder,
        [{"q": "Something else altogether, of which nobody thought."}, {"q": SECRET + " Thanks!"}],
        "train.jsonl",
    )
    ran = shell("eval", "data", test, "--against", train, "--fail-on", "overlap,duplicates")
    assert ran.code == 1
    assert "1 of 2 cases stand in evals/data/train.jsonl too\n  b = line 2  0.8" in ran.out
    assert "failed: found overlap" in ran.err
    assert shell("eval", "data", test, "--fail-on", "duplicates,near-duplicates").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fail-on", "overlap"], "needs a file to look in"),
        (["--fail-on", "typos"], "knows duplicates, near-duplicates, overlap"),
        (["--column", "answer"], "missing columns: `answer`"),
        (["--against", "evals/data/none.jsonl"], "none.jsonl: no such file"),
        (["--against", "none"], "none: no such file"),
        (["--against", "evals"], "evals: is a folder, not a dataset"),
        (["--against", "evals/data/capitals.csv"], "missing columns: `q`"),
    ],
)
def test_what_makes_no_sense_is_refused(shell, arguments: list[str], message: str) -> None:
    ran = shell("eval", "data", dataset(shell.folder, [{"id": "a", "q": "b"}]), *arguments)
    assert ran.code == 2, ran.out
    assert message in " ".join(ran.err.split())


def test_a_file_that_is_no_dataset_is_not_taken_for_a_suite(shell) -> None:
    (shell.folder / "cases.json").write_text("[]")
    ran = shell("eval", "data", "cases.json")
    assert ran.code == 2
    assert "cases.json: a dataset cannot be a `.json` file" in ran.err


def test_a_suite_is_examined_by_what_its_prompt_asks(shell) -> None:
    ran = shell("eval", "data", "capitals")
    assert ran.code == 0, ran.err
    assert "evals/data/capitals.csv: 10 rows" in ran.out
    assert "compared by country\nno cases the same\nno cases alike" in ran.out


def test_the_cases_of_one_probe_are_alike_on_purpose(shell) -> None:
    probe = {
        "version": 1,
        "attributes": {"gender": ["woman", "man"]},
        "vary": {"role": ["nurse", "pilot"]},
        "templates": {"t": {"inputs": {"country": f"{TOWER} {TOWER} {{gender}} {{role}}"}}},
    }
    (shell.folder / "evals/probes").mkdir()
    (shell.folder / "evals/probes/p.yaml").write_text(yaml.safe_dump(probe))
    suite(shell, dataset={"probes": "probes/p.yaml"}, slices=["gender"])
    ran = shell("eval", "data", "cities", "--fail-on", "duplicates,near-duplicates")
    assert ran.code == 0, ran.out + ran.err
    assert "evals/probes/p.yaml: 4 rows" in ran.out


# What a run says of its dataset


def suite(shell, **changes: Any) -> None:
    data = {
        "version": 1,
        "subject": {"prompt": "geography/capital"},
        "dataset": {"path": "data/cases.jsonl"},
        "checks": [{"scorer": "contains", "options": {"text": "Paris"}}],
        **changes,
    }
    (shell.folder / "evals/cities.yaml").write_text(yaml.safe_dump(data, sort_keys=False))


def recorded(shell, *arguments: str) -> dict[str, Any]:
    ran = shell("eval", "run", "cities", "--json", "r.json", *arguments)
    assert ran.code == 0, ran.err
    report = json.loads((shell.folder / "r.json").read_text())
    jsonschema.validate(report, json.loads((shell.folder / "schemas/report.json").read_text()))
    found: dict[str, Any] = report["summary"]["dataset"]
    return found


def test_a_row_that_departs_from_the_schema_is_named_before_any_call(shell) -> None:
    schema = {"type": "object", "properties": {"country": {"type": "string", "minLength": 3}}}
    (shell.folder / "evals/data/cases.schema.json").write_text(json.dumps(schema))
    suite(shell, dataset={"path": "data/cases.jsonl", "schema": "data/cases.schema.json"})
    dataset(shell.folder, [{"id": "a", "country": "France"}, {"id": "b", "country": "F"}])
    ran = shell("eval", "run", "cities")
    assert ran.code == 2
    assert "evals/data/cases.jsonl:2: the row `b` departs from the dataset's schema" in ran.err
    assert "at `country`" in ran.err
    assert not shell.endpoint.chats
    assert shell("eval", "data", "cities").code == 2
    dataset(shell.folder, [{"id": "a", "country": "France"}])
    assert recorded(shell)["schema"].startswith("sha256:")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ('{"type": "wrong"}', "the JSON Schema is broken"),
        ('{"$ref": "https://example.com/x.json"}', "refers to"),
    ],
)
def test_a_schema_that_cannot_be_used_is_named_with_the_suites_line(
    shell, text: str | None, message: str
) -> None:
    if text is not None:
        (shell.folder / "evals/data/s.json").write_text(text)
    suite(shell, dataset={"path": "data/cases.jsonl", "schema": "data/s.json"})
    dataset(shell.folder, [{"id": "a", "country": "France"}])
    ran = shell("eval", "run", "cities")
    assert ran.code == 2
    assert message in ran.err
    assert "data/s.json" in ran.err


def test_the_report_says_which_version_dvc_tracks_and_a_stale_file_is_refused(shell) -> None:
    suite(shell)
    path = shell.folder / dataset(shell.folder, [{"id": "a", "country": "France"}])
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    pointer = path.with_name("cases.jsonl.dvc")
    out = {"md5": md5, "size": path.stat().st_size, "hash": "md5", "path": "cases.jsonl"}
    pointer.write_text(yaml.safe_dump({"outs": [out]}))
    found = recorded(shell)
    assert (found["dvc_md5"], found["dvc_file"]) == (md5, "evals/data/cases.jsonl.dvc")
    path.write_text(path.read_text() + '{"id": "b", "country": "Italy"}\n')
    ran = shell("eval", "run", "cities")
    assert ran.code == 2
    assert "is not the file that `cases.jsonl.dvc` names" in ran.err
    path.unlink()
    ran = shell("eval", "run", "cities")
    assert "was not pulled" in ran.err
    assert "hint: dvc pull cases.jsonl.dvc" in ran.err


def test_the_report_says_which_object_git_lfs_has(shell) -> None:
    suite(shell)
    path = shell.folder / dataset(shell.folder, [{"id": "a", "country": "France"}])
    content = path.read_bytes()
    oid = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    (shell.folder / ".gitattributes").write_text("*.jsonl filter=lfs diff=lfs merge=lfs -text\n")
    path.write_text(pointer)  # as the filter would have it, which need not be installed
    off = ["-c", "filter.lfs.clean=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=no"]
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *off, *who, *words], cwd=shell.folder, check=True)
    ran = shell("eval", "run", "cities")
    assert ran.code == 2
    assert "is a Git LFS pointer" in ran.err
    path.write_bytes(content)
    assert recorded(shell)["lfs_oid"] == f"sha256:{oid}"
    path.write_bytes(content + b'{"id": "b", "country": "Italy"}\n')
    suite(shell, gate={"metrics": [{"check": "contains", "pass_rate": ">= 0.1"}]})
    assert "lfs_oid" not in recorded(shell)
