"""`llmops doctor`: what is installed, what is missing for what, whether the models answer."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from llmops import __version__
from llmops.core.errors import ExitCode, LlmopsError, UsageError
from llmops.project.project import Project, load_project
from llmops.project.sync import run_sync

CHECK_SECONDS = 5.0
"""How long a model may take to answer the probe."""

EXTRAS = {
    "litellm": ("litellm", "models of providers other than vLLM and OpenAI-compatible ones"),
    "embeddings": ("sentence-transformers", "the scorer semantic_similarity"),
    "bleu": ("sacrebleu", "the scorers bleu and chrf"),
    "jsonschema": ("jsonschema", "the scorer json_schema"),
    "mlflow": ("mlflow-skinny", "prompts into and out of an MLflow registry"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    area: str
    name: str
    state: Literal["ok", "missing", "failed", "note"]
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All findings, and the exit status that they add up to."""

    findings: tuple[Finding, ...]
    exit_code: ExitCode


def examine(path: Path | None = None) -> Examination:
    """Look at the installation and at the project in `path` or the current folder.

    The status is 2 when a file of the project is broken, 3 when a configured
    model does not answer, and 0 otherwise: an extra that is not installed is
    no failure.
    """
    findings = [*_installation(), *_extras()]
    status = ExitCode.PASSED
    try:
        project = load_project(path)
    except UsageError as error:
        findings.append(_failure("project", "llmops.toml", error))
        return Examination(findings=tuple(findings), exit_code=ExitCode.USAGE)
    findings.append(
        Finding(area="project", name="llmops.toml", state="ok", detail=str(project.root))
    )
    for finding in _files(project):
        findings.append(finding)
        if finding.state == "failed":
            status = ExitCode.USAGE
    for name in project.config.models:
        finding = run_sync(_model(project, name))
        findings.append(finding)
        if finding.state == "failed" and status is ExitCode.PASSED:
            status = ExitCode.INCONCLUSIVE
    return Examination(findings=tuple(findings), exit_code=status)


def _installation() -> Iterator[Finding]:
    yield Finding(
        area="install",
        name="llmops",
        state="ok",
        detail=f"{__version__}, Python {platform.python_version()} ({sys.executable})",
    )
    from llmops.models.serving import describe_environment

    found = describe_environment()
    yield Finding(
        area="install",
        name="vLLM",
        state="ok" if found else "note",
        detail=found or "none yet; `llmops serve` makes an environment for it once",
    )


def _extras() -> Iterator[Finding]:
    for extra, (package, purpose) in EXTRAS.items():
        try:
            yield Finding(
                area="extra", name=extra, state="ok", detail=f"{package} {version(package)}"
            )
        except PackageNotFoundError:
            yield Finding(
                area="extra",
                name=extra,
                state="missing",
                detail=f"{package} is needed for {purpose}",
                hint=f"pip install 'llmops[{extra}]'",
            )


def _files(project: Project) -> Iterator[Finding]:
    try:
        prompts = project.prompts.list()
        yield Finding(area="project", name="prompts", state="ok", detail=f"{len(prompts)} prompts")
    except LlmopsError as error:
        yield _failure("project", "prompts", error)
    try:
        suites = project.suites()
    except LlmopsError as error:
        yield _failure("project", "suites", error)
        return
    for suite in suites:
        try:
            loaded = suite.load()
            project.prompt(loaded.subject.prompt)
        except LlmopsError as error:
            yield _failure("suite", suite.name, error)
        else:
            yield Finding(
                area="suite", name=suite.name, state="ok", detail=f"{len(loaded.checks)} checks"
            )


async def _model(project: Project, name: str) -> Finding:
    try:
        model = project.model(name)
    except LlmopsError as error:
        return _failure("model", name, error)
    try:
        await model.check(deadline=CHECK_SECONDS)
    except LlmopsError as error:
        return _failure("model", name, error)
    finally:
        await model.aclose()
    return Finding(area="model", name=name, state="ok", detail=f"{model.name} answers")


def _failure(area: str, name: str, error: LlmopsError) -> Finding:
    return Finding(area=area, name=name, state="failed", detail=str(error), hint=error.hint)
