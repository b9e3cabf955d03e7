from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from llmops.testing import faults

SUITE = "evals/capitals.yaml"


def test_a_suite_that_misses_its_bound_exits_with_1_and_says_why(shell) -> None:
    ran = shell("eval", "run", "capitals")
    assert ran.code == 1
    assert "FAILED  capitals" in ran.out
    assert "the pass rate of `names_capital` is 0.4" in " ".join(ran.out.split())
    assert "first failure: spain" in ran.out


def test_a_suite_that_holds_exits_with_0_and_writes_every_format(shell) -> None:
    ran = shell(
        "eval", "run", "capitals", "--limit", "4", "--output", "run",
        "--json", "out/a.json", "--junit", "out/a.xml", "--markdown", "out/a.md",
        "--html", "out/a.html",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "page    run/report.html" in ran.out
    report = json.loads((shell.folder / "out/a.json").read_text())
    assert report["schema"] == "llmops.report/1"
    assert [result["case"] for result in report["results"]] == [
        "france",
        "germany",
        "italy",
        "japan",
    ]
    cases = ET.parse(shell.folder / "out/a.xml").getroot().iter("testcase")
    assert {"france", "germany", "italy", "japan"} <= {case.get("name") for case in cases}
    assert "Passed" in (shell.folder / "out/a.md").read_text()
    assert "<html" in (shell.folder / "out/a.html").read_text()
    written = sorted(path.name for path in (shell.folder / "run").iterdir())
    assert written == ["journal.jsonl", "junit.xml", "report.html", "report.json", "report.md"]


def test_a_second_run_is_answered_from_the_cache(shell) -> None:
    shell("eval", "run", "capitals", "--limit", "4")
    before = len(shell.endpoint.chats)
    ran = shell("eval", "run", "capitals", "--limit", "4")
    assert (ran.code, len(shell.endpoint.chats)) == (0, before)
    assert "4 from the cache" in ran.out
    shell("eval", "run", "capitals", "--limit", "4", "--no-cache")
    assert len(shell.endpoint.chats) == before + 4


def test_selected_cases_are_run_and_repeated(shell) -> None:
    ran = shell(
        "eval", "run", "capitals", "--select", "case:fr* case:japan", "--repeat", "3",
        "--json", "r.json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    report = json.loads((shell.folder / "r.json").read_text())
    ids = [(result["case"], result["repeat"]) for result in report["results"]]
    assert ids == [(name, n) for name in ("france", "japan") for n in range(3)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["capitols"], "did you mean `capitals`?"),
        (["capitals", "--select", "case:nowhere"], "case:nowhere"),
        (["capitals", "--select", "colour:red"], "colour"),
        (["capitals", "--limit", "0"], "--limit"),
        (["capitals", "--model", "nobody"], "no model is named `nobody`"),
        (["capitals", "--resume", "gone"], "gone"),
        (["capitals", "--resume", "a", "--output", "b"], "--resume"),
        (["capitals", "--json", "."], "is a folder"),
        (["capitals", "--json", "llmops.toml/r.json"], "llmops.toml is a file"),
        (["capitals", "--json", "out", "--html", "./out"], "one file"),
    ],
)
def test_a_call_that_makes_no_sense_exits_with_2_before_any_model_call(
    shell, arguments: list[str], message: str
) -> None:
    ran = shell("eval", "run", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert not shell.endpoint.chats


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("checks:", "cheks:", f"{SUITE}:14: unknown key `cheks`"),
        ("pass_rate:", "pas_rate:", "did you mean `pass_rate`?"),
        ("scorer: contains", "scorer: contians", "did you mean `contains`?"),
        ("measure_only: true", "measure_only: false", "asserts nothing"),
        ("path: data/capitals.csv", "path: data/capital.csv", "no such file"),
        ("path: data/capitals.csv", "path: ../../secret.csv", "outside of the project"),
        ("{country: country}", "{country: land}", "land"),
        ("{country: country}", "{nation: country}", "nation"),
        ("prompt: geography/capital", "prompt: geography/capitals", "did you mean"),
        ("check: names_capital", "check: names_capitals", "did you mean `names_capital`?"),
        ('">= 0.6"', '"=> 0.6"', "`=> 0.6` is not a rule"),
        ('">= 0.6"', '">= 60"', "can never hold"),
        ("version: 1", "version: 2", "`version`"),
        ("tags: [smoke]", "tags: [smoke", "not valid YAML"),
    ],
)
def test_a_broken_suite_exits_with_2_with_file_and_line(
    shell, old: str, new: str, message: str
) -> None:
    path = shell.folder / SUITE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    ran = shell("eval", "run", "capitals")
    assert ran.code == 2, ran.out + ran.err
    assert message in ran.err
    assert ran.err.startswith("error: ")
    assert "capital" in ran.err.splitlines()[0]
    assert not shell.endpoint.chats


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"id,country,capital\n", "the dataset is empty"),
        (b"", "capitals.csv"),
        (b"id,land,capital\na,b,c\n", "country"),
        (b"id,country,capital\na,France,Paris\na,Italy,Rome\n", "capitals.csv:3"),
        (b"id,country,capital\na,Fran\xe7e,Paris\n", "capitals.csv:2"),
        (b"id,country,capital\na,Fran\0ce,Paris\n", "capitals.csv:2"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
    ],
)
def test_a_broken_dataset_exits_with_2_with_file_and_line(shell, data: bytes, message: str) -> None:
    (shell.folder / "evals/data/capitals.csv").write_bytes(data)
    ran = shell("eval", "run", "capitals")
    assert ran.code == 2, ran.out + ran.err
    assert message in ran.err
    assert not shell.endpoint.chats


