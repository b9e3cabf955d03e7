"""The file format of a suite: what may stand in `evals/<name>.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from llmops.core.documents import Document

UNJUDGED = 0.05


class SubjectSection(Document):
    """What is evaluated: a prompt, answered by a model."""

    prompt: str = Field(min_length=1, description="Ref of a prompt: `qa/answer`, `qa/answer@1.2.0`")
    model: str | None = Field(
        default=None, description="Left out: the prompt's, or the project's default"
    )


class DatasetSection(Document):
    """Where the cases come from, and which column means what."""

    path: str = Field(min_length=1, description="JSONL or CSV file, relative to the suite")
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


def _long_form(value: Any) -> Any:
    return {"scorer": value} if isinstance(value, str) else value


class MetricSection(Document):
    """A threshold of the gate on one check."""

    check: str = Field(description="The name of a check")
    mean: str | None = Field(default=None, description="Such as `>= 0.3`")
    pass_rate: str | None = Field(default=None, description="Such as `>= 0.95`")


class GateSection(Document):
    """When the run passes. Left out: every check with a rule passes on every case."""

    unjudged: float = Field(
        default=UNJUDGED,
        ge=0,
        le=1,
        description="Share of unjudged results that is still tolerated",
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
    gate: GateSection | None = None
    repeat: int = Field(default=1, ge=1, description="How often each case is asked")
    concurrency: int | None = Field(
        default=None, ge=1, description="Calls in flight at once; left out, as many as the model's"
    )
    sampling: SamplingSection = SamplingSection()
