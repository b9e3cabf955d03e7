"""A project with several suites in a git repository, and an oracle that knows nothing of states."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmops.core.errors import UsageError
from llmops.project import load_project
from llmops.project.revision import ProjectRevision
from llmops.project.state import ProjectState
from llmops.prompts.release import lock_prompts, promote

TOML = """version = 1
default_model = "local"

[models.local]
model = "hosted_vllm/small"
api_base = "http://127.0.0.1:8000/v1"
timeout = 60

[models.other]
model = "hosted_vllm/large"
api_base = "http://127.0.0.1:9000/v1"

[models.judge]
model = "hosted_vllm/judge"
api_base = "http://127.0.0.1:9100/v1"

[models.referee]
model = "hosted_vllm/referee"
api_base = "http://127.0.0.1:9200/v1"
"""

ANSWER = """---
metadata: {version: 1.0.0}
model: {options: {temperature: 0, maxOutputTokens: 40}}
inputs:
  - {name: question, kind: string}
  - {name: language, kind: string, default: en}
---
system:
{% include "shared/tone" %}
{% if language == "de" %}{% include "shared/german" %}{% endif %}

user:
{{ question }}
"""

TRIAGE = """---
metadata: {version: 1.0.0}
inputs:
  - {name: question, kind: string}
outputs:
  - {name: topic, kind: string, enumValues: [billing, other]}
examples: triage.jsonl
---
system:
{% for each in examples %}{{ each.question }} is {{ each.topic }}.
{% endfor %}
user:
{{ question }}
"""

COUNT = """---
metadata: {version: 1.0.0}
inputs:
  - {name: number, kind: integer}
---
user:
What comes after {{ number }}?
"""

JUDGE = """---
metadata: {version: 1.0.0}
inputs:
  - {name: output, kind: string}
---
user:
Is this kind? {{ output }} Answer Yes or No.
"""

PLAIN = """---
metadata: {version: 1.0.0}
inputs:
  - {name: question, kind: string}
---
user:
{{ question }}
"""

CORRECTNESS = """---
metadata: {version: 1.0.0}
model: {id: referee}
inputs:
  - {name: expected, kind: string}
  - {name: output, kind: string}
---
user:
Does {{ output }} say the same as {{ expected }}? Answer Yes or No.
"""

GEVAL = """---
metadata: {version: 1.0.0}
inputs:
  - {name: output, kind: string}
  - {name: reasoning, kind: string, required: false}
---
user:
{% include "shared/scale" %}
How clear is {{ output }}? {{ reasoning }}
"""

OWN = '''"""Scores by a helper and a list of words."""

from pathlib import Path

from helper import weight

from llmops.scorers import scorer

WORDS = Path(__file__).with_name("words.txt")


@scorer(version="1")
def rude(sample):
    words = WORDS.read_text().split()
    return weight() * any(word in sample.output for word in words)
'''

FILES: Mapping[str, str] = {
    "llmops.toml": TOML,
    ".gitignore": ".llmops/\n__pycache__/\n",
    "README.md": "A project.\n",
    "prompts/support/answer.prompty": ANSWER,
    "prompts/support/triage.prompty": TRIAGE,
    "prompts/triage.jsonl": '{"question": "My bill", "topic": "billing"}\n',
    "prompts/count.prompty": COUNT,
    "prompts/judges/kind.prompty": JUDGE,
    "prompts/unused.prompty": COUNT,
    "prompts/shared/tone.jinja": "Be kind.\n",
    "prompts/shared/german.jinja": "Antworte auf Deutsch.\n",
    "evals/data/questions.jsonl": "".join(
        json.dumps(
            {
                "id": f"q{n}",
                "question": f"Question {n}?",
                "language": "de" if n % 4 == 0 else "en",
                "expected": f"Answer {n}",
                "passage": f"Passage {n}",
            }
        )
        + "\n"
        for n in range(12)
    ),
    "prompts/plain.prompty": PLAIN,
    "prompts/judges/correctness.prompty": CORRECTNESS,
    "prompts/judges/geval.prompty": GEVAL,
    "prompts/shared/scale.jinja": "From 1 to 5.\n",
    "requirements.txt": "ragas==0.4.3\n",
    "pyproject.toml": '[project]\nname = "app"\nversion = "1"\ndependencies = ["ragas"]\n',
    "evals/data/plain.jsonl": "".join(
        json.dumps({"id": f"p{n}", "question": f"{n}?", "expected": str(n), "passage": "A."}) + "\n"
        for n in range(3)
    ),
    "evals/row.json": '{"type": "object", "required": ["question"]}\n',
    "evals/calibrations/correct.yaml": "version: 1\n",
    "evals/calibrations/correct.json": '{"kappa": 0.7}\n',
    "evals/calibrations/other.json": '{"kappa": 0.2}\n',
    "evals/judged/correct.yaml": """version: 1
