"""`llmops prompt import` and `export`, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data" / "exchange"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    return tmp_path


def llmops(folder: Path, *arguments: str, **environment: str) -> Ran:
    inherited = {key: each for key, each in os.environ.items() if not key.startswith("MLFLOW")}
    done = subprocess.run(
        [sys.executable, "-m", "llmops", "prompt", *arguments],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def test_prompts_go_in_and_out_and_come_back(folder: Path) -> None:
    imported = llmops(folder, "import", str(DATA / "github"), "--into", "demo/")
    assert imported.code == 0, imported.err
    assert "new    demo/sample" in imported.out
    assert "note: demo/sample: `evaluators` are not held: write a suite of evaluations" in (
        imported.err
    )
    shown = llmops(folder, "render", "demo/sample", "--var", "input=Hello")
    assert "Please respond to this message appropriately: Hello" in shown.out

    exported = llmops(folder, "export", "--to", "github", "-o", "out")
    assert exported.code == 0, exported.err
    assert (folder / "out/demo/sample.prompt.yml").is_file()
    assert "note: all prompts: not held: version" in exported.err
    again = llmops(folder, "import", "out", "--json")
    states = {each["name"]: each["state"] for each in json.loads(again.out)["prompts"]}
    assert len(states) == 5
    assert set(states.values()) == {"unchanged"}


def test_json_tells_names_paths_states_and_notes(folder: Path) -> None:
    source = str(DATA / "promptfoo")
    told = json.loads(llmops(folder, "import", source, "--dry-run", "--json").out)
    assert told["dry_run"] is True
    assert told["prompts"][0] == {
        "name": "prompt-1",
        "path": str(folder / "prompts/prompt-1.prompty"),
        "state": "new",
        "notes": ["settings that have no place here: `apiKey`"],
    }
    assert told["left_out"][0].startswith("`file://prompts/function.py:make` is a program")
    assert not list((folder / "prompts").iterdir())


def test_a_conflict_is_told_and_nothing_is_written(folder: Path) -> None:
    source = folder / "a.prompt.yml"
    source.write_text("messages: [{role: user, content: Hi}]\n")
    assert llmops(folder, "import", str(source)).code == 0
    source.write_text("messages: [{role: user, content: Bye}]\n")
    refused = llmops(folder, "import", str(source))
    assert refused.code == 2
    assert "a.prompty: is there with other content; nothing was written" in refused.err
    assert "hint: `--replace` overwrites it, `--into` gives another name" in refused.err
    assert llmops(folder, "import", str(source), "--replace").out.split()[3] == "replaced"


def test_one_prompt_is_printed_and_several_need_a_folder(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / f"prompts/{name}.prompty").write_text(
            "---\nmetadata: {version: 1.0.0}\n---\nuser:\nHi\n"
        )
    printed = llmops(folder, "export", "a", "--to", "github")
    assert printed.out == (
        "name: a\nmodelParameters:\n  temperature: 0\nmessages:\n  - role: user\n    content: Hi\n"
    )
    assert printed.err == "note: a: not held: version\n"
    assert json.loads(llmops(folder, "export", "a", "--json").out)["notes"] == ["not held: version"]
    several = llmops(folder, "export")
    assert (several.code, "hint: name a folder with `-o`" in several.err) == (2, True)
    one_file = llmops(folder, "export", "-o", "all.yml")
    assert (one_file.code, "2 prompts do not go into one file" in one_file.err) == (2, True)
    assert llmops(folder, "export", "a", "-o", "a.yml").code == 0
    assert llmops(folder, "export", "a", "-o", "a.yml").out.split()[3] == "unchanged"
    (folder / "a.yml").write_text("other")
    assert llmops(folder, "export", "a", "-o", "a.yml").code == 2
    assert llmops(folder, "export", "a", "-o", "a.yml", "--replace").code == 0


def test_a_prompt_with_logic_is_not_exported(folder: Path) -> None:
    (folder / "prompts/a.prompty").write_text(
        "---\nmetadata: {version: 1.0.0}\ninputs: {x: {kind: string}}\n---\n"
        "user:\n{% if x %}Hi{% endif %}\n"
    )
    refused = llmops(folder, "export", "a", "-o", "out")
    assert refused.code == 2
    assert "decides or computes with its inputs" in refused.err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "absent.json"), "absent.json: no such file"),
        (("import", "x", "--from", "yaml"), "no format is named `yaml`"),
        (("export", "--to", "word"), "nothing is exported to `word`"),
        (("export", "--to", "mlflow", "--dry-run"), "`--dry-run` and `-o` are for files"),
        (("import", "mlflow:a"), "no prompt is named `a` in sqlite:"),
        (("export", "absent"), "no prompt is named `absent`"),
    ],
)
def test_a_command_that_makes_no_sense_is_told(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    ran = llmops(folder, *arguments)
    assert ran.code == 2
    assert told in ran.err


def test_without_mlflow_the_command_says_what_to_install(folder: Path) -> None:
    (folder / "m.db").write_bytes(b"")
    (folder / "mlflow.py").write_text("raise ImportError('No module named mlflow')")
    ran = llmops(
        folder, "import", "mlflow:a", "--registry", "sqlite:///m.db", PYTHONPATH=str(folder)
    )
    assert ran.code == 3
    assert "pip install 'llmops[mlflow]'" in ran.err
