"""The file format of a suite: what may stand in `evals/<name>.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from llmops.core.documents import Document
from llmops.evals.slices.rules import LEAST

UNJUDGED = 0.05
YAML = (".yaml", ".yml")
CONFIDENCE = 0.95


class SubjectSection(Document):
    """What is evaluated: a prompt, answered by a model."""

    prompt: str = Field(min_length=1, description="Ref of a prompt: `qa/answer`, `qa/answer@1.2.0`")
    model: str | None = Field(
        default=None, description="Left out: the prompt's, or the project's default"
    )


class DatasetSection(Document):
    """Where the cases come from, and which column means what."""

    path: str | None = Field(
        default=None, min_length=1, description="JSONL or CSV file, relative to the suite"
    )
    probes: str | None = Field(
        default=None,
        min_length=1,
        description="Instead of `path`: a YAML file of fairness probes, which make the cases",
    )
    id: str = Field(default="id", description="Column that names each case; no two the same")
    inputs: dict[str, str] | None = Field(
        default=None,
        description="Prompt variable: column. Left out: the columns of the variables' names",
    )
    expected: str | None = Field(
        default=None, description="Left out: the column `expected` if there is one"
    )
    contexts: tuple[str, ...] = Field(
        default=(), description="Columns with the passages that the answer should rest on"
    )
    tags: str | None = Field(
        default=None, description="Left out: the column `tags` if there is one"
    )
    counterfactual: str | None = Field(
        default=None,
        description="Column that names a group of cases which ask the same but for their slices. "
        "Left out: the column `counterfactual` if there is one",
    )
    row_schema: str | None = Field(
        default=None,
        alias="schema",
        min_length=1,
        description="JSON Schema (a JSON or YAML file, relative to the suite) of every row",
    )

    @model_validator(mode="after")
    def _one_file(self) -> DatasetSection:
        if (self.path is None) == (self.probes is None):
            raise ValueError("the cases come from a `path` or from `probes`: name one of the two")
        if self.path is not None and self.path.lower().endswith(YAML):
            raise ValueError("a YAML file holds probes: name it as `probes`, not as `path`")
        if self.probes is not None and not self.probes.lower().endswith(YAML):
            raise ValueError("`probes` is a YAML file; cases in JSONL or CSV are named by `path`")
        return self

    @property
    def file(self) -> str:
        """The file that holds the cases or makes them, relative to the suite."""
        return self.path or self.probes or ""


class SliceSection(Document):
    """One way to divide the cases, each part of which is reported by itself."""

    column: str | None = Field(default=None, description="Left out: the column of the same name")
    tags: str | None = Field(
        default=None, description="Tags instead of a column: `kind:*` makes `kind:math` `math`"
    )
    least: int = Field(
        default=LEAST,
        ge=1,
        description="Judged cases without which the gate calls a value inconclusive",
    )

    @model_validator(mode="after")
    def _one_source(self) -> SliceSection:
        if self.column is not None and self.tags is not None:
            raise ValueError("a slice is made of a `column` or of `tags`, not of both")
        return self


def _named_slices(value: Any) -> Any:
    """A list of columns as the mapping that it is short for."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        doubled = next((each for each in value if value.count(each) > 1), None)
        if doubled is not None:
            raise ValueError(f"`{doubled}` stands twice")
        return {each: {} for each in value}
    return value


class CheckSection(Document):
    """A scorer and the rule that its score must satisfy."""

    scorer: str = Field(
        min_length=1,
        description="A built-in scorer, a plugin's, or your own: `module:attr`, `file.py:attr`",
    )
    name: str | None = Field(default=None, min_length=1, description="Left out: the scorer's name")
    rule: str | None = Field(default=None, alias="pass", description="Such as `>= 0.5`")
    options: dict[str, Any] = Field(default_factory=dict, description="The scorer's own")
    measure_only: bool = Field(default=False, description="Report the score; it can never fail")
    calibration: str | None = Field(
        default=None,
        min_length=1,
        description="Of a judge: the name of its measurement against human labels, a file in "
        "`evals/calibrations`",
    )
    requires: dict[Literal["agreement", "kappa", "weighted_kappa", "alpha", "auroc"], str] = Field(
        default={},
        description='What the calibration must have found: `{kappa: ">= 0.6"}`; without it the '
        "suite does not run",
    )


