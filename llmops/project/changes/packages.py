"""Whether the project asks for other packages than at a revision, told by the files that say so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from llmops.core.errors import LlmopsError
from llmops.core.files import read_document
from llmops.project.changes.files import FileChanges

PINS = re.compile(
    r"(requirements|constraints)[^/]*\.(txt|in)|environment\.ya?ml|setup\.(cfg|py)"
    r"|(uv|poetry|pdm|pixi|conda-lock|Pipfile|pylock[^/]*)\.(lock|toml|ya?ml)|Pipfile"
)
"""Names of files that hold nothing but what to install, or nearly so."""
PYPROJECT = "pyproject.toml"
TABLES = ("dependencies", "optional-dependencies")
"""Of `project` in `pyproject.toml`."""
OTHER_TABLES = ("dependency-groups", "build-system")
TOOLS = ("uv", "poetry", "pdm", "hatch", "pixi", "setuptools", "flit")


def package_changes(files: FileChanges, root: Path) -> Iterator[str]:
    """The files that differ in what is to be installed."""
    for path in files.differing:
        name = PurePosixPath(path).name
        if PINS.fullmatch(name) or (name == PYPROJECT and _asks_differently(files, path, root)):
            yield path


def _asks_differently(files: FileChanges, path: str, root: Path) -> bool:
    """Whether a `pyproject.toml` differs in what it asks for, or in what cannot be read."""
    try:
        now = _asked(read_document(root / path))
        then = _asked(files.tree.text(path))
    except (LlmopsError, ValueError, AttributeError):
        return True
    return now != then


def _asked(text: str) -> list[Any]:
    data = tomllib.loads(text)
    project, tools = data.get("project", {}), data.get("tool", {})
    return [
        *(project.get(name) for name in TABLES),
        *(data.get(name) for name in OTHER_TABLES),
        *(tools.get(name) for name in TOOLS),
    ]
