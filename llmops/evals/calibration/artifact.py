"""The result of a calibration, as a file that people commit beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from llmops.core.documents import Document
from llmops.core.errors import DocumentError, Where
from llmops.core.files import read_document, write_text

SCHEMA_NAME: Literal["llmops.calibration/1"] = "llmops.calibration/1"


class Figure(Document):
    """A figure with its 95 % interval; `null` where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None


class JudgeRecord(Document):
    """Which judge was measured."""

    scorer: str
    version: str
    made_from: dict[str, str] = Field(description="What decides on its scores")
    prompt_version: str | None
    identity: str = Field(description="The endpoint and weights that answered; for information")


class DatasetRecord(Document):
    """On what it was measured."""

    path: str
    sha256: str
    rows: int


class Counts(Document):
    """What became of the cases. All but `rows` and `raters` count towards `rows`."""

    rows: int
    raters: int
    scored: int
    unscored: int = Field(description="The judge gave no score, and said why")
    errors: int = Field(description="The provider failed")
    unlabelled: int = Field(description="Scored, and people gave no label or no majority")


class Confusion(Document):
    """How often people said the row's label and the judge the column's."""

    labels: list[str]
    counts: list[list[int]]


class Threshold(Document):
    """The score from which on the better label is the likelier one."""

    score: float
    balanced_accuracy: float = Field(description="On the cases that it was chosen by: too good")
    cross_validated: float | None = Field(
        description="On cases that it was not chosen by (five parts); what to expect"
    )


class Bias(Document):
    """What the judge goes by beside what people go by."""

    length: Figure | None = Field(
        description="Rank correlation of score and length at equal human label"
    )
    first: Figure | None = Field(
        description="Of a pairwise judge: mean probability of the answer shown first; 0.5 is fair"
    )
    inconsistent: Figure | None = Field(
        description="Of a pairwise judge: share of cases where the order decides"
    )


class Consistency(Document):
    """What it says when it is asked again."""

    cases: int
    repeats: int
    temperature: float
    same_label: Figure | None = Field(description="Share of cases with the same label every time")
    spread: float | None = Field(description="Mean standard deviation of a case's scores")


class Health(Document):
    """How well the judge's answers could be read."""

    mass: float | None = Field(description="Mean probability on the labels; null where not told")
    low_mass: int = Field(description="Cases left unscored for too little of it")
    unparsed: int = Field(description="Answers that were no label")


class Calibration(Document):
    """A judge measured against people."""

    format: Literal["llmops.calibration/1"] = Field(alias="schema")
    name: str
    date: str = Field(description="ISO 8601, UTC")
    description: str
    judge: JudgeRecord
    dataset: DatasetRecord
    counts: Counts
    level: Literal["nominal", "ordinal", "interval"]
    figures: dict[str, Figure | None] = Field(
        description="`agreement`, `baseline`, `kappa`, `weighted_kappa`, `alpha`, `human_alpha`, "
        "`auroc`, `spearman`; null where it cannot be told"
    )
    confusion: Confusion
    threshold: Threshold | None
    bias: Bias
    consistency: Consistency | None
    health: Health
    usage: dict[str, Any]

    def text(self) -> str:
        """The artifact as it is written: stable, so that a new one can be reviewed as a diff."""
        data = self.model_dump(mode="json", by_alias=True)
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the artifact, whole or not at all."""
        write_text(path, self.text())


def read_calibration(path: Path) -> Calibration:
    """The artifact at `path`; `DocumentError` when there is none or it is something else."""
    try:
        return Calibration.model_validate(json.loads(read_document(path)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        reason = f"`{at}`: {first['msg']}"
    except ValueError as error:
        reason = str(error)
    raise DocumentError(
        f"not a calibration of this program: {reason}",
        hint=f"make it again: `llmops eval calibrate {path.stem}`",
        where=Where(path),
    )
