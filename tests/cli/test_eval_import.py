"""`llmops eval import`: evaluations of other tools, taken over and run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "foreign" / "importing"


def test_a_promptfoo_config_becomes_a_suite_that_runs(shell) -> None:
    (shell.folder / "promptfooconfig.yaml").write_text(
        """
prompts: [{label: ask, raw: "What is the capital of {{ country }}?"}]
providers: [openai:chat:x]
tests:
  - {vars: {country: France}, assert: [{type: icontains, value: paris}]}
  - {vars: {country: Japan}, assert: [{type: icontains, value: kyoto}]}
"""
    )
    ran = shell("eval", "import", "promptfooconfig.yaml", "-o", "evals/taken.yaml", "--dry-run")
    assert ran.code == 0, ran.err
    assert not (shell.folder / "evals" / "taken.yaml").exists()
    ran = shell("eval", "import", "promptfooconfig.yaml", "-o", "evals/taken.yaml")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0].split() == ["STATE", "NAME", "FILE"]
    assert "note: taken/ask: no temperature is given" in ran.err
    ran = shell("eval", "run", "taken", "--model", "local", "--json", "r.json")
    assert ran.code == 1, ran.err
    results = json.loads((shell.folder / "r.json").read_text())["results"]
    assert [each["outcome"] for each in results] == ["passed", "failed"]


def test_what_is_not_checked_any_more_is_an_error_or_listed(shell) -> None:
    (shell.folder / "c.yaml").write_text(
        """
prompts: ["{{ word }}"]
tests: [{vars: {word: a}, assert: [{type: contains, value: a}, {type: python, value: x}]}]
"""
    )
    ran = shell("eval", "import", "c.yaml", "-o", "evals/c.yaml")
    assert ran.code == 2
    assert "c.yaml:3: the assertion `python` cannot be taken over: a program decides it" in ran.err
    assert not (shell.folder / "evals" / "c.yaml").exists()
    ran = shell("eval", "import", "c.yaml", "-o", "evals/c.yaml", "--leave-out", "--json")
    assert ran.code == 0
    assert len(json.loads(ran.out)["left_out"]) == 1


def test_a_task_of_lm_eval_becomes_a_suite_that_asks_for_a_base(shell) -> None:
    for name in ("capitals.yaml", "capitals.jsonl"):
        shutil.copy(DATA / name, shell.folder / name)
    ran = shell("eval", "import", "capitals.yaml", "-o", "evals/task.yaml")
    assert (ran.code, "several filters cannot be taken over" in ran.err) == (2, True)
    ran = shell("eval", "import", "capitals.yaml", "-o", "evals/task.yaml", "--leave-out")
    assert ran.code == 2  # it ignores punctuation, and that is all it measures
    text = (shell.folder / "capitals.yaml").read_text().replace("ignore_punctuation: true", "")
    (shell.folder / "capitals.yaml").write_text(text.replace(", }", "}"))
    ran = shell("eval", "import", "capitals.yaml", "-o", "evals/task.yaml", "--leave-out")
    assert ran.code == 0, ran.err
    assert "left out: several filters" in ran.err
    ran = shell("eval", "run", "task")
    assert ran.code == 3, ran.err
    assert "add `--base main`" in " ".join(ran.out.split())


def test_a_suite_outside_of_the_evals_folder_is_refused(shell) -> None:
    for output in ("taken.yaml", "evals/taken.json"):
        ran = shell("eval", "import", str(DATA / "weighted.yaml"), "-o", output)
        assert ran.code == 2, output
