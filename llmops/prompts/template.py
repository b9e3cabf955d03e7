"""The body of a prompt, compiled once and rendered to messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import jinja2
from jinja2 import meta, nodes

from llmops.core.chat import Message, Messages, Role
from llmops.core.errors import DocumentError, NotFound
from llmops.prompts.sandbox import BOUNDARIES, Boundary, environment
from llmops.prompts.source import BLANK, Source, without_blank_lines

_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_KEEPS_ITS_OUTPUT = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)

_EXPECTED = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What evaluating a template's expressions on plain data can raise."""


class Template:
    """Messages with gaps. Compiling is put off until the first use."""

    def __init__(self, text: str, *, path: Path, first_line: int, inputs: Iterable[str]):
        self._source = Source(text, path, first_line)
        self._inputs = frozenset(inputs)

    def canonical(self) -> list[Any]:
        """What the fingerprint is taken of; see `Source.canonical`."""
        return self._source.canonical()

    def check(self) -> None:
        """Raise `DocumentError`, with its line, for anything wrong that shows without values."""
        _ = self._compiled

    def messages(self, values: dict[str, Any]) -> Messages:
        """The messages for plain, checked `values`.

        A message begins where the template passes a role line. Blank lines
        around the template's own text are dropped; values are left as they are.
        Raises `DocumentError` where the template cannot cope with the values.
        """
        compiled = self._compiled
        try:
            rendered = list(compiled.root_render_func(compiled.new_context(values)))
        except _EXPECTED as error:
            raise self._failure(error) from error
        return self._assemble(rendered)

    @cached_property
    def _compiled(self) -> jinja2.Template:
        made = environment()
        try:
            tree = made.parse(self._source.with_boundaries())
            self._inspect(tree)
            # Not `from_string`: it chains two tables of globals, and every
            # rendering would copy the chain.
            return jinja2.Template.from_code(made, made.compile(tree), made.globals)
        except jinja2.TemplateSyntaxError as error:
            raise self._source.syntax_error(error) from None
        except (RecursionError, SyntaxError) as error:
            # Python itself limits how deep the compiled loops may nest.
            raise DocumentError(
                "the template is nested too deeply", where=self._source.where()
            ) from error
        except (ArithmeticError, ValueError) as error:
            # Constant expressions are worked out while compiling.
            raise DocumentError(
                f"a constant expression fails: {type(error).__name__}", where=self._source.where()
            ) from error

    def _inspect(self, tree: nodes.Template) -> None:
        where = self._source.where
        for node in _walk(tree):
            if isinstance(node, _OTHER_FILES):
                raise DocumentError(
                    f"`{{% {_statement(node)} %}}` is not available in a prompt",
                    hint="a prompt is one file: write the text out here",
                    where=where(node.lineno),
                )
            if isinstance(node, nodes.EvalContextModifier):
                raise DocumentError(
                    "`{% autoescape %}` is not available in a prompt",
                    hint="use the filter `| escape` on the value that needs it",
                    where=where(node.lineno),
                )
            if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
                raise DocumentError(
                    f"`.{node.attr}` is out of bounds for a template", where=where(node.lineno)
                )
            if _captures(node) and any(map(_is_boundary, _walk(node))):
                raise DocumentError(
                    f"a role line inside `{{% {_statement(node)} %}}` cannot start a message",
                    hint="role lines may stand in `if` and `for`, and outside of blocks",
                    where=where(node.lineno),
                )
        self._refuse_text_before_the_first_role(tree)
        self._refuse_undeclared(tree)

    def _refuse_text_before_the_first_role(self, tree: nodes.Template) -> None:
        for statement in tree.body:
            outputs = statement.nodes if isinstance(statement, nodes.Output) else [statement]
            for node in outputs:
                if any(map(_is_boundary, [node, *_walk(node)])):
                    return
                if isinstance(node, nodes.TemplateData):
                    text = node.data.lstrip(BLANK)
                    if text:
                        above = node.data.count("\n", 0, len(node.data) - len(text))
                        raise self._outside(node.lineno + above)
                elif isinstance(node, nodes.Expr):
                    raise self._outside(node.lineno)

    def _outside(self, line: int = 1) -> DocumentError:
        return DocumentError(
            "text stands before the first role line, so it is not known who says it",
            hint="put `system:` or `user:` on a line of its own above it",
            where=self._source.where(line),
        )

    def _refuse_undeclared(self, tree: nodes.Template) -> None:
        known = self._inputs.union(environment().globals)
        loaded = [name for name in tree.find_all(nodes.Name) if name.name not in known]
        # Working out which names the template sets itself costs more than all
        # the rest, and is needed only where a name is no input.
        undeclared = meta.find_undeclared_variables(tree) if loaded else set()
        for name in loaded:
            if name.name in undeclared:
                near = NotFound.among("input", name.name, self._inputs)
                raise DocumentError(
                    f"the variable `{name.name}` is used but not declared in `inputs`",
                    hint=near.hint if self._inputs else "declare it under `inputs`",
                    where=self._source.where(name.lineno),
                )

    def _failure(self, error: BaseException) -> DocumentError:
        line = _line_of(error.__traceback__)
        # Python's own messages may quote a value, Jinja2's and a TypeError's do not.
        told = isinstance(error, jinja2.TemplateError | TypeError)
        reason = str(error) if told else f"{type(error).__name__} in an expression"
        return DocumentError(f"cannot be rendered: {reason}", where=self._source.where(line))

    def _assemble(self, rendered: Iterable[str]) -> Messages:
        messages: list[Message] = []
        role: Role | None = None
        parts: list[str] = []
        for part in rendered:
            if type(part) is not Boundary:
                parts.append(part)
                continue
            if role is not None:
                messages.append(Message(role=role, content=_content(parts)))
            elif "".join(parts).strip(BLANK):
                raise self._outside()
            role, parts = part.role, []
        if role is None:
            raise DocumentError(
                "gave no message with these inputs: every role line is in a part "
                "of the template that was left out",
                where=self._source.where(),
            )
        messages.append(Message(role=role, content=_content(parts)))
        return tuple(messages)


def _content(parts: list[str]) -> str:
    """The parts of one message, joined, with the blanks of the template at its ends dropped.

    Only plain `str` is the template's own text, and values end its reach.
    """
    first, last = 0, len(parts)
    while first < last and type(parts[first]) is str:
        first += 1
    if first == last:
        return without_blank_lines("".join(parts)).rstrip(BLANK)
    while type(parts[last - 1]) is str:
        last -= 1
    if first:
        parts[:first] = [without_blank_lines("".join(parts[:first]))]
        last -= first - 1
    if last < len(parts):
        parts[last:] = ["".join(parts[last:]).rstrip(BLANK)]
    return "".join(parts)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _walk(child)


def _is_boundary(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name in BOUNDARIES


def _captures(node: nodes.Node) -> bool:
    """Whether the node collects what it contains into a text of its own."""
    return isinstance(node, _KEEPS_ITS_OUTPUT) or (isinstance(node, nodes.For) and node.recursive)


def _statement(node: nodes.Node) -> str:
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


def _line_of(traceback: TracebackType | None) -> int | None:
    """The template's line in which an error arose."""
    line = None
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
