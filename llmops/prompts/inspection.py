"""What can be known to be wrong with a composed template before it has values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from jinja2 import meta, nodes
from jinja2.visitor import NodeTransformer

from llmops.core.errors import DocumentError, NotFound, Where
from llmops.prompts.compiling import (
    Parsed,
    captures,
    is_boundary,
    statement,
    syntax_tree,
    translated,
    walk,
)
from llmops.prompts.composition import Composition
from llmops.prompts.sandbox import environment
from llmops.prompts.source import BLANK, Source

_NOT_HANDED_ON = frozenset({"loop", "caller", "varargs", "kwargs"})
"""Jinja2 makes them only where the loop or macro itself uses them."""


class Inspection:
    """One look at a body and its partials; `check` raises for the first thing that is wrong."""

    def __init__(
        self,
        composition: Composition,
        body: Parsed,
        partials: Mapping[str, Parsed],
        inputs: frozenset[str],
    ):
        self._composition = composition
        self._body = body
        self._partials = partials
        self._inputs = inputs

    def check(self) -> None:
        """Raise `DocumentError` with file and line, be it a partial's."""
        self.check_messages()
        self._refuse_undeclared()

    def check_messages(self) -> None:
        """Raise `DocumentError` for text outside of messages, whatever the variables are."""
        for parsed in (self._body, *self._partials.values()):
            self._refuse_captured_roles(parsed)
        self._refuse_text_before_the_first_role(self._body, set())

    def undeclared(self) -> dict[str, Where]:
        """The variables that are neither inputs nor set, and where each is used first."""
        within: dict[str, dict[str, Where]] = {}
        for name, partial in self._partials.items():  # each after those that it includes
            within[name] = self._undeclared_in(partial, within)
        return self._undeclared_in(self._body, within)

    def _refuse_captured_roles(self, parsed: Parsed) -> None:
        if not self._partials:
            return  # compiling has looked at the role lines of the text itself
        for node in filter(captures, walk(parsed.tree)):
            for include in node.find_all(nodes.Include):
                name = _name(include)
                if self._composition.has_roles(name):
                    raise DocumentError(
                        f"the partial `{name}` has role lines, and inside "
                        f"`{{% {statement(node)} %}}` they cannot start a message",
                        hint="include it in `if` and `for`, or outside of blocks",
                        where=parsed.source.where(include.lineno),
                    )

    def _refuse_text_before_the_first_role(self, parsed: Parsed, seen: set[str]) -> bool:
        """Whether a role line was reached; what stands before it is blank then."""
        for each in parsed.tree.body:
            for node in each.nodes if isinstance(each, nodes.Output) else [each]:
                if isinstance(node, nodes.Include):
                    name = _name(node)
                    if name in seen:  # and was blank
                        continue
                    seen.add(name)
                    if self._refuse_text_before_the_first_role(self._partials[name], seen):
                        return True
                elif any(map(self._starts_a_message, [node, *walk(node)])):
                    return True
                elif isinstance(node, nodes.TemplateData):
                    text = node.data.lstrip(BLANK)
                    if text:
                        above = node.data.count("\n", 0, len(node.data) - len(text))
                        raise outside(parsed.source, node.lineno + above)
                elif isinstance(node, nodes.Expr):
                    raise outside(parsed.source, node.lineno)
        return False

    def _starts_a_message(self, node: nodes.Node) -> bool:
        if isinstance(node, nodes.Include):
            return self._composition.has_roles(_name(node))
        return is_boundary(node)

    def _refuse_undeclared(self) -> None:
        for name, where in self.undeclared().items():
            near = NotFound.among("input", name, self._inputs)
            hint = near.hint if self._inputs else "declare it under `inputs`"
            if name == "examples":
                hint = "name their file under `examples`"
            elif name in _NOT_HANDED_ON:
                hint = f"hand it on by a name of its own: `{{% set here = {name} %}}`"
            inside = self._body.source.path
            of = "" if where.path == inside else f" of {inside}"
            raise DocumentError(
                f"the variable `{name}` is used but not declared in `inputs`{of}",
                hint=hint,
                where=where,
            )

    @cached_property
    def _known(self) -> frozenset[str]:
        return self._inputs.union(environment().globals)

    def _undeclared_in(
        self, parsed: Parsed, within: Mapping[str, dict[str, Where]]
    ) -> dict[str, Where]:
        """The names that `parsed` and what it includes look up outside of it."""
        loose: dict[str, Where] = {}
        # Working out which names a template sets itself costs more than all
        # the rest, and is needed only where a name is no input.
        if any(name.name not in self._known for name in parsed.tree.find_all(nodes.Name)):
            for name in sorted(parsed.free_names - self._known):
                loose[name] = parsed.source.where(parsed.first_use(name))
        asked: dict[str, Where] = {}
        for include in parsed.tree.find_all(nodes.Include):
            asked = within[_name(include)] | asked
        if asked:
            free = _free_with_includes(parsed.source, within)
            loose = {name: at for name, at in asked.items() if name in free} | loose
        return loose


def outside(source: Source, line: int = 1) -> DocumentError:
    """The error for text that belongs to no message."""
    return DocumentError(
        "text stands before the first role line, so it is not known who says it",
        hint="put `system:` or `user:` on a line of its own above it",
        where=source.where(line),
    )


def _free_with_includes(source: Source, within: Mapping[str, dict[str, Where]]) -> set[str]:
    """The names that `source` does not set where it, or a partial in it, uses them."""
    with translated(source):
        tree = syntax_tree(source)
        _Uses(within).visit(tree)
        handed_on = meta.find_undeclared_variables(tree)
    return handed_on | {name for names in within.values() for name in names} & _NOT_HANDED_ON


class _Uses(NodeTransformer):
    """Puts the names that a partial looks up in the place of its include.

    Jinja2 then says which of them are set there: by a loop, a `set` or a macro.
    """

    def __init__(self, within: Mapping[str, dict[str, Where]]):
        self._within = within

    def visit_Include(self, node: nodes.Include) -> nodes.Output:  # noqa: N802
        names = [nodes.Name(name, "load") for name in self._within[_name(node)]]
        return nodes.Output(names, lineno=node.lineno)


def _name(node: nodes.Include) -> str:
    # Lexing has made sure that it is a text.
    return node.template.value  # type: ignore[attr-defined,no-any-return]
