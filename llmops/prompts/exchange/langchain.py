"""LangChain and LangSmith: a serialised prompt read into a draft.

Read are what `langchain_core.load.dumps` writes, LangSmith's manifests (a
prompt, or a prompt with its model), and the older files of `prompt.save`.
Nothing of LangChain is imported, and nothing that a file names is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.langchain_models import Model, read_model
from llmops.prompts.exchange.langchain_templates import Reading
from llmops.prompts.exchange.naming import name_inputs, renaming_notes
from llmops.prompts.exchange.parameters import option_notes
from llmops.prompts.exchange.schemas import read_schema
from llmops.prompts.exchange.serialised import Serialised, kwargs_of, opened
from llmops.prompts.exchange.turns import as_text, renamed, variables
from llmops.prompts.exchange.values import Conversation, Draft

_MESSAGE = {
    "kind": "object",
    "properties": [
        {
            "name": "role",
            "kind": "string",
            "enumValues": ["system", "developer", "user", "assistant"],
        },
        {"name": "content", "kind": "string"},
    ],
}


def is_langchain(data: Mapping[str, Any]) -> bool:
    """Whether `data` is a serialised object of LangChain, or a LangSmith commit with one."""
    manifest = data.get("manifest")
    inner = manifest if isinstance(manifest, Mapping) else data
    return "lc" in inner or inner.get("_type") in ("prompt", "few_shot")


def read_langchain(data: Mapping[str, Any], path: Path) -> Draft:
    """The prompt of a serialised LangChain object.

    Raises `DocumentError` for what is no prompt, or holds what a prompt
    cannot: images, tool calls, computed values.
    """
    where = Where(path)
    whole = data["manifest"] if isinstance(data.get("manifest"), Mapping) else data
    prompt, model = _prompt_and_model(opened(whole, where), where)
    reading = Reading(where)
    turns = reading.turns(prompt)
    named = name_inputs([*variables(turns), *reading.kinds])
    outputs, notes = (
        read_schema(prompt.kwargs["schema_"]) if "schema_" in prompt.kwargs else ([], [])
    )
    placeholders = {turn.name for turn in turns if isinstance(turn, Conversation)}
    defaults = _defaults(prompt, reading, where)
    return Draft(
        names=_names(prompt, data, path),
        origin=f"`{path}`",
        where=where,
        turns=tuple(renamed(turns, named)),
        description=str(data.get("description") or ""),
        tags=_tags(prompt),
        model=model.name,
        options=model.options,
        inputs=tuple(
            _input(source, name, reading.kinds, placeholders, defaults)
            for source, name in named.items()
        ),
        outputs=tuple(outputs),
        notes=(
            *model.notes,
            *option_notes(model.options, model.left),
            *notes,
            *renaming_notes(named),
            *reading.notes,
        ),
    )


def _prompt_and_model(whole: Serialised, where: Where) -> tuple[Serialised, Model]:
    """LangSmith keeps a prompt with its model as a sequence of the two."""
    if whole.kind != "RunnableSequence":
        return whole, Model()
    middle = whole.kwargs.get("middle")
    steps = [*(middle if isinstance(middle, list) else []), whole.kwargs.get("last")]
    model = read_model([opened(step, where) for step in steps if step is not None], where)
    return opened(whole.kwargs.get("first"), where), model


def _defaults(prompt: Serialised, reading: Reading, where: Where) -> dict[str, Any]:
    given = {**reading.partials, **kwargs_of(prompt, "partial_variables")}
    for name, value in given.items():
        if as_text(value) is None and value != []:
            raise DocumentError(
                f"the value of `{name}` is computed or no text, and cannot be a default",
                where=where,
            )
    return given


def _input(
    source: str,
    name: str,
    kinds: Mapping[str, str],
    placeholders: set[str],
    defaults: Mapping[str, Any],
) -> dict[str, Any]:
    if source in placeholders:
        declared: dict[str, Any] = {
            "name": name,
            "kind": "array",
            "description": "Messages of the conversation so far.",
            "items": _MESSAGE,
        }
    else:
        declared = {"name": name, "kind": kinds.get(source, "string")}
    if source in defaults:
        value = defaults[source]
        declared["default"] = value if value == [] else as_text(value)
    return declared


def _tags(prompt: Serialised) -> tuple[str, ...]:
    tags = prompt.kwargs.get("tags")
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


def _names(prompt: Serialised, data: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    told = (
        kwargs_of(prompt, "metadata").get("lc_hub_repo"),
        data.get("repo"),
        prompt.kwargs.get("name"),
    )
    return (*(name for name in told if isinstance(name, str) and name), path.stem)