def test_an_endpoint_that_is_down_exits_with_3_soon_and_names_the_way_out(shell) -> None:
    started = time.monotonic()
    ran = shell("eval", "run", "capitals", LLMOPS_MODELS__LOCAL__API_BASE="http://127.0.0.1:9/v1")
    assert ran.code == 3
    assert time.monotonic() - started < 30
    assert "127.0.0.1:9" in ran.err
    assert "llmops serve" in ran.err


def test_a_server_that_only_fails_leaves_nothing_judged_and_exits_with_3(shell) -> None:
    shell.endpoint.fail_always(faults.html())
    ran = shell("eval", "run", "capitals", LLMOPS_MODELS__LOCAL__RETRIES="0")
    assert ran.code == 3, ran.out
    assert "HTML" in ran.err


def test_one_answer_in_ten_that_breaks_makes_the_gate_inconclusive(shell) -> None:
    shell.endpoint.fail_next(faults.context_too_long())
    ran = shell("eval", "run", "capitals", "--json", "r.json", LLMOPS_MODELS__LOCAL__RETRIES="0")
    assert ran.code == 3, ran.out
    assert "INCONCLUSIVE" in ran.out
    report = json.loads((shell.folder / "r.json").read_text())
    (check,) = (each for each in report["summary"]["checks"] if each["name"] == "names_capital")
    assert (check["errors"], check["passed"] + check["failed"]) == (1, 9)


def test_rate_limits_and_server_faults_are_retried_until_all_is_judged(shell) -> None:
    shell.endpoint.fail_next(
        faults.status(429, retry_after="0"), faults.status(500), faults.half_json(), faults.close()
    )
    ran = shell("eval", "run", "capitals", "--limit", "4", "--json", "r.json")
    assert ran.code == 0, ran.out + ran.err
    report = json.loads((shell.folder / "r.json").read_text())
    assert sum(result["attempts"] for result in report["results"]) == 8


def test_ctrl_c_exits_with_130_and_the_run_is_resumed_without_repeating(shell) -> None:
    shell.endpoint.latency = 0.2
    shell.environment["LLMOPS_MODELS__LOCAL__CONCURRENCY"] = "1"
    process = shell.start("eval", "run", "capitals", "--no-cache", "--output", "run")
    journal = shell.folder / "run" / "journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    ran = shell.interrupt(process)
    assert ran.code == 130, ran.err
    assert "--resume run" in ran.err
    shell.endpoint.latency = 0.0
    answered = len(shell.endpoint.chats)
    again = shell("eval", "run", "capitals", "--no-cache", "--resume", "run", "--json", "r.json")
    assert again.code == 1, again.err
    report = json.loads((shell.folder / "r.json").read_text())
    assert len(report["results"]) == 10
    assert len(shell.endpoint.chats) - answered < 8


def test_suites_are_listed_as_a_table_and_as_json(shell) -> None:
    assert "capitals  geography/capital" in shell("eval", "list").out
    (suite,) = json.loads(shell("eval", "list", "--json").out)
    assert suite["name"] == "capitals"
    assert suite["checks"] == ["names_capital", "latency"]


def test_a_misspelt_option_exits_with_2(shell) -> None:
    ran = shell("eval", "run", "capitals", "--modle", "x")
    assert ran.code == 2
    assert "--model" in ran.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_spell_a_letter_gets_its_escape(shell, encoding: str) -> None:
    ran = shell("eval", "run", "capitals", "--select", "france", PYTHONIOENCODING=encoding)
    assert ran.code == 0
    assert "\\u2713 PASSED" in ran.out


def test_a_suite_is_one_file_and_lies_in_the_project(shell, tmp_path: Path) -> None:
    suite = shell.folder / SUITE
    twin, link = suite.with_suffix(".yml"), suite.with_name("elsewhere.yaml")
    twin.write_bytes(suite.read_bytes())
    ran = shell("eval", "run", "capitals")
    assert (ran.code, "is named `capitals`, as capitals.y" in ran.err) == (2, True)

    outside = tmp_path / "outside.yaml"
    outside.write_bytes(twin.read_bytes())
    link.symlink_to(outside)
    ran = shell("eval", "run", "elsewhere")
    assert (ran.code, "elsewhere.yaml: lies outside of the project" in ran.err) == (2, True)
