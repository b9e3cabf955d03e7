"""The one place that writes `.prompty` files: front matter in the house's order, then the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from llmops.core.errors import DocumentError, UsageError
from llmops.prompts.exchange.body import body
from llmops.prompts.exchange.values import Draft, Imported
from llmops.prompts.plain import plain_json, plain_text
from llmops.prompts.prompt import SUFFIX, parse_prompt

FIRST_VERSION = "1.0.0"
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")


def write_prompt(draft: Draft, name: str, *, version: str = FIRST_VERSION) -> Imported:
    """The `.prompty` text that says what `draft` says, checked from head to body.

    Raises `DocumentError` at the draft's source for what a prompt cannot hold.
    """
    draft = replace(draft, notes=tuple(dict.fromkeys(draft.notes)))
    try:
        text = _spelled(draft, version) if draft.verbatim is None else draft.verbatim
        parse_prompt(text, Path(name + SUFFIX), name=name).check()
    except UsageError as error:
        raise DocumentError(
            f"{draft.origin} cannot be held as a prompt: {error.message}",
            hint=error.hint,
            where=draft.where,
        ) from None
    return Imported(name=name, text=text, notes=draft.notes, origin=draft.origin)


def _spelled(draft: Draft, version: str) -> str:
    head = plain_json(front_matter(draft, version), "front matter")
    return f"---\n{to_yaml(head)}---\n{plain_text(body(draft.turns), 'body')}"


def front_matter(draft: Draft, version: str = FIRST_VERSION) -> dict[str, Any]:
    """The front matter of a draft, without what says nothing."""
    metadata: dict[str, Any] = {"version": version}
    if draft.tags:
        metadata["tags"] = list(draft.tags)
    model: dict[str, Any] = {"id": draft.model} if draft.model else {}
    # Always said: left out it is 0, which a reader of the source would not expect.
    model["options"] = {"temperature": 0, **draft.options}
    head = {
        "displayName": draft.display_name,
        "description": draft.description,
        "metadata": metadata,
        "model": model,
        "inputs": [dict(each) for each in draft.inputs],
        "outputs": [dict(each) for each in draft.outputs],
    }
    return {key: value for key, value in head.items() if value}


class _Dumper(yaml.SafeDumper):
    """Block style, lists indented as in the examples of the format."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if _OTHER_BREAKS.search(text):
        style = '"'  # the only one in which they are escaped, and not taken for line ends
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(data: Mapping[str, Any]) -> str:
    """`data` as YAML for people: keys in their order, texts of several lines as blocks."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