subject: {prompt: plain, model: local}
dataset: {path: ../data/plain.jsonl, schema: ../row.json}
checks:
  - {scorer: judge_reference, calibration: correct, requires: {kappa: ">= 0.6"}, pass: ">= 0.5"}
""",
    "evals/judged/clear.yaml": """version: 1
subject: {prompt: plain, model: local}
dataset: {path: ../data/plain.jsonl}
checks: [{scorer: judge_geval, pass: ">= 3"}]
""",
    "evals/judged/grounded.yaml": """version: 1
subject: {prompt: plain, model: local}
dataset: {path: ../data/plain.jsonl, contexts: [passage]}
checks: [{scorer: ragas.faithfulness, options: {model: judge}, pass: ">= 0.5"}]
""",
    "evals/data/numbers.csv": "id,number,expected\n"
    + "".join(f"n{n},{n},{n + 1}\n" for n in range(5)),
    "evals/schema.json": '{"type": "object"}\n',
    "evals/code/rude.py": OWN,
    "evals/code/helper.py": "def weight():\n    return 1.0\n",
    "evals/code/words.txt": "damn\n",
    "evals/support/answer.yaml": """version: 1
subject: {prompt: support/answer}
dataset: {path: ../data/questions.jsonl, contexts: [passage]}
checks: [{scorer: token_f1, pass: ">= 0.5"}]
""",
    "evals/support/released.yaml": """version: 1
subject: {prompt: support/answer@production}
dataset: {path: ../data/questions.jsonl}
checks: [exact_match]
""",
    "evals/triage.yaml": """version: 1
description: Sorts questions.
subject: {prompt: support/triage}
dataset: {path: data/questions.jsonl}
checks: [{scorer: json_schema, options: {schema: schema.json}}]
""",
    "evals/count.yaml": """version: 1
subject: {prompt: count, model: other}
dataset: {path: data/numbers.csv}
checks: [exact_match]
sampling: {max_tokens: 5}
""",
    "evals/polite.yaml": """version: 1
subject: {prompt: support/answer}
dataset: {path: data/questions.jsonl}
checks: [{scorer: "code/rude.py:rude", pass: "<= 0.5"}]
""",
    "evals/kind.yaml": """version: 1
subject: {prompt: support/answer, model: other}
dataset: {path: data/questions.jsonl}
checks: [{scorer: judge, options: {prompt: judges/kind, model: judge}, pass: ">= 0.5"}]
""",
}

Cells = dict[tuple[str, str], str]
"""What decides on each cell, by suite and case."""


class Repository:
    """The project's working tree, with its first commit on `main`."""

    def __init__(self, root: Path):
        self.root = root

    def write(self, path: str, content: str | bytes) -> Path:
        where = self.root / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content if isinstance(content, bytes) else content.encode())
        return where

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{path} has no `{old}`"
        self.write(path, text.replace(old, new, 1))

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.root), *words],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"},
        )
        return done.stdout

    def commit(self, message: str = "change") -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def state(self, base: str = "HEAD", **options: Any) -> ProjectState:
        return ProjectState(load_project(self.root), ProjectRevision(self.root, base), **options)

    def touched(self, base: str = "HEAD") -> set[tuple[str, str]]:
        """The cells that differ, as the state tells it."""
        return {
            (suite.name, case)
            for suite in self.state(base).suites()
            for case in suite.cells.modified
        }

    def touched_suites(self) -> set[str]:
        return {suite for suite, _ in self.touched()}


UNREADABLE = "*"
"""Stands for all cases of a suite that cannot be read."""


def oracle(root: Path) -> Cells:
    """All that decides on each cell, from files that are checked out in `root`.

    Whatever cannot be read of a suite makes it unreadable as a whole.
    """
    project = load_project(root)
    found: Cells = {}
    for path in sorted((root / "evals").rglob("*.yaml")):
        name = path.relative_to(root / "evals").with_suffix("").as_posix()
        if name.startswith("calibrations/"):
            continue
        try:
            found |= {(name, case): what for case, what in _cells_of(project, path)}
        except Exception as error:
            found[name, UNREADABLE] = repr(error)
    return found


