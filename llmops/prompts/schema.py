"""The front matter of a `.prompty` file: its keys, and where it ends.

The shape is Prompty 2's. A file is front matter between two `---` lines and
then the body; unknown keys are errors, as in every file of a project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from llmops.core.documents import Document, Parsed, parse_yaml
from llmops.core.errors import DocumentError, UsageError, Where
from llmops.prompts.versions import Version

KINDS = ("string", "integer", "number", "float", "boolean", "array", "object")


class _Strict(Document):
    """No text where a number is asked for; only the spelling of the format."""

    model_config = ConfigDict(strict=True, populate_by_name=False)


def _full_version(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"`{value}` is a number; write a full version, such as `1.0.0`")
    if isinstance(value, str):
        try:
            Version.parse(value)
        except UsageError as error:
            raise ValueError(f"{error.message}; {error.hint}") from None
    return value


def _named(value: Any) -> Any:
    """A mapping from names to properties, as the list that says the same."""
    if not isinstance(value, dict):
        return value
    named = []
    for name, declared in value.items():
        if not isinstance(declared, dict):
            raise ValueError(f"`{name}` needs a mapping, such as `{{kind: string}}`")
        if "name" in declared:
            raise ValueError(f"`{name}` is named by its key; drop the `name` inside")
        named.append({"name": name, **declared})
    return named


def _known_kind(value: Any) -> Any:
    if value not in KINDS:
        known = ", ".join(f"`{kind}`" for kind in KINDS)
        raise ValueError(f"`{value}` is not a kind; known: {known}")
    return value


def _spelled_out(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


VersionText = Annotated[str, BeforeValidator(_full_version)]
KindName = Annotated[
    Literal["string", "integer", "number", "float", "boolean", "array", "object"],
    BeforeValidator(_known_kind),
]


class ItemDocument(_Strict):
    """What each item of an array is."""

    kind: KindName
    description: str = ""
    nullable: bool = False
    enum_values: list[Any] | None = Field(default=None, alias="enumValues", min_length=1)
    items: ItemDocument | None = None
    properties: Properties = Field(default=[])


class PropertyDocument(ItemDocument):
    """One input, one output, or one property of an object."""

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9_]*$")
    required: bool | None = None
    default: Any = None
    example: Any = None


Properties = Annotated[
    list[PropertyDocument],
    BeforeValidator(
        _named,
        json_schema_input_type=list[PropertyDocument] | dict[str, dict[str, Any]],
    ),
]


class DeprecatedDocument(_Strict):
    """That a prompt should no longer be used, since when, and what to use instead."""

    since: VersionText | None = None
    use: str | None = None
    after: date | None = None
    """The day from which nothing may point to it any more."""


class MetadataDocument(_Strict):
    """What people want to know; none of it reaches the model."""

    version: VersionText
    authors: list[str] = Field(default=[])
    tags: list[str] = Field(default=[])
    deprecated: DeprecatedDocument | None = None


class OptionsDocument(_Strict):
    """How the model picks tokens."""

    temperature: float | None = Field(default=None, ge=0, le=10, allow_inf_nan=False)
    max_output_tokens: int | None = Field(default=None, alias="maxOutputTokens", ge=1)
    top_p: float | None = Field(default=None, alias="topP", gt=0, le=1)
    top_k: int | None = Field(default=None, alias="topK", ge=-1)
    seed: int | None = None
    stop_sequences: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], alias="stopSequences"
    )
    frequency_penalty: float | None = Field(default=None, alias="frequencyPenalty", ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, alias="presencePenalty", ge=-2, le=2)
    additional_properties: dict[str, Any] = Field(default={}, alias="additionalProperties")


class ModelDocument(_Strict):
    """Which model the prompt was written for."""

    id: str | None = Field(default=None, min_length=1)
    provider: str | None = Field(default=None, min_length=1)
    options: OptionsDocument = OptionsDocument()


class FormatDocument(_Strict):
    """The template language: Jinja2, always strict."""

    kind: Literal["jinja2"] = "jinja2"
    strict: Literal[True] = True


class ParserDocument(_Strict):
    """How the rendered text becomes messages: by role lines."""

    kind: Literal["prompty"] = "prompty"


class TemplateDocument(_Strict):
    """Template language and parser; there is one of each."""

    format: Annotated[FormatDocument, BeforeValidator(_spelled_out)] = FormatDocument()
    parser: Annotated[ParserDocument, BeforeValidator(_spelled_out)] = ParserDocument()


class FrontMatter(_Strict):
    """The front matter of a `.prompty` file."""

    name: str | None = None
    display_name: str | None = Field(default=None, alias="displayName")
    description: str = ""
    metadata: MetadataDocument
    model: ModelDocument = ModelDocument()
    inputs: Properties = Field(default=[])
    outputs: Properties = Field(default=[])
    template: TemplateDocument = TemplateDocument()


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A file taken apart: the parsed front matter, and the body with its first line's number."""

    head: Parsed
    document: FrontMatter
    body: str
    body_line: int


_NEWLINE = re.compile(r"\r\n|\r")
_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{(?:env|file):[^}]*\}")

_EXAMPLE = "---\nmetadata: {version: 1.0.0}\n---\nuser:\n…"


def take_apart(text: str, path: Path) -> Parts:
    """Split and validate a file's text; `DocumentError` names the line of what is wrong."""
    text = _NEWLINE.sub("\n", text)
    if conflict := _CONFLICT.search(text):
        raise DocumentError(
            "holds a merge conflict marker",
            hint="resolve the conflict and commit again",
            where=Where(path, _line(text, conflict.start())),
        )
    opening = _FENCE.match(text)
    if not opening:
        raise DocumentError(
            "does not start with front matter",
            hint=f"a prompt looks like this: {_EXAMPLE!r}",
            where=Where(path, 1),
        )
    closing = _FENCE.search(text, opening.end())
    if not closing:
        raise DocumentError(
            "the front matter has no end",
            hint="close it with a line `---`, and write the messages below",
            where=Where(path, 1),
        )
    front = text[opening.end() + 1 : closing.start()]
    if not front.strip():
        raise DocumentError("the front matter is empty", where=Where(path, 1))
    head = parse_yaml(front, path, first_line=2)
    _refuse_references(head)
    document = head.validate(FrontMatter)
    body_line = _line(text, closing.start()) + 1
    return Parts(head=head, document=document, body=text[closing.end() + 1 :], body_line=body_line)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _refuse_references(head: Parsed) -> None:
    """Prompty fills in `${env:…}` and `${file:…}`; sent as they stand they would be nonsense."""
    for keys, value in _texts(head.data, ()):
        if found := _REFERENCE.search(value):
            raise DocumentError(
                f"`{found[0]}` is not filled in: a prompt is the same on every machine",
                hint="write the value out, or make it an input",
                where=head.where(*keys),
            )


def _texts(value: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, (*keys, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, (*keys, index))
