"""`llmops.toml`: where things are and which models there are.

Environment variables override the file: `LLMOPS_DEFAULT_MODEL=local`,
`LLMOPS_MODELS__LOCAL__API_BASE=http://…` (two underscores go one table
deeper). Secrets are never in the file; a model names the variable that holds
its key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from llmops.core.documents import Document, parse_toml
from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import read_document
from llmops.models.config import ModelConfig
from llmops.prompts.lint import LintConfig

CONFIG_NAME = "llmops.toml"
PREFIX = "LLMOPS_"
NOT_SETTINGS = ("LLMOPS_CACHE_DIR", "LLMOPS_TEST_")
"""Variables of the same prefix that are read elsewhere."""

SUITE_SUFFIXES = (".yaml", ".yml")
NOT_SUITES = ("baselines", "calibrations", "data", "probes")
"""Folders in that of the suites that hold something else."""


class Paths(Document):
    """The folders of a project, relative to its `llmops.toml`."""

    prompts: str = Field("prompts", description="Folder of the `.prompty` files.")
    evals: str = Field("evals", description="Folder of the evaluation suites.")
    guardrails: str = Field("guardrails", description="Folder of the guardrail policies.")
    state: str = Field(
        ".llmops", description="Folder for runs and caches; keep it out of version control."
    )


class ProjectConfig(Document):
    """The whole of `llmops.toml`."""

    version: Literal[1] = Field(description="Version of this file format.")
    default_model: str | None = Field(
        None, description="The model used where none is named: a key of `models`."
    )
    paths: Paths = Field(
        default_factory=lambda: Paths.model_validate({}), description="Where the folders are."
    )
    models: dict[str, ModelConfig] = Field(
        default_factory=dict, description="The models of the project, by a name of your own."
    )
    lint: LintConfig = Field(
        default_factory=LintConfig, description="What `llmops prompt lint` looks for."
    )


def find_config(start: Path) -> Path:
    """The `llmops.toml` of `start` or of the nearest folder above it."""
    if start.is_file():
        return start
    for folder in (start.resolve(), *start.resolve().parents):
        candidate = folder / CONFIG_NAME
        if candidate.is_file():
            return candidate
    raise UsageError(
        f"no {CONFIG_NAME} in {start.resolve()} or above",
        hint="go to the project's folder, or make a project here with `llmops init`",
    )


def load_config(path: Path, environment: Mapping[str, str] = os.environ) -> ProjectConfig:
    """The configuration in `path`, with what the environment overrides."""
    return parse_config(read_document(path), path, environment)


def parse_config(
    text: str, path: Path, environment: Mapping[str, str] = os.environ
) -> ProjectConfig:
    """The configuration that `text` spells; `path` is where errors point to."""
    document = parse_toml(text, path)
    override(document.data, environment)
    try:
        config = document.validate(ProjectConfig)
    except DocumentError as error:
        parse_toml(text, path).validate(ProjectConfig)  # raises when the file by itself is wrong
        error.where = Where(Path("environment"))
        error.hint = error.hint or f"a variable that begins with {PREFIX} sets it"
        raise
    if config.default_model is not None and config.default_model not in config.models:
        variable = f"{PREFIX}DEFAULT_MODEL"
        where = (
            Where(Path("environment"))
            if variable in environment
            else document.where("default_model")
        )
        raise NotFound.among("model", config.default_model, config.models, where=where)
    return config


def override(data: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Put the values of `LLMOPS_…` variables into `data`, in place."""
    for variable, value in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable.startswith(NOT_SETTINGS):
            continue
        target = data
        *tables, key = variable.removeprefix(PREFIX).split("__")
        if not tables and key.lower() not in ProjectConfig.model_fields:
            known = [PREFIX + name.upper() for name in ProjectConfig.model_fields]
            raise NotFound.among("setting", variable, known, where=Where(Path("environment")))
        for table in tables:
            target = target.setdefault(_existing(target, table), {})
            if not isinstance(target, dict):
                raise UsageError(f"`{variable}`: `{table.lower()}` is not a table")
        target[_existing(target, key)] = value


def _existing(table: Mapping[str, Any], name: str) -> str:
    """The key of `table` that an upper-case variable part means, or a new one."""
    for key in table:
        if key.upper().replace("-", "_") == name:
            return key
    return name.lower()


def is_suite_path(path: str) -> bool:
    """Whether a file is a suite; `path` is relative to the folder of suites.

    >>> is_suite_path("qa/xquad.yaml"), is_suite_path("probes/hiring.yaml")
    (True, False)
    """
    parts = path.split("/")
    if len(parts) > 1 and parts[0] in NOT_SUITES:
        return False
    return path.endswith(SUITE_SUFFIXES) and not any(part.startswith(".") for part in parts)
