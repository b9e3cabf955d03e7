"""A git repository of prompts, of any size and with any history, the same every time."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

WORDS = """
answer the question with care cite the passage that holds it never invent facts and say when you
do not know use short sentences for the customer who waits
""".split()  # noqa: SIM905 - one line a word would be a page

PROMPT = """---
description: {description}
metadata:
  version: {version}
  authors: [{team}]
  tags: [bench]
model:
  options:
    temperature: 0
    maxOutputTokens: 256
inputs:
  - name: question
    kind: string
    description: What somebody wants to know.
    example: {example}
  - name: passage
    kind: string
    description: The text that holds the answer.
  - name: language
    kind: string
    enumValues: [English, German]
    description: The language of the answer.
    default: English
---
system:
{task}
{{% include "shared/{partial}" %}}
Write in {{{{ language }}}}.

user:
<passage>
{{{{ passage }}}}
</passage>

<question>
{{{{ question }}}}
</question>
{{% if language != "English" %}}{more}{{% endif %}}
"""


def plant(folder: Path, prompts: int) -> None:
    """A repository with so many prompts of some 1.6 kB and 20 partials, all committed."""
    rng = random.Random(7)
    shared = folder / "prompts" / "shared"
    shared.mkdir(parents=True)
    for number in range(20):
        (shared / f"tone{number}.jinja").write_text(f"{_text(rng, 40)}\n")
    (folder / "llmops.toml").write_text("version = 1\n")
    for number in range(prompts):
        path = prompt_path(folder, number)
        path.parent.mkdir(exist_ok=True)
        path.write_text(_prompt(rng, number, "1.0.0"))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "Bench")
    git(folder, "config", "user.email", "bench@example.org")
    commit(folder, "Prompts")


def edit(folder: Path, numbers: range, seed: int) -> None:
    """Other wording for some prompts."""
    rng = random.Random(seed)
    for number in numbers:
        path = prompt_path(folder, number)
        head, _, body = path.read_text().partition("system:\n")
        rest = body.partition("\n")[2]
        path.write_text(f"{head}system:\n{_text(rng, 120)}\n{rest}")


def commit(folder: Path, message: str) -> None:
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def prompt_path(folder: Path, number: int) -> Path:
    return folder / "prompts" / f"team{number % 25:02}" / f"prompt-{number:05}.prompty"


def _prompt(rng: random.Random, number: int, version: str) -> str:
    return PROMPT.format(
        description=_text(rng, 8),
        version=version,
        team=f"team{number % 25:02}",
        example=_text(rng, 9),
        task=_text(rng, 120),
        partial=f"tone{number % 20}",
        more=_text(rng, 20),
    )


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."
