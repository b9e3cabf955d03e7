"""promptfoo: the prompts of a config, with their model and the values of its first test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.core.chat import Role
from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError
from llmops.prompts.exchange.chats import read_chat
from llmops.prompts.exchange.languages.jinja import JinjaTemplate
from llmops.prompts.exchange.languages.nunjucks import (
    decides_an_if,
    read_nunjucks,
    read_promptfoo_text,
)
from llmops.prompts.exchange.promptfoo_files import NotText, RawPrompt, raw_prompts, trimmed
from llmops.prompts.exchange.promptfoo_providers import Provider, read_provider
from llmops.prompts.exchange.reading import looks_like_json, read_yaml_value
from llmops.prompts.exchange.turns import as_text
from llmops.prompts.exchange.values import Draft, Turn

_KINDS: dict[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict}
CONFIG_NAMES = ("promptfooconfig.yaml", "promptfooconfig.yml", "promptfooconfig.json")


@dataclass(kw_only=True)
class PromptfooConfig:
    """What a config holds: prompts that can be taken over, and what cannot."""

    drafts: list[Draft] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read_promptfoo(parsed: Parsed) -> PromptfooConfig:
    """The prompts of a promptfoo config.

    Raises `DocumentError`, at the config or the file it names, for a prompt
    that cannot be read. Prompts that a program makes are left out and told.
    """
    config = PromptfooConfig()
    provider = read_provider(parsed.data)
    values = _example_values(parsed.data)
    for number, (entry, keys) in enumerate(_entries(parsed), 1):
        try:
            raws = list(raw_prompts(entry, number, parsed.path, parsed.where(*keys)))
        except NotText as reason:
            config.left_out.append(str(reason))
            continue
        config.drafts += [_draft(raw, values, provider) for raw in raws]
    if not config.drafts:
        raise DocumentError(
            "holds no prompt that can be taken over",
            hint="; ".join(config.left_out) or None,
            where=parsed.where("prompts"),
        )
    config.left_out += _not_prompts(parsed.data)
    return config


def _entries(parsed: Parsed) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
    prompts = parsed.data.get("prompts")
    match prompts:
        case str():
            yield prompts, ("prompts",)
        case list():
            yield from ((each, ("prompts", index)) for index, each in enumerate(prompts))
        case dict():
            for path, label in prompts.items():
                yield {"raw": path, "label": label}, ("prompts", path)
        case _:
            raise DocumentError("`prompts` is no list", where=parsed.where("prompts"))


def _draft(raw: RawPrompt, values: Mapping[str, Any], provider: Provider) -> Draft:
    spoken = _spoken(raw)
    kinds: dict[str, str] = {}
    tested: set[str] = set()
    for _, template in spoken:
        for name, kind in template.kinds.items():
            if kinds.get(name, "string") == "string":
                kinds[name] = kind
        tested |= decides_an_if(template)
    notes = [*provider.notes]
    notes += [
        f"`{name}` decides an `if`: empty, it is true in promptfoo and false here"
        for name, kind in kinds.items()
        if name in tested and kind != "string"
    ]
    if isinstance(raw.content, str) and is_yaml_chat(trimmed(raw.content)):
        notes.append("promptfoo reads values as YAML, too; here they are texts")
    kinds |= {name: "boolean" for name in tested if isinstance(values.get(name), bool)}
    return Draft(
        names=raw.names,
        origin=raw.origin,
        where=raw.where,
        turns=tuple(Turn(role, template.pieces) for role, template in spoken),
        model=provider.model,
        options=provider.options,
        inputs=tuple(_input(name, kind, values) for name, kind in kinds.items()),
        outputs=provider.outputs,
        notes=tuple(notes),
    )


def _spoken(raw: RawPrompt) -> list[tuple[Role, JinjaTemplate]]:
    """Who says which template."""
    content = _as_chat(raw) if isinstance(raw.content, str) else raw.content
    if isinstance(content, str):
        return [("user", read_promptfoo_text(content, raw.where))]
    return [(role, read_nunjucks(text, raw.where)) for role, text in read_chat(content, raw.where)]


def _as_chat(raw: RawPrompt) -> Any:
    """The messages that a text spells as JSON or YAML, or the text itself."""
    text = trimmed(raw.content)
    if is_yaml_chat(text):
        return read_yaml_value(text, raw.where.path)
    if not looks_like_json(text):
        return raw.content
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # promptfoo may find messages in it once the values are there.
        if text.startswith("[") and '"role"' in text:
            raise DocumentError(
                f"{raw.origin} is JSON only once its template is filled in",
                hint="write this prompt by hand",
                where=raw.where,
            ) from None
        return raw.content


def is_yaml_chat(text: str) -> bool:
    """Whether promptfoo takes a text for messages in YAML."""
    return text.startswith("- role:")


def _example_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the first test, over those that all tests share."""
    tests = config.get("tests")
    first = tests[0] if isinstance(tests, list) and tests else {}
    shared = _mapping(config.get("defaultTest"))
    return {**_mapping(shared.get("vars")), **_mapping(_mapping(first).get("vars"))}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _input(name: str, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    value = values.get(name)
    if kind == "string":
        # Of a list, promptfoo tries one value after the other.
        value = as_text(value[0] if isinstance(value, list) and value else value)
    fits = isinstance(value, _KINDS[kind]) and not str(value).startswith("file://")
    return {"name": name, "kind": kind, **({"example": value} if fits else {})}


def _not_prompts(config: Mapping[str, Any]) -> list[str]:
    """What of the config is no prompt, for people to move by hand."""
    notes = []
    if config.get("tests") or config.get("scenarios"):
        notes.append("tests and assertions: `llmops eval import` makes a suite of them")
    options = _mapping(_mapping(config.get("defaultTest")).get("options"))
    notes += [
        f"`defaultTest.options.{key}`, which promptfoo puts around every prompt"
        for key in ("prefix", "suffix")
        if options.get(key)
    ]
    return notes
