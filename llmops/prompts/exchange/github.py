"""GitHub Models: a `.prompt.yml` file read into a draft.

The format is that of `gh models`; what its files may hold beyond that is
noted, not refused, since GitHub adds to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from llmops.core.documents import Document, Parsed
from llmops.core.errors import DocumentError
from llmops.prompts.exchange.chats import read_role
from llmops.prompts.exchange.languages.braces import read_braces, spaced_places
from llmops.prompts.exchange.naming import name_inputs, renaming_notes, slug
from llmops.prompts.exchange.parameters import option_notes, read_options
from llmops.prompts.exchange.schemas import read_schema
from llmops.prompts.exchange.turns import as_text, renamed, variables
from llmops.prompts.exchange.values import Draft, Turn
from llmops.prompts.refs import is_name

SUFFIXES = (".prompt.yml", ".prompt.yaml")


class _Open(Document):
    """A part of a file whose format is not ours: unknown keys are kept."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Message(_Open):
    role: str
    content: str


class _File(_Open):
    name: str | None = None
    description: str | None = None
    model: str | None = None
    model_parameters: dict[str, Any] | None = Field(default=None, alias="modelParameters")
    messages: list[_Message] = Field(min_length=1)
    response_format: Any = Field(default=None, alias="responseFormat")
    json_schema: Any = Field(default=None, alias="jsonSchema")
    test_data: list[dict[str, Any]] | None = Field(default=None, alias="testData")
    evaluators: list[Any] | None = None


def read_github(parsed: Parsed, *, stem: str | None = None) -> Draft:
    """The prompt of a `.prompt.yml` file; `stem` is its path in a folder that is imported whole.

    Raises `DocumentError`, with the line, for what is not of the format, for
    an unknown role and for a JSON schema that is no JSON.
    """
    file = parsed.validate(_File)
    rows = file.test_data or []
    known = {key for row in rows for key in row}
    turns = [
        Turn(
            read_role(each.role, parsed.where("messages", index, "role")),
            tuple(read_braces(each.content, known)),
        )
        for index, each in enumerate(file.messages)
    ]
    named = name_inputs(variables(turns))
    options, left = read_options(file.model_parameters or {})
    outputs, schema_notes = _outputs(file, parsed)
    return Draft(
        names=tuple(
            filter(None, (_own_name(file.name), _stem(stem or parsed.path.name), file.name))
        ),
        origin=f"`{parsed.path}`",
        where=parsed.where(),
        turns=tuple(renamed(turns, named)),
        display_name=None if _own_name(file.name) else file.name,
        description=file.description or "",
        model=file.model or None,
        options=options,
        inputs=tuple(_input(source, name, rows) for source, name in named.items()),
        outputs=tuple(outputs),
        notes=(
            *option_notes(options, left),
            *schema_notes,
            *renaming_notes(named),
            *_notes(file, named),
        ),
    )


def _own_name(name: str | None) -> str | None:
    """The name, if it is one of ours, as in a file that was exported from here."""
    return name if name and is_name(name) else None


def _stem(path: str) -> str:
    for suffix in SUFFIXES:
        path = path.removesuffix(suffix)
    return "/".join(slug(part) for part in path.split("/"))


def _input(source: str, name: str, rows: list[dict[str, Any]]) -> Mapping[str, Any]:
    declared = {"name": name, "kind": "string"}
    example = as_text(rows[0].get(source)) if rows else None
    return declared if example is None else {**declared, "example": example}


def _outputs(file: _File, parsed: Parsed) -> tuple[list[dict[str, Any]], list[str]]:
    if file.response_format in (None, "text") and file.json_schema is None:
        return [], []
    if file.json_schema is None:
        return [], [
            f"`responseFormat: {as_text(file.response_format)}` is not held: declare outputs"
        ]
    schema = file.json_schema
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except (ValueError, RecursionError) as error:
            raise DocumentError(
                f"`jsonSchema` is not valid JSON: {error}", where=parsed.where("jsonSchema")
            ) from None
    if not isinstance(schema, dict) or "schema" not in schema:
        return read_schema(schema)
    outputs, notes = read_schema(schema["schema"])
    lost = [f"`{key}`" for key in schema if key != "schema"]
    if lost:
        notes = [*notes, f"a prompt has no place for {' and '.join(lost)} of the answer's schema"]
    return outputs, notes


def _notes(file: _File, named: Mapping[str, str]) -> list[str]:
    notes = []
    for message in file.messages:
        notes += [
            f"`{place}` is text: GitHub replaces braces that hold nothing but a name"
            for place in spaced_places(message.content)
        ]
    rows = file.test_data or []
    if len(rows) > 1 or any(key not in named for row in rows for key in row):
        notes.append("of `testData`, the first value of each variable is held, as its example")
    if file.evaluators:
        notes.append("`evaluators` are not held: write a suite of evaluations")
    unknown = [*(file.model_extra or {})]
    unknown += [key for each in file.messages for key in each.model_extra or {}]
    return notes + [f"`{key}` is not held" for key in dict.fromkeys(unknown)]
