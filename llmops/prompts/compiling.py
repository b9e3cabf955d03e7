"""From a template's source to code that Jinja2 can run, refusing what no prompt may do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

import jinja2
from jinja2 import nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from llmops.core.errors import DocumentError
from llmops.prompts.composition import Partial
from llmops.prompts.sandbox import BOUNDARIES, environment
from llmops.prompts.source import Source

_OTHER_TEMPLATES = (nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_KEEPS_ITS_OUTPUT = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parsed:
    """One source as a syntax tree; it is the same for every prompt."""

    source: Source
    tree: nodes.Template


@dataclass(frozen=True, kw_only=True, eq=False)
class Compiled(Parsed):
    """One source as a syntax tree and as code."""

    code: CodeType


def syntax_tree(source: Source) -> nodes.Template:
    """What `source` says, in Jinja2's terms; each call makes a tree of its own."""
    made = environment()
    parser = Parser(made, "")
    # Not `made.parse`: it would lex once more, which takes longer than parsing.
    parser.stream = TokenStream(made.lexer.wrap(source.tokens()), None, None)
    return parser.parse()


def parse_source(source: Source) -> Parsed:
    """`source` as a syntax tree, which costs a fraction of compiling it.

    Raises `DocumentError`, with the line, for broken syntax and for statements
    and attributes that are out of bounds.
    """
    with translated(source):
        tree = syntax_tree(source)
        _refuse_out_of_bounds(tree, source)
        return Parsed(source=source, tree=tree)


def compile_source(source: Source, name: str | None = None) -> Compiled:
    """`source` compiled; `name` is what other templates include it by.

    Raises `DocumentError`, with the line, for what Jinja2 cannot compile and
    for statements and attributes that are out of bounds.
    """
    tree = parse_source(source).tree
    with translated(source):
        return Compiled(source=source, tree=tree, code=environment().compile(tree, name))


# The code does not depend on who includes it.
@lru_cache(maxsize=256)
def compile_partial(partial: Partial) -> Compiled:
    """`partial` compiled, once for all prompts that include it."""
    return compile_source(partial.source, partial.name)


@contextmanager
def translated(source: Source) -> Iterator[None]:
    """What parsing and compiling `source` can raise, as `DocumentError` with its line."""
    try:
        yield
    except jinja2.TemplateSyntaxError as error:
        raise source.syntax_error(error) from None
    except (RecursionError, SyntaxError) as error:
        # Python itself limits how deep the compiled loops may nest.
        raise DocumentError("the template is nested too deeply", where=source.where()) from error
    except (ArithmeticError, ValueError) as error:
        # Constant expressions are worked out while compiling.
        raise DocumentError(
            f"a constant expression fails: {type(error).__name__}", where=source.where()
        ) from error


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """All nodes below `node`, in the order of the text."""
    waiting = _children(node)
    while waiting:
        child = waiting.pop()
        yield child
        waiting += _children(child)


def _children(node: nodes.Node) -> list[nodes.Node]:
    """Last first. Jinja2's own iterators take most of the time of a walk."""
    found: list[nodes.Node] = []
    for name in node.fields:
        value = getattr(node, name)
        if isinstance(value, nodes.Node):
            found.append(value)
        elif type(value) is list:
            found += [each for each in value if isinstance(each, nodes.Node)]
    found.reverse()
    return found


def is_boundary(node: nodes.Node) -> bool:
    """Whether the node is a role line."""
    return isinstance(node, nodes.Name) and node.name in BOUNDARIES


def captures(node: nodes.Node) -> bool:
    """Whether the node collects what it contains into a text of its own."""
    return isinstance(node, _KEEPS_ITS_OUTPUT) or (isinstance(node, nodes.For) and node.recursive)


def statement(node: nodes.Node) -> str:
    """The statement as it is written: `set`, `for … recursive`."""
    match node:
        case nodes.FromImport() | nodes.Import():
            return "import"
        case nodes.CallBlock():
            return "call"
        case nodes.FilterBlock():
            return "filter"
        case nodes.AssignBlock():
            return "set"
        case nodes.For():
            return "for … recursive"
    return type(node).__name__.lower()


def _refuse_out_of_bounds(tree: nodes.Template, source: Source) -> None:
    for node in walk(tree):
        if isinstance(node, _OTHER_TEMPLATES):
            raise DocumentError(
                f"`{{% {statement(node)} %}}` is not available in a prompt",
                hint='`{% include "shared/tone" %}` puts in the text of another file',
                where=source.where(node.lineno),
            )
        if isinstance(node, nodes.EvalContextModifier):
            raise DocumentError(
                "`{% autoescape %}` is not available in a prompt",
                hint="use the filter `| escape` on the value that needs it",
                where=source.where(node.lineno),
            )
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise DocumentError(
                f"`.{node.attr}` is out of bounds for a template", where=source.where(node.lineno)
            )
        if captures(node) and any(map(is_boundary, walk(node))):
            raise DocumentError(
                f"a role line inside `{{% {statement(node)} %}}` cannot start a message",
                hint="role lines may stand in `if` and `for`, and outside of blocks",
                where=source.where(node.lineno),
            )