def _long_form(value: Any) -> Any:
    return {"scorer": value} if isinstance(value, str) else value


class MetricSection(Document):
    """A threshold of the gate on one check."""

    check: str = Field(description="The name of a check")
    mean: str | None = Field(default=None, description="Such as `>= 0.3`")
    pass_rate: str | None = Field(default=None, description="Such as `>= 0.95`")
    drop: str | None = Field(
        default=None,
        description="The most that may be lost against the base: `<= 0.02` in the score's own "
        "unit, `<= 5%` of what the base has",
    )
    of: Literal["mean", "pass_rate"] | None = Field(
        default=None,
        description="What `drop` and `gap` are of. Left out: the pass rate of a check with a "
        "rule, else the mean",
    )
    by: str | None = Field(
        default=None, description="A slice of the suite: the thresholds hold in each of its values"
    )
    gap: str | None = Field(
        default=None,
        description="The most that the best and the worst value of `by` may be apart: `<= 0.1`",
    )


class GateSection(Document):
    """When the run passes. Left out: every check with a rule passes on every case."""

    unjudged: float = Field(
        default=UNJUDGED,
        ge=0,
        le=1,
        description="Share of unjudged results that is still tolerated",
    )
    confidence: float = Field(
        default=CONFIDENCE,
        ge=0.5,
        lt=1,
        description="Of the comparison with a base: of all unchanged runs at most "
        "`1 - confidence` are called a regression",
    )
    metrics: tuple[MetricSection, ...] | None = Field(
        default=None,
        min_length=1,
        description="The thresholds, all of which must hold",
    )


class SamplingSection(Document):
    """How the model picks tokens; what is set here goes before the prompt's own."""

    temperature: float | None = Field(default=None, ge=0, description="0 picks the likeliest")
    seed: int | None = Field(default=None, description="Of the draw, where there is one")
    max_tokens: int | None = Field(default=None, ge=1, description="Longest answer")
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="Likeliest tokens up to this probability"
    )
    top_k: int | None = Field(default=None, description="So many of the likeliest tokens")
    stop: tuple[str, ...] | None = Field(default=None, description="Texts that end the answer")
    frequency_penalty: float | None = Field(
        default=None, description="Against tokens, by how often they came"
    )
    presence_penalty: float | None = Field(
        default=None, description="Against tokens that came at all"
    )
    extra: dict[str, Any] | None = Field(
        default=None, description="Further fields of the request, sent as they are"
    )


def _repeat(value: Any) -> Any:
    """One message for both forms, where a union would tell of each."""
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError("must be a whole number from 1 on, or `auto`")


class SuiteFile(Document):
    """An evaluation suite as it is written."""

    version: Literal[1] = Field(description="Version of this file format")
    description: str = Field(default="", description="What the suite asks, and why so")
    tags: tuple[str, ...] = Field(default=(), description="For people and listings")
    subject: SubjectSection
    dataset: DatasetSection
    checks: tuple[
        Annotated[
            CheckSection,
            BeforeValidator(_long_form, json_schema_input_type=str | CheckSection),
        ],
        ...,
    ] = Field(min_length=1, description="A scorer's name alone is short for a check with it")
    slices: Annotated[
        dict[str, SliceSection],
        BeforeValidator(
            _named_slices, json_schema_input_type=tuple[str, ...] | dict[str, SliceSection]
        ),
    ] = Field(
        default={},
        description="How the cases are divided. A list of columns is short for slices named so",
    )
    gate: GateSection | None = None
    repeat: Annotated[
        int | Literal["auto"],
        BeforeValidator(
            _repeat, json_schema_input_type=Annotated[int, Field(ge=1)] | Literal["auto"]
        ),
    ] = Field(
        default=1,
        description="How often each case is asked; `auto` repeats where the verdict is open, "
        "up to five times",
    )
    concurrency: int | None = Field(
        default=None, ge=1, description="Calls in flight at once; left out, as many as the model's"
    )
    sampling: SamplingSection = SamplingSection()

    @model_validator(mode="after")
    def _probed_slices(self) -> SuiteFile:
        if self.dataset.probes is not None and not self.slices:
            raise ValueError("`slices` is missing: name the probes' attributes, `slices: [gender]`")
        return self
