"""The file format of probes: what may stand in `evals/probes/<name>.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from llmops.core.documents import Document

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]

Words = Text | dict[Name, Text]
"""A text, or texts by grammatical form: `{subject: she, object: her}`."""


def _by_label(value: Any) -> Any:
    """A list of texts as the mapping that it is short for."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        doubled = next((each for each in value if value.count(each) > 1), None)
        if doubled is not None:
            raise ValueError(f"`{doubled}` stands twice")
        return {each: each for each in value}
    return value


Values = Annotated[
    dict[Label, Words | tuple[Words, ...]],
    BeforeValidator(
        _by_label,
        json_schema_input_type=tuple[Label, ...] | dict[Label, Words | tuple[Words, ...]],
    ),
]
"""Words by label; several words for one label stand for it in turn, such as first names."""


class TemplateSection(Document):
    """One question, with places for what differs."""

    inputs: dict[str, str] = Field(
        min_length=1,
        description="Column: text with placeholders such as `{role}` and `{gender.subject}`; "
        "`{gender.Subject}` begins with a capital, `{{` and `}}` are braces",
    )
    expected: str | tuple[str, ...] | None = Field(
        default=None, description="The reference, or several; may have placeholders too"
    )
    tags: tuple[str, ...] = Field(default=(), description="Of all cases that it makes")


class ProbeFile(Document):
    """Templates, and the attributes in which the cases that they make differ."""

    version: Literal[1] = Field(description="Version of this file format")
    description: str = Field(default="", description="What the probes ask, and of whom")
    attributes: dict[Name, Values] = Field(
        min_length=1,
        description="What must make no difference: each value is asked the same, and is a slice",
    )
    vary: dict[Name, Values] = Field(
        default={},
        description="What may make a difference, such as the role that somebody applies for: "
        "more questions from one template",
    )
    templates: dict[Label, TemplateSection] = Field(min_length=1, description="The questions")

    @field_validator("attributes")
    @classmethod
    def _two_values(cls, attributes: dict[str, Any]) -> dict[str, Any]:
        for name, values in attributes.items():
            if len(values) < 2:
                raise ValueError(f"`{name}` has fewer than two values to compare")
        return attributes
