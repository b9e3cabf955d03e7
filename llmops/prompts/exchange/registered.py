"""A prompt as a version in a registry, and back.

What a registry cannot say goes along as tags: which version this is, and the
whole source, so that what was published from here comes back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.core.registry import RegisteredPrompt
from llmops.prompts.exchange.mlflow_templates import read_template, write_template
from llmops.prompts.exchange.naming import name_inputs, renaming_notes, slug
from llmops.prompts.exchange.parameters import option_notes, read_options
from llmops.prompts.exchange.schemas import read_schema
from llmops.prompts.exchange.turns import renamed, variables
from llmops.prompts.exchange.values import Draft, Imported
from llmops.prompts.exchange.writer import write_prompt
from llmops.prompts.prompt import Prompt, parse_prompt
from llmops.prompts.trees import MemoryTree

NAME, VERSION, CONTENT = "llmops.name", "llmops.version", "llmops.content"
INTERFACE, SOURCE, PARTS = "llmops.interface", "llmops.source", "llmops.parts"

_PIECE = 15_000
"""Characters of a source in one tag; MySQL keeps 65,535 bytes of a value."""
_MOST = 1_000_000
"""Characters of a source and its parts; more is a dataset."""


def registry_name(name: str) -> str:
    """What a prompt is called in a registry, which has no `/` in names.

    >>> registry_name("support/answer"), registry_name("qa/gpt-3.5")
    ('support.answer', 'qa.gpt-3..5')
    """
    return name.replace(".", "..").replace("/", ".")


def prompt_name(name: str) -> str:
    """What a prompt of a registry is called here; undoes `registry_name`.

    >>> prompt_name("support.answer"), prompt_name("qa.gpt-3..5"), prompt_name("Greeting_v1")
    ('support/answer', 'qa/gpt-3.5', 'greeting_v1')
    """
    return slug(re.sub(r"\.+", _undone, name))


def register(prompt: Prompt, *, message: str | None = None) -> tuple[RegisteredPrompt, list[str]]:
    """The version to publish, and notes on what a registry cannot say.

    Raises `DocumentError` if the prompt is broken.
    """
    template = write_template(prompt)
    config, notes = _config(prompt)
    source, source_notes = _source(prompt)
    registered = RegisteredPrompt(
        name=registry_name(prompt.name),
        template=template.template,
        commit_message=message or f"llmops {prompt.name} {prompt.version}",
        tags={
            NAME: prompt.name,
            VERSION: prompt.version,
            CONTENT: prompt.fingerprint,
            INTERFACE: prompt.interface_fingerprint,
            **source,
        },
        model_config=config,
        response_format=prompt.output_schema,
    )
    return registered, [*template.notes, *notes, *source_notes]


def name_of(registered: RegisteredPrompt) -> str:
    """What the prompt of a version is to be called here."""
    return registered.tags.get(NAME) or prompt_name(registered.name) or "imported"


def read_registered(registered: RegisteredPrompt, name: str) -> Imported:
    """The prompt of a version, as `name`: its very source if it was published from here.

    Raises `DocumentError` for what a prompt cannot hold.
    """
    origin = f"`{registered.name}`, version {registered.number}"
    if SOURCE in registered.tags:
        return _own(registered, name, origin)
    where = Where(Path(f"mlflow:{registered.name}"))
    read = read_template(registered.template, where)
    named = name_inputs(read.kinds)
    config = dict(registered.model_config)
    parts = [config.pop(key, None) for key in ("provider", "model_name")]
    options, left = read_options(config)
    schema = registered.response_format
    outputs, notes = read_schema(_unwrapped(schema)) if schema else ([], [])
    draft = Draft(
        names=(name,),
        origin=origin,
        where=where,
        # Jinja2 code has variables of its own, which keep their names.
        turns=tuple(renamed(read.turns, {name: name for name in variables(read.turns)} | named)),
        model="/".join(str(part) for part in parts if part) or None,
        options=options,
        inputs=tuple({"name": name, "kind": read.kinds[old]} for old, name in named.items()),
        outputs=tuple(outputs),
        notes=(
            *read.notes,
            *option_notes(options, left),
            *notes,
            *renaming_notes(named),
            *_left_behind(registered),
        ),
    )
    return write_prompt(draft, name)


def _undone(dots: re.Match[str]) -> str:
    pairs, odd = divmod(len(dots[0]), 2)
    return "." * pairs + "/" * odd


def _config(prompt: Prompt) -> tuple[dict[str, Any], list[str]]:
    """Model and sampling in MLflow's words, and what it has none for."""
    sampling = prompt.sampling
    provider, slash, model = (prompt.model or "").partition("/")
    config: dict[str, Any] = {
        "provider": provider if slash else None,
        "model_name": model if slash else provider or None,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "max_tokens": sampling.max_tokens,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "stop_sequences": list(sampling.stop) or None,
    }
    left = [key for key in sampling.extra if key in config]
    if sampling.top_k is not None and sampling.top_k < 1:
        left.append(f"topK: {sampling.top_k}")
        del config["top_k"]
    config = {**sampling.extra, **config}
    notes = [f"`{key}` has no place in MLflow's model configuration" for key in left]
    return {key: value for key, value in config.items() if value is not None}, notes


