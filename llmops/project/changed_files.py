"""Which files of the project differ from a revision, and what each is to the project."""

from __future__ import annotations

from collections.abc import Iterable

from llmops.project.changes.files import FileChanges
from llmops.project.config import CONFIG_NAME, ProjectConfig, is_suite_path
from llmops.review.results import ChangedFile, FileKind, FileState

_LOCK = "prompts.lock"


def changed_files(
    files: FileChanges, config: ProjectConfig, datasets: Iterable[str] = ()
) -> tuple[ChangedFile, ...]:
    """The files that prompts and suites are made of, as far as they differ.

    `datasets` are the paths that suites name, relative to the project; by them
    data outside of the evals folder is known.
    """
    named = frozenset(datasets)
    return tuple(
        ChangedFile(path=path, kind=kind, state=_state(path, files))
        for path in files.differing
        if (kind := _kind(path, config, named)) is not None
    )


def _state(path: str, files: FileChanges) -> FileState:
    if path not in files.then:
        return FileState.ADDED
    return FileState.CHANGED if path in files.now else FileState.REMOVED


def _kind(path: str, config: ProjectConfig, datasets: frozenset[str]) -> FileKind | None:
    """What a file is to the project; `None` for one that nothing is made of."""
    if path == CONFIG_NAME:
        return FileKind.CONFIGURATION
    if path in datasets:
        return FileKind.DATASET
    folders = config.paths
    if inner := _within(path, folders.prompts):
        return _of_prompts(inner)
    if inner := _within(path, folders.evals):
        return _of_evals(inner)
    if _within(path, folders.guardrails):
        return FileKind.POLICY
    return None


_EVALS = {
    "baselines": FileKind.BASELINE,
    "calibrations": FileKind.CALIBRATION,
    "probes": FileKind.PROBE,
}


def _of_evals(inner: str) -> FileKind:
    if is_suite_path(inner):
        return FileKind.SUITE
    if inner.endswith(".py"):
        return FileKind.SCORER
    return _EVALS.get(inner.partition("/")[0], FileKind.DATASET)


def _of_prompts(inner: str) -> FileKind | None:
    if inner == _LOCK:
        return FileKind.LOCK
    if inner.endswith(".prompty"):
        return FileKind.PROMPT
    return FileKind.PARTIAL if inner.endswith((".jinja", ".jsonl")) else None


def _within(path: str, folder: str) -> str:
    """The path below a folder of the project; empty if it is not there."""
    start = folder.strip("/") + "/"
    if folder.strip("/") in ("", "."):
        return path
    return path.removeprefix(start) if path.startswith(start) else ""
