"""promptfoo's templates: Nunjucks, as far as Jinja2 means the same by it."""

from __future__ import annotations

import re
from dataclasses import replace

from jinja2 import nodes

from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.languages.jinja import JinjaTemplate, read_jinja
from llmops.prompts.exchange.values import Code, Piece

_SAME: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.TemplateData, nodes.Output, nodes.Name, nodes.Const),
    *(nodes.Getattr, nodes.Getitem, nodes.If, nodes.For, nodes.Filter),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
)
_SAME_FILTERS = frozenset({"upper", "lower", "trim", "join", "length", "first", "last", "safe"})

_TRIMMING = re.compile(r"\{[{%#]-|-[}%#]\}")
_BLANK_FOR_ONE = re.compile("[\x1c-\x1f\x85\ufeff]")
_BLANKS = "\x1c\x1d\x1e\x1f\x0b\x0c\x85\u2028\u2029\u205f"

_TAGS = (("{%", "%"), ("{{", "}"), ("{#", "#"))
_LINE_END = re.compile("[\n\r\u2028\u2029]")
_RAW = re.compile(r"\{%\s*raw\s*%\}")
_END_RAW = re.compile(r"\{%\s*endraw\s*%\}")


def read_nunjucks(text: str, where: Where | None = None) -> JinjaTemplate:
    """A template of which Nunjucks and Jinja2 make the same text.

    Raises `DocumentError` for what only one of them has, or each has in its
    own way.
    """
    if _TRIMMING.search(text) and _BLANK_FOR_ONE.search(text):
        raise DocumentError(
            "trims blanks that only one of Nunjucks and Jinja2 takes for blanks", where=where
        )
    marked, mark = _keep_returns(text, where)
    template = read_jinja(marked, where)
    for node in _walk(template.tree):
        if reason := _different(node):
            raise DocumentError(
                f"{reason} in Nunjucks is not the same in Jinja2",
                hint="write this prompt by hand",
                where=where,
            )
    pieces = tuple(_returned(piece, mark) for piece in template.pieces)
    return replace(template, pieces=pieces)


def read_promptfoo_text(text: str, where: Where | None = None) -> JinjaTemplate:
    """A prompt that is one text: a template, unless promptfoo takes it for none."""
    if is_left_alone(text):
        if _RAW.search(text) or _END_RAW.search(text):
            raise DocumentError("a tag is not closed, and `raw` stands beside it", where=where)
        return JinjaTemplate(pieces=(text,), kinds={}, tree=nodes.Template([]))
    return read_nunjucks(text, where)


def is_left_alone(text: str) -> bool:
    """Whether promptfoo sends `text` as it is: a tag in it is not closed on its line.

    >>> is_left_alone("Hi {{ name"), is_left_alone("Hi {{ name }}")
    (True, False)
    """
    if _RAW.search(text) and _END_RAW.search(text):
        return False
    return any(
        opening in line and closing not in line.rpartition(opening)[2]
        for line in _LINE_END.split(text)
        for opening, closing in _TAGS
    )


def decides_an_if(template: JinjaTemplate) -> set[str]:
    """The variables that stand in the condition of an `if`."""
    tests = [node.test for node in template.tree.find_all(nodes.If)]
    return {node.name for test in tests for node in _walk(test) if isinstance(node, nodes.Name)}


def _different(node: nodes.Node) -> str | None:
    match node:
        case nodes.Name(name="env"):
            return "`env`, the variables of the process,"
        case nodes.Filter(name=name) if name not in _SAME_FILTERS:
            return f"the filter `{name}`"
        case nodes.For(target=target) if not isinstance(target, nodes.Name):
            return "a loop over keys and values"
        case nodes.For() if node.test or node.recursive:
            return "a loop with a condition"
        case nodes.Const(value=value) if not isinstance(value, str | int) or value in (True, False):
            return f"`{str(value).lower()}`"
    return None if isinstance(node, _SAME) else f"`{type(node).__name__.lower()}`"


def _walk(node: nodes.Node) -> list[nodes.Node]:
    found = [node]
    for child in node.iter_child_nodes():
        found += _walk(child)
    return found


def _keep_returns(text: str, where: Where | None) -> tuple[str, str]:
    """`text` with carriage returns as a mark: Jinja2 would make line feeds of them.

    The mark is a blank, too, so that `-%}` trims it and code may hold it.
    """
    mark = next((each for each in _BLANKS if each not in text), None)
    if mark is None:
        raise DocumentError("holds every kind of blank that there is", where=where)
    return text.replace("\r", mark), mark


def _returned(piece: Piece, mark: str) -> Piece:
    match piece:
        case str():
            return piece.replace(mark, "\r")
        case Code(source):
            return Code(source.replace(mark, " "))
    return piece
