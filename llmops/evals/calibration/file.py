"""The file format of a calibration: a judge, and cases that people have labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from llmops.core.documents import Document, Parsed, load_yaml
from llmops.core.errors import DocumentError, NotFound

FOLDER = "calibrations"
"""Calibrations lie in a folder of this name, beside the suites or above them."""


class JudgeSection(Document):
    """The judge, as a check of a suite names it."""

    scorer: str = Field(min_length=1, description="A judge: `judge`, `judge_geval`, …")
    options: dict[str, Any] = Field(default_factory=dict, description="The judge's own")


class LabelledSection(Document):
    """Where the labelled cases come from, and which column means what."""

    path: str = Field(min_length=1, description="JSONL or CSV file, relative to this file")
    id: str = Field(default="id", description="Column that names each case; no two the same")
    output: str = Field(default="output", description="Column of the answer that is judged")
    inputs: dict[str, str] = Field(
        default={}, description="Input of the case: column; what the judge's prompt asks for"
    )
    expected: str | None = Field(default=None, description="Column of the expected answer")
    contexts: tuple[str, ...] = Field(default=(), description="Columns with passages")


class LabelsSection(Document):
    """What people said."""

    columns: tuple[str, ...] = Field(
        min_length=1, description="A column for each rater; an empty cell is no label"
    )
    map: dict[str, str] | None = Field(
        default=None,
        description="A rater's word: the judge's label. Left out: they use the same words",
    )


class ConsistencySection(Document):
    """Whether the judge says the same again."""

    repeats: int = Field(default=3, ge=2, le=20, description="Times that each case is asked")
    temperature: float = Field(
        default=0.7, ge=0, description="Of reasoning and sampled answers; it changes no probability"
    )
    items: int = Field(default=50, ge=2, description="Cases that are asked, the first of the file")


class CalibrationFile(Document):
    """A calibration as it is written."""

    version: Literal[1] = Field(description="Version of this file format")
    description: str = Field(default="", description="What the labels are, and who gave them")
    judge: JudgeSection
    dataset: LabelledSection
    labels: LabelsSection
    level: Literal["nominal", "ordinal", "interval"] | None = Field(
        default=None,
        description="What the labels' values mean. Left out: `nominal` for two labels, else "
        "`ordinal`",
    )
    consistency: ConsistencySection | None = Field(
        default=None, description="Left out, no case is asked twice"
    )
    resamples: int = Field(default=2000, ge=200, le=20_000, description="Of the bootstrap")
    seed: int = Field(default=0, description="Of the bootstrap")


class CalibrationSource:
    """A calibration file that was read, with the place of everything in it."""

    def __init__(self, path: Path):
        """Raises `DocumentError` with file and line for whatever is wrong."""
        self.path = path
        self.document: Parsed = load_yaml(path)
        self.file = self.document.validate(CalibrationFile)

    @property
    def name(self) -> str:
        """What suites call it: the file's name without suffix."""
        return self.path.stem

    @property
    def artifact_path(self) -> Path:
        """Where its result lies: beside it."""
        return self.path.with_suffix(".json")


def find_calibration(name: str, folder: Path, root: Path) -> Path:
    """The calibration file `name` in the nearest `calibrations` at or above `folder`.

    Nothing above `root` is looked at. Raises `NotFound` with the nearest name,
    and `DocumentError` for a name that is a path.
    """
    if Path(name).name != name:
        raise DocumentError(f"`{name}` is a path; a calibration is named by its file's name")
    known: list[str] = []
    for each in (folder, *folder.parents):
        path = each / FOLDER / f"{name}.yaml"
        if path.is_file():
            return path
        known += [found.stem for found in (each / FOLDER).glob("*.yaml")]
        if each == root:
            break
    raise NotFound.among("calibration", name, known)
