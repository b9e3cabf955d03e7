"""Jinja2 templates of others: their text set apart from their code, which stays as written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, meta, nodes

from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.naming import can_name_an_input
from llmops.prompts.exchange.values import Code, Piece, Variable
from llmops.prompts.sandbox import environment

_BEGINS = {"variable_begin": "{{", "block_begin": "{%", "comment_begin": "{#"}
_ENDS = {"variable_end": "}}", "block_end": "%}", "comment_end": "#}"}
_LISTED = frozenset({"join", "first", "last", "batch", "slice", "sort"})


@dataclass(frozen=True, kw_only=True)
class JinjaTemplate:
    """A template taken apart."""

    pieces: tuple[Piece, ...]
    kinds: dict[str, str]
    """What it asks for, in the order of its first use, with the kind that its use tells."""
    tree: nodes.Template


def read_jinja(text: str, where: Where | None = None) -> JinjaTemplate:
    """A Jinja2 template, with `\\r\\n` and `\\r` as `\\n`, as Jinja2 has it.

    Raises `DocumentError` for a syntax error and for a variable that cannot
    name an input.
    """
    try:
        tree = environment().parse(text)
        pieces = tuple(_pieces(text))
        kinds = _kinds(tree)
    except TemplateSyntaxError as error:
        line = f" (line {error.lineno} of the template)" if error.lineno > 1 else ""
        raise DocumentError(
            f"not a valid Jinja2 template: {error.message}{line}", where=where
        ) from None
    except RecursionError:
        raise DocumentError("the template is nested too deeply", where=where) from None
    for name in kinds:
        if not can_name_an_input(name):
            raise DocumentError(f"`{name}` cannot name an input", where=where)
    return JinjaTemplate(pieces=pieces, kinds=kinds, tree=tree)


def _pieces(text: str) -> Iterator[Piece]:
    """The lexer's tokens, put together again without `-` and `+` at the delimiters.

    What these trim is gone from the text already.
    """
    code: list[str] = []
    for _, kind, value in environment().lexer.tokeniter(text, None):
        if kind in _BEGINS:
            code = [_BEGINS[kind]]
        elif kind in _ENDS:
            yield _code([*code, _ENDS[kind]])
            code = []
        elif code:
            code.append(value)
        elif kind == "data":
            yield value


def _code(parts: list[str]) -> Piece:
    inner = "".join(parts[1:-1])
    if parts[0] == "{{" and inner.strip().isidentifier():
        return Variable(inner.strip())
    if parts[0] != "{#" and inner[:1] in ("-", "+"):
        inner = f" {inner}"
    return Code(f"{parts[0]}{inner}{parts[-1]}")


def _kinds(tree: nodes.Template) -> dict[str, str]:
    free = meta.find_undeclared_variables(tree) - environment().globals.keys()
    names = [node.name for node in tree.find_all(nodes.Name) if node.name in free]
    kinds = dict.fromkeys(names, "string")
    for node in tree.find_all((nodes.For, nodes.Filter, nodes.Getattr, nodes.Getitem)):
        name, kind = _told(node)
        if name in kinds and kinds[name] == "string":
            kinds[name] = kind
    return kinds


def _told(node: nodes.Node) -> tuple[str, str]:
    """A name and the kind that this node needs it to have."""
    match node:
        case nodes.For(iter=nodes.Name(name=name)):
            return name, "array"
        case nodes.Filter(node=nodes.Name(name=name), name=used) if used in _LISTED:
            return name, "array"
        case nodes.Getattr(node=nodes.Name(name=name)):
            return name, "object"
        case nodes.Getitem(node=nodes.Name(name=name), arg=nodes.Const(value=str())):
            return name, "object"
        case nodes.Getitem(node=nodes.Name(name=name)):
            return name, "array"
    return "", ""
