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

    kind: KindName = Field(description="`float` is another word for `number`")
    description: str = Field(default="", description="For people, and in an output's schema")
    nullable: bool = Field(default=False, description="Whether `null` is a value, too")
    enum_values: list[Any] | None = Field(
        default=None, alias="enumValues", min_length=1, description="The only values allowed"
    )
    items: ItemDocument | None = Field(
        default=None, description="Of an array: what each item is; left out, anything"
    )
    properties: Properties = Field(
        default=[], description="Of an object: what it holds; left out, anything"
    )


class PropertyDocument(ItemDocument):
    """One input, one output, or one property of an object."""

    name: str = Field(
        pattern="^[A-Za-z][A-Za-z0-9_]*$", description="As the template or the answer has it"
    )
    required: bool | None = Field(
        default=None, description="Left out: required, unless there is a default"
    )
    default: Any = Field(default=None, description="The value when none is given; inputs only")
    example: Any = Field(default=None, description="A value to show and to try with")
    trusted: bool = Field(
        default=False,
        description="The app's own text, not somebody's who could try to instruct the model; "
        "inputs only",
    )


Properties = Annotated[
    list[PropertyDocument],
    BeforeValidator(
        _named,
        json_schema_input_type=list[PropertyDocument] | dict[str, dict[str, Any]],
    ),
]


class DeprecatedDocument(_Strict):
    """That a prompt should no longer be used, since when, and what to use instead."""

    since: VersionText | None = Field(default=None, description="The version that said so first")
    use: str | None = Field(default=None, description="The prompt to use instead")
    after: date | None = Field(
        default=None, description="The last day on which an alias may point to it"
    )


class MetadataDocument(_Strict):
    """What people want to know; none of it reaches the model."""

    version: VersionText = Field(description="A full version, such as `1.0.0`")
    authors: list[str] = Field(default=[], description="Who to ask")
    tags: list[str] = Field(default=[], description="For people and listings")
    deprecated: DeprecatedDocument | None = None


class OptionsDocument(_Strict):
    """How the model picks tokens."""

    temperature: float | None = Field(
        default=None,
        ge=0,
        le=10,
        allow_inf_nan=False,
        description="0 picks the likeliest token; left out, 0",
    )
    max_output_tokens: int | None = Field(
        default=None, alias="maxOutputTokens", ge=1, description="Longest answer, in tokens"
    )
    top_p: float | None = Field(
        default=None,
        alias="topP",
        gt=0,
        le=1,
        description="Likeliest tokens up to this probability",
    )
    top_k: int | None = Field(
        default=None, alias="topK", ge=-1, description="So many of the likeliest tokens"
    )
    seed: int | None = Field(default=None, description="Of the draw; left out, 0")
    stop_sequences: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[], alias="stopSequences", description="Texts that end the answer"
    )
    frequency_penalty: float | None = Field(
        default=None,
        alias="frequencyPenalty",
        ge=-2,
        le=2,
        description="Against tokens, by how often they came",
    )
    presence_penalty: float | None = Field(
        default=None,
        alias="presencePenalty",
        ge=-2,
        le=2,
        description="Against tokens that came at all",
    )
    additional_properties: dict[str, Any] = Field(
        default={},
        alias="additionalProperties",
        description="Further fields of the request, sent as they are",
    )


class ModelDocument(_Strict):
    """Which model the prompt was written for."""

    id: str | None = Field(
        default=None,
        min_length=1,
        description="A model of llmops.toml or a LiteLLM name; left out, the project's default",
    )
    provider: str | None = Field(
        default=None, min_length=1, description="Put before `id` where that names no provider"
    )
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

    name: str | None = Field(
        default=None, description="Left out: the path under the prompts folder; else the same"
    )
    display_name: str | None = Field(
        default=None, alias="displayName", description="A title for people"
    )
    description: str = Field(default="", description="What the prompt is for, in a sentence")
    metadata: MetadataDocument
    model: ModelDocument = ModelDocument()
    inputs: Properties = Field(default=[], description="The values that the template asks for")
    outputs: Properties = Field(
        default=[], description="What the answer must hold: it is then JSON, and held to it"
    )
    examples: str | None = Field(
        default=None,
        description="A JSONL file of few-shot examples, by its path in the prompts folder; "
        "the template has its rows as `examples`",
    )
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
    text = unix_lines(text, path)
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
    if "${" in front or "\\" in front:
        _refuse_references(head)
    document = head.validate(FrontMatter)
    body_line = _line(text, closing.start()) + 1
    return Parts(head=head, document=document, body=text[closing.end() + 1 :], body_line=body_line)


def unix_lines(text: str, path: Path) -> str:
    """`text` with `\\n` line ends; `DocumentError` if it holds a merge conflict marker."""
    text = _NEWLINE.sub("\n", text)
    if conflict := _CONFLICT.search(text):
        raise DocumentError(
            "holds a merge conflict marker",
            hint="resolve the conflict and commit again",
            where=Where(path, _line(text, conflict.start())),
        )
    return text


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
