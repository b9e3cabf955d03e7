"""`llmops init`: the files of a new project, copied from `template/` beside this module."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from llmops.core.errors import UsageError
from llmops.core.files import write_text
from llmops.project import schemas
from llmops.project.pipelines import pipeline

JUDGES = "judges"
"""The folder of the judges' prompts, in a project's folder of prompts and beside this module."""

_PACKAGE = resources.files("llmops.project")

# A wheel does not carry files whose name starts with a dot without asking, so
# the template names them without.
RENAMED = {"gitignore": ".gitignore"}


def create(folder: Path, *, judges: bool = False) -> list[Path]:
    """Write a new project into `folder`, if wanted with judges; gives the files, in order.

    Raises `UsageError`, with nothing written, when any of them is there.
    """
    files = dict([*_template(_PACKAGE / "template", Path()), pipeline("github")])
    if judges:
        files |= _template(_PACKAGE / JUDGES, Path("prompts") / JUDGES)
    planned = [folder / path for path in files]
    planned += [folder / "schemas" / f"{each.name}.json" for each in schemas.FORMATS]
    _refuse_taken(folder, planned)
    for path, text in files.items():
        write_text(folder / path, text)
    return sorted([*(folder / path for path in files), *schemas.write(folder / "schemas")])


def add_judges(prompts: Path) -> list[Path]:
    """Write the standard judges into a project's folder of prompts; gives the files, in order.

    Raises `UsageError`, with nothing written, when any of them is there.
    """
    files = {prompts / path: text for path, text in _template(_PACKAGE / JUDGES, Path(JUDGES))}
    _refuse_taken(prompts, list(files))
    for path, text in files.items():
        write_text(path, text)
    return sorted(files)


def _refuse_taken(folder: Path, planned: list[Path]) -> None:
    taken = [path for path in planned if path.exists() or path.is_symlink()]
    parents = {path.parent for path in planned if path.parent != folder}
    taken += sorted(each for each in parents if each.exists() and not each.is_dir())
    if taken:
        raise UsageError(
            f"{taken[0]} is there already" + (f" (and {len(taken) - 1} more)" if taken[1:] else ""),
            hint="nothing was written; take an empty folder: `llmops init my-project`",
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", hint="name a folder")


def _template(source: Traversable, at: Path) -> list[tuple[Path, str]]:
    files: list[tuple[Path, str]] = []
    for entry in sorted(source.iterdir(), key=lambda each: each.name):
        path = at / RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            files += _template(entry, path)
        else:
            files.append((path, entry.read_text(encoding="utf-8")))
    return files
