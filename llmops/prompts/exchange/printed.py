"""Prompts whose inputs are only printed: their messages are texts with places for values.

Everything else in such a template, be it includes, few-shot examples, comments
or loops over constants, comes out the same for all values. So it is rendered
once, with marks as values, and what stands between the marks is the text.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import nodes

from llmops.prompts.compiling import captures, parse_source, walk
from llmops.prompts.exchange.values import Turn, Variable
from llmops.prompts.prompt import Prompt
from llmops.prompts.source import Source

# No file of a prompt can hold a NUL.
_MARK = re.compile("\0([A-Za-z0-9_]+)\0")


def printed_turns(prompt: Prompt) -> tuple[Turn, ...] | None:
    """The messages as texts and variables; `None` if an input does more than be printed.

    Put the values in the places of the variables, and these are the messages
    that `Prompt.render` gives, byte for byte. Raises `DocumentError` if the
    prompt is broken.
    """
    prompt.check()
    names = {each.name for each in prompt.inputs}
    template = prompt.template
    partials = template.composition.partials.values()
    if not all(
        _only_prints(each, names) for each in (template.source, *(p.source for p in partials))
    ):
        return None
    values: dict[str, Any] = {name: f"\0{name}\0" for name in names}
    if prompt.examples_path is not None:
        values["examples"] = list(prompt.examples)
    return tuple(
        Turn(message.role, _pieces(message.content)) for message in template.messages(values)
    )


def _only_prints(source: Source, names: set[str]) -> bool:
    tree = parse_source(source).tree
    used = [each for each in walk(tree) if isinstance(each, nodes.Name) and each.name in names]
    printed = {
        id(each)
        for output in tree.find_all(nodes.Output)
        for each in output.nodes
        if isinstance(each, nodes.Name)
    }
    # What is printed inside such a block is not sent yet, but made into a value.
    kept = {id(each) for node in walk(tree) if captures(node) for each in walk(node)}
    return all(id(each) in printed and id(each) not in kept for each in used)


def _pieces(content: str) -> tuple[str | Variable, ...]:
    parts = _MARK.split(content)
    pieces = [Variable(part) if index % 2 else part for index, part in enumerate(parts)]
    return tuple(piece for piece in pieces if piece != "")
