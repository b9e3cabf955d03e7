"""What can be known to be wrong with a composed template before it has values."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import nodes

from llmops.core.errors import DocumentError, NotFound
from llmops.prompts.compiling import (
    Parsed,
    captures,
    is_boundary,
    statement,
    walk,
)
from llmops.prompts.composition import Composition
from llmops.prompts.names import NOT_HANDED_ON, included, undeclared
from llmops.prompts.source import BLANK, Source


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

    def _refuse_captured_roles(self, parsed: Parsed) -> None:
        if not self._partials:
            return  # compiling has looked at the role lines of the text itself
        for node in filter(captures, walk(parsed.tree)):
            for include in node.find_all(nodes.Include):
                name = included(include)
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
                    name = included(node)
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
            return self._composition.has_roles(included(node))
        return is_boundary(node)

    def _refuse_undeclared(self) -> None:
        for name, where in undeclared(self._body, self._partials, self._inputs):
            near = NotFound.among("input", name, self._inputs)
            hint = near.hint if self._inputs else "declare it under `inputs`"
            if name == "examples":
                hint = "name their file under `examples`"
            elif name in NOT_HANDED_ON:
                hint = f"hand it on by a name of its own: `{{% set here = {name} %}}`"
            inside = self._body.source.path
            of = "" if where.path == inside else f" of {inside}"
            raise DocumentError(
                f"the variable `{name}` is used but not declared in `inputs`{of}",
                hint=hint,
                where=where,
            )


def outside(source: Source, line: int = 1) -> DocumentError:
    """The error for text that belongs to no message."""
    return DocumentError(
        "text stands before the first role line, so it is not known who says it",
        hint="put `system:` or `user:` on a line of its own above it",
        where=source.where(line),
    )
