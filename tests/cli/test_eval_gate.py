"""`llmops eval gate`: results of other tools, judged by our gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data" / "foreign"


def table(folder: Path, name: str, passed: range, cases: int = 200) -> None:
    rows = [f"case-{n},{int(n in passed)},{n % 7}" for n in range(cases)]
    (folder / name).write_text("\n".join(["id,score,words", *rows]) + "\n")


def test_a_regression_in_a_table_exits_with_1_and_shows_what_turned(shell) -> None:
    table(shell.folder, "base.csv", range(20, 200))
    table(shell.folder, "head.csv", range(50, 200))
    ran = shell("eval", "gate", "base.csv", "head.csv", "--markdown", "gate.md")
    assert ran.code == 1, ran.err
    assert "the pass rate of `score` falls by 15.0 points" in " ".join(ran.out.split())
    assert "30 newly failing" in ran.out
    assert "case-20" in (shell.folder / "gate.md").read_text()


def test_a_page_shows_what_turned(shell) -> None:
    table(shell.folder, "base.csv", range(20, 200))
    table(shell.folder, "head.csv", range(50, 200))
    ran = shell("eval", "gate", "base.csv", "head.csv", "--html", "gate.html")
    assert ran.code == 1, ran.err
    page = (shell.folder / "gate.html").read_text()
    assert "case-20" in page
    assert "llmops eval gate base.csv head.csv" in page


def test_no_change_passes_and_a_few_cases_are_inconclusive_with_the_number_needed(shell) -> None:
    table(shell.folder, "a.csv", range(400), cases=400)
    assert shell("eval", "gate", "a.csv", "a.csv").code == 0
    table(shell.folder, "few.csv", range(10), cases=10)
    ran = shell("eval", "gate", "few.csv", "few.csv")
    assert ran.code == 3
    assert "cases would tell" in " ".join(ran.out.split())


def test_margin_and_confidence_are_those_of_the_comparison(shell) -> None:
    table(shell.folder, "base.csv", range(200))
    table(shell.folder, "head.csv", range(8, 200))
    strict = shell("eval", "gate", "base.csv", "head.csv", "--margin", "0.0", "--json")
    wide = shell("eval", "gate", "base.csv", "head.csv", "--margin", "0.2", "--json")
    assert (strict.code, wide.code) == (1, 0)
    (metric,) = [each for each in json.loads(wide.out)["metrics"] if each["gates"]]
    assert (metric["check"], metric["margin"], metric["verdict"]) == ("score", 0.2, "same")


def test_a_check_that_only_measures_gates_when_it_is_named(shell) -> None:
    for name, more in (("base", 0), ("head", 3)):
        rows = [f"case-{n},1,{10 + n % 5 + more}" for n in range(100)]
        (shell.folder / f"{name}.csv").write_text("\n".join(["id,score,words", *rows]) + "\n")
    both = ("eval", "gate", "base.csv", "head.csv")
    more_is_better = json.loads(shell(*both, "--check", "words", "--json").out)
    less_is_better = shell(*both, "--check", "words", "--lower", "words", "--json")
    assert more_is_better["decision"]["outcome"] == "passed"
    assert less_is_better.code == 1
    (metric,) = [each for each in json.loads(less_is_better.out)["metrics"] if each["gates"]]
    # 5 % of a mean of 12, since words are no ratio.
    assert metric["margin"] == pytest.approx(0.6)
    ran = shell(*both, "--lower", "wrods")
    assert (ran.code, "did you mean `words`?" in ran.err) == (2, True)


def test_an_error_of_the_tool_is_an_error_of_the_gate(shell) -> None:
    log = str(DATA / "inspect" / "base.eval")
    ran = shell("eval", "gate", log, str(DATA / "inspect" / "head.json"), "--json")
    assert ran.code == 3
    verdicts = {each["check"]: each["verdict"] for each in json.loads(ran.out)["metrics"]}
    assert verdicts["includes"] == "error"


def test_two_prompts_of_one_promptfoo_file_are_two_sides(shell) -> None:
    file = str(DATA / "promptfoo" / "capitals.jsonl")
    ran = shell(
        "eval", "gate", file, file, "--json",
        "--subject", "smollm2 | short", "--subject", "smollm2 | long",
    )  # fmt: skip
    found = json.loads(ran.out)
    assert found["turns"]["newly passing"] == 2
    metrics = {each["check"]: each for each in found["metrics"] if each["gates"]}
    assert metrics["assertions"]["pairs"] == 4
    # One test of four has this metric: the others are not missing, they do not ask for it.
    assert (metrics["names the city"]["pairs"], metrics["names the city"]["unjudged"]) == (1, 0)
    assert any("paired by their description" in note for note in found["notes"])
    ran = shell("eval", "gate", file, file)
    assert ran.code == 2
    assert "`smollm2 | long`" in ran.err


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ("deepeval/base", "deepeval/head"),
        ("mlflow/base/result_df.json", "mlflow/head/result_df.csv"),
        ("lm_eval/base", "lm_eval/head"),
    ],
)
def test_runs_of_each_tool_pair_all_their_cases(shell, base: str, head: str) -> None:
    ran = shell("eval", "gate", str(DATA / base), str(DATA / head), "--json")
    coverage = json.loads(ran.out)["coverage"]
    assert (coverage["only_base"], coverage["only_head"]) == (0, 0)
    assert coverage["pairs"] >= 4


def test_runs_of_ours_are_read_as_well_and_other_cases_are_refused(shell) -> None:
    assert shell("eval", "run", "capitals", "--output", "run").code == 1
    ran = shell("eval", "gate", "run", "run/report.json", "--json")
    assert json.loads(ran.out)["same_subject"] is True
    table(shell.folder, "t.csv", range(5), cases=5)
    ran = shell("eval", "gate", "run", "t.csv")
    assert ran.code == 2
    assert "no check is on both sides" in ran.err


def test_lm_eval_runs_of_two_tasks_are_refused(shell) -> None:
    (other,) = (DATA / "lm_eval").glob("samples_capitals_choice_*")
    ran = shell("eval", "gate", str(DATA / "lm_eval" / "base"), str(other))
    assert ran.code == 2
    assert "task: capitals on" in ran.err


def test_a_format_can_be_forced_and_its_name_is_checked(shell) -> None:
    table(shell.folder, "a.csv", range(400), cases=400)
    assert shell("eval", "gate", "a.csv", "a.csv", "--format", "table").code == 0
    ran = shell("eval", "gate", "a.csv", "a.csv", "--format", "tabel")
    assert (ran.code, "known: `llmops`, `promptfoo`" in ran.err) == (2, True)
