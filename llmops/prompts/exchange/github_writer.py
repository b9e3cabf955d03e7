"""A prompt as a `.prompt.yml` file of GitHub Models.

GitHub puts texts into places, and that is all. A prompt that decides or
computes with its inputs is refused: half of its meaning would be gone. What
is only less (kinds, defaults, descriptions) is left out and told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from llmops.core.errors import UsageError, Where
from llmops.prompts.exchange.languages.braces import read_braces, write_braces
from llmops.prompts.exchange.parameters import plain_number
from llmops.prompts.exchange.printed import printed_turns
from llmops.prompts.exchange.turns import as_text
from llmops.prompts.exchange.values import ExportedFile, Turn
from llmops.prompts.exchange.writer import to_yaml
from llmops.prompts.inputs import NOT_GIVEN, Kind
from llmops.prompts.prompt import Prompt, sampling_json
from llmops.prompts.refs import is_name

_PARAMETERS = {"temperature": "temperature", "max_tokens": "maxTokens", "top_p": "topP"}
_SEED = ("seed", 0)


def write_github(prompt: Prompt) -> ExportedFile:
    """The file's text, and what it does not hold.

    Partials and few-shot examples are written out. Raises `UsageError` for a
    prompt that needs template logic, and for a text that GitHub would take for
    a variable.
    """
    turns = printed_turns(prompt)
    if turns is None:
        raise UsageError(
            f"the prompt `{prompt.name}` decides or computes with its inputs, "
            "and `.prompt.yml` only puts them in",
            hint="`--to mlflow` holds Jinja2",
            where=Where(prompt.path),
        )
    sampling = sampling_json(prompt.sampling)
    data = {
        "name": _title(prompt),
        "description": prompt.description or None,
        "model": prompt.model,
        "modelParameters": {
            theirs: plain_number(sampling[ours])
            for ours, theirs in _PARAMETERS.items()
            if ours in sampling
        },
        **_response_format(prompt),
        "messages": [{"role": _role(turn), "content": _content(turn, prompt)} for turn in turns],
        "testData": _test_data(prompt),
    }
    text = to_yaml({key: value for key, value in data.items() if value})
    return ExportedFile(name=prompt.name, text=text, notes=tuple(_notes(prompt, turns)))


def _title(prompt: Prompt) -> str:
    # One that reads like a prompt's name would become the name when it is imported.
    title = prompt.display_name
    return title if title and not is_name(title) else prompt.name


def _role(turn: Turn) -> str:
    return "system" if turn.role == "developer" else turn.role


def _content(turn: Turn, prompt: Prompt) -> str:
    content = write_braces(turn.pieces)
    if tuple(read_braces(content)) != turn.pieces:
        raise UsageError(
            f"the prompt `{prompt.name}` has braces in its text that GitHub takes for a variable",
            where=Where(prompt.path),
        )
    return content


def _response_format(prompt: Prompt) -> dict[str, Any]:
    schema = prompt.output_schema
    if schema is None:
        return {}
    named = {
        "name": re.sub("[^A-Za-z0-9_-]", "_", prompt.name)[:64],
        "strict": all(each.required for each in prompt.outputs),
        "schema": schema,
    }
    return {
        "responseFormat": "json_schema",
        "jsonSchema": json.dumps(named, indent=2, ensure_ascii=False),
    }


def _test_data(prompt: Prompt) -> list[dict[str, str]]:
    row = {each.name: as_text(each.example) for each in prompt.inputs}
    given = {name: text for name, text in row.items() if text is not None}
    return [given] if given else []


def _notes(prompt: Prompt, turns: tuple[Turn, ...]) -> Iterator[str]:
    sampling = sampling_json(prompt.sampling)
    # A seed of 0 is what every prompt has that does not choose one.
    lost = [key for key in sampling if key not in _PARAMETERS and (key, sampling[key]) != _SEED]
    if lost:
        yield "GitHub has no place for " + _listed(lost)
    for each in prompt.inputs:
        if each.kind is not Kind.STRING:
            yield f"the input `{each.name}` is of kind {each.kind.value} here, and text there"
        if each.default is not NOT_GIVEN:
            yield f"the default of `{each.name}` is not held: it has to be given"
        elif not each.required:
            yield f"`{each.name}` is optional here, and has to be given there"
    told = {
        "descriptions of inputs": any(each.description for each in prompt.inputs),
        "allowed values of inputs": any(each.enum for each in prompt.inputs),
        "examples of outputs": any(each.example is not NOT_GIVEN for each in prompt.outputs),
        "displayName": prompt.display_name not in (None, _title(prompt)),
        "authors": bool(prompt.authors),
        "tags": bool(prompt.tags),
        "deprecated": prompt.deprecated is not None,
        "version": True,
    }
    yield "not held: " + ", ".join(what for what, there in told.items() if there)
    if any(turn.role == "developer" for turn in turns):
        yield "messages of `developer` are of `system` there"
    if prompt.parts:
        yield "written out: " + _listed(part.path for part in prompt.parts)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
