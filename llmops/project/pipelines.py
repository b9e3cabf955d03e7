"""`llmops ci init`: the pipeline file of a CI system, copied from `ci/` beside this module."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from llmops.core.errors import NotFound, UsageError
from llmops.core.files import write_text

FILES = {
    "github": ("github.yml", ".github/workflows/llmops.yml"),
    "gitlab": ("gitlab.yml", ".gitlab/llmops.yml"),
    "jenkins": ("Jenkinsfile", "Jenkinsfile"),
}
"""By system: the template, and where the system looks for it in a repository."""


def pipeline(system: str) -> tuple[Path, str]:
    """Where the pipeline file of a CI system goes, and its text.

    Raises `NotFound` for a system that there is no file for.

    >>> pipeline("jenkins")[0].name
    'Jenkinsfile'
    """
    if system not in FILES:
        raise NotFound.among("CI system", system, FILES)
    template, path = FILES[system]
    text = (resources.files("llmops.project") / "ci" / template).read_text(encoding="utf-8")
    return Path(path), text


def write_pipeline(system: str, folder: Path, *, force: bool = False) -> Path:
    """Write the pipeline file into the repository at `folder`; gives its path.

    Raises `UsageError` when there is another file in its place, unless forced.
    """
    relative, text = pipeline(system)
    path = folder / relative
    if (path.exists() or path.is_symlink()) and not force:
        raise UsageError(
            f"{path} is there already",
            hint="nothing was written; `--force` replaces it",
        )
    write_text(path, text)
    return path