def _cells_of(project: Any, path: Path) -> list[tuple[str, str]]:
    file = yaml.safe_load(path.read_text())
    prompt = project.prompt(file["subject"]["prompt"])
    name = file["subject"].get("model") or prompt.model or project.config.default_model
    model = project.config.models[name]
    same_for_all = [
        repr(prompt.sampling),
        file.get("sampling"),
        json.dumps(prompt.output_schema),
        [model.model, model.api_base, model.transport, model.api_key_env],
        file.get("gate"),
        file.get("repeat"),
        _schema(path, file["dataset"].get("schema")),
        [_scorer(project, path, check) for check in file["checks"]],
    ]
    columns = file["dataset"].get("contexts", [])
    found = []
    for row in _rows(path.parent / file["dataset"]["path"]):
        try:
            given = {each.name: row[each.name] for each in prompt.inputs if each.name in row}
            if path.parent.joinpath(file["dataset"]["path"]).suffix == ".csv":
                given = {each.name: each.parse(given[each.name]) for each in prompt.inputs}
            said = [(one.role, one.content) for one in prompt.render(**given)]
        except UsageError as error:
            said, given = [], {"cannot be rendered": str(error)}
        contexts = [row[name] for name in columns]
        cell = [same_for_all, said, row.get("expected"), contexts, given]
        found.append((str(row["id"]), repr(cell)))
    return found


def _scorer(project: Any, suite: Path, check: Any) -> Any:
    check = {"scorer": check} if isinstance(check, str) else check
    rests_on: list[Any] = [check]
    if ":" in check["scorer"]:
        code = suite.parent / check["scorer"].partition(":")[0]
        rests_on += [
            (each.name, hashlib.sha256(each.read_bytes()).hexdigest())
            for each in sorted(code.parent.iterdir())
            if each.is_file()
        ]
    options = check.get("options", {})
    if isinstance(options.get("schema"), str):
        rests_on.append((suite.parent / options["schema"]).read_text())
    if "calibration" in check:
        folder = suite.parents[1] / "calibrations"
        rests_on.append((folder / f"{check['calibration']}.json").read_text())
    if check["scorer"].startswith("ragas."):
        rests_on.append((project.root / "requirements.txt").read_text())
        rests_on.append(tomllib.loads((project.root / "pyproject.toml").read_text()))
        rests_on[-1] = rests_on[-1]["project"]["dependencies"]
    defaults = {"judge_reference": "judges/correctness", "judge_geval": "judges/geval"}
    ref, model = options.get("prompt", defaults.get(check["scorer"])), options.get("model")
    if ref is not None:
        judge = project.prompt(ref)
        inputs = {each.name: "x" for each in judge.inputs}
        rests_on += [[each.content for each in judge.render(**inputs)], repr(judge.sampling)]
        model = model or judge.model or project.config.default_model
    if model is not None:
        found = project.config.models[model]
        rests_on += [found.model, found.api_base]
    return rests_on


def _schema(suite: Path, named: str | None) -> str | None:
    return None if named is None else (suite.parent / named).read_text()


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            yield from csv.DictReader(file)
    else:
        yield from map(json.loads, filter(str.strip, path.read_text().splitlines()))


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is committed; to be cloned and never written."""
    root = tmp_path_factory.mktemp("committed")
    repository = Repository(root)
    for path, content in FILES.items():
        repository.write(path, content)
    repository.git("init", "-qb", "main")
    for key, value in (("user.name", "A Person"), ("user.email", "a@example.org")):
        repository.git("config", key, value)
    repository.commit("one")
    prompts = load_project(root).prompts
    lock_prompts(prompts)
    promote(prompts, "support/answer", "1.0.0", to="production", why="the first", force=True)
    repository.commit("two")
    return root


@pytest.fixture
def repository(committed: Path, tmp_path: Path) -> Repository:
    subprocess.run(
        ["cp", "-r", str(committed), str(tmp_path / "project")], check=True, capture_output=True
    )
    return Repository(tmp_path / "project")


@pytest.fixture
def checked_out(repository: Repository, tmp_path: Path) -> Path:
    """A second working tree, with what is committed."""
    there = tmp_path / "base"
    repository.git("worktree", "add", "-q", "--detach", str(there), "HEAD")
    return there


@pytest.fixture
def ask_oracle() -> Any:
    return oracle
