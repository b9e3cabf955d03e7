"""JSON Schemas of every file format, made from the models that read the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.core.documents import schema_of
from llmops.core.errors import NotFound
from llmops.core.files import write_text


def _config() -> Mapping[str, Any]:
    from llmops.project.config import ProjectConfig

    return schema_of(ProjectConfig, title="llmops.toml")


def _prompt() -> Mapping[str, Any]:
    from llmops.prompts.schema import FrontMatter

    return schema_of(FrontMatter, title="Front matter of a .prompty file")


def _suite() -> Mapping[str, Any]:
    from llmops.evals.suite import SuiteFile

    return schema_of(SuiteFile, title="Evaluation suite of llmops")


def _probes() -> Mapping[str, Any]:
    from llmops.evals.probes.file import ProbeFile

    return schema_of(ProbeFile, title="Fairness probes of llmops")


def _report() -> Mapping[str, Any]:
    from llmops.evals.render.json import REPORT_SCHEMA

    return REPORT_SCHEMA


def _comparison() -> Mapping[str, Any]:
    from llmops.evals.render.comparison_schema import COMPARISON_SCHEMA

    return COMPARISON_SCHEMA


def _calibration() -> Mapping[str, Any]:
    from llmops.evals.calibration.file import CalibrationFile

    return schema_of(CalibrationFile, title="Calibration of a judge")


def _calibration_result() -> Mapping[str, Any]:
    from llmops.evals.calibration.artifact import Calibration

    return schema_of(Calibration, title="Result of a judge's calibration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One file format with its schema."""

    name: str
    describes: str
    build: Callable[[], Mapping[str, Any]]


FORMATS = (
    Format(name="llmops", describes="llmops.toml, the project's configuration", build=_config),
    Format(name="prompt", describes="the front matter of prompts/**/*.prompty", build=_prompt),
    Format(name="suite", describes="evals/**/*.yaml, an evaluation suite", build=_suite),
    Format(
        name="probes",
        describes="evals/probes/*.yaml, questions that ask the same of several groups",
        build=_probes,
    ),
    Format(
        name="calibration",
        describes="evals/calibrations/*.yaml, a judge and cases that people labelled",
        build=_calibration,
    ),
    Format(
        name="calibration-result",
        describes="evals/calibrations/*.json, what a calibration found",
        build=_calibration_result,
    ),
    Format(name="report", describes="report.json, the report of an evaluation", build=_report),
    Format(
        name="comparison",
        describes="what `llmops eval compare --json` writes",
        build=_comparison,
    ),
)


def schema(name: str) -> Mapping[str, Any]:
    """The JSON Schema of a format; `NotFound` names those that there are."""
    for each in FORMATS:
        if each.name == name:
            return each.build()
    raise NotFound.among("file format", name, [each.name for each in FORMATS])


def write(folder: Path) -> list[Path]:
    """Write `NAME.json` for every format; gives the paths."""
    paths = []
    for each in FORMATS:
        path = folder / f"{each.name}.json"
        write_text(path, json.dumps(each.build(), indent=2, ensure_ascii=False) + "\n")
        paths.append(path)
    return paths