def _source(prompt: Prompt) -> tuple[dict[str, str], list[str]]:
    """The tags that hold the prompt's files."""
    texts = {SOURCE: prompt.source}
    if prompt.parts and prompt.tree:
        files = {part.path: prompt.tree.text(part.path) for part in prompt.parts}
        texts[PARTS] = json.dumps(files, ensure_ascii=False)
    if (length := sum(map(len, texts.values()))) > _MOST:
        return {}, [f"its files have {length:,} characters: an import gets the messages only"]
    return {
        key if at == 0 else f"{key}.{at + 1}": text[start : start + _PIECE]
        for key, text in texts.items()
        for at, start in enumerate(range(0, len(text), _PIECE))
    }, []


def _joined(tags: Mapping[str, str], key: str) -> str:
    """The text that `_source` has put into one or more tags."""
    parts = [tags.get(key, "")]
    while (part := tags.get(f"{key}.{len(parts) + 1}")) is not None:
        parts.append(part)
    return "".join(parts)


def _own(registered: RegisteredPrompt, name: str, origin: str) -> Imported:
    """What was published from here, checked against its fingerprint."""
    tags = registered.tags
    try:
        text, parts = _joined(tags, SOURCE), json.loads(_joined(tags, PARTS) or "{}")
        prompt = parse_prompt(text, Path(name), name=name, tree=MemoryTree(parts, Path(name)))
        whole = prompt.fingerprint == tags.get(CONTENT)
    except (ValueError, UsageError):
        whole = False
    if not whole:
        raise DocumentError(
            f"the source that is kept with {origin} is not the one that was published",
            hint=f"somebody changed its tags `{SOURCE}` or `{CONTENT}`; "
            f"publish the version again, or delete `{SOURCE}` to import the messages",
        )
    notes = [note for note in _left_behind(registered) if note.startswith("aliases")]
    return Imported(
        name=name, text=text, notes=tuple(notes), origin=origin, parts=parts, as_published=True
    )


def _unwrapped(schema: Mapping[str, Any]) -> Any:
    """The JSON Schema itself, without what OpenAI's API puts around it."""
    inner = schema.get("json_schema")
    return inner.get("schema", inner) if isinstance(inner, Mapping) else schema


def _left_behind(registered: RegisteredPrompt) -> list[str]:
    notes = []
    if registered.aliases:
        names = ", ".join(f"`{alias}`" for alias in registered.aliases)
        notes.append(f"aliases are not held: promote this version to {names}")
    foreign = [key for key in sorted(registered.tags) if not key.startswith("llmops.")]
    if foreign:
        names = ", ".join(f"`{key}`" for key in foreign)
        notes.append(f"tags are not held: {names}")
    if registered.commit_message:
        notes.append("the commit message is not held")
    return notes
