"""Which names a template uses without having set them, told from its syntax tree in one walk.

A name that is set in one branch of an `if` is set in that branch, and after it
only if all branches set it: Jinja2 would look for it among the inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from llmops.core.errors import Where
from llmops.prompts.compiling import Parsed
from llmops.prompts.sandbox import BOUNDARIES, environment

_IN_MACROS = ("caller", "varargs", "kwargs")
NOT_HANDED_ON = frozenset({"loop", *_IN_MACROS})
"""Jinja2 makes them only where the loop or the macro itself uses them."""
_DEEP = 8
"""Loops within loops, of which Python takes no more than twenty."""


class Names:
    """The names of one syntax tree."""

    def __init__(self, tree: nodes.Template):
        self.loaded: set[str] = set()
        """All that are read anywhere."""
        self.stored: set[str] = set()
        """All that are set anywhere."""
        self.loose: list[tuple[str, int]] = []
        """Those that are read where they may not have been set, each with its line."""
        self.includes: list[tuple[str, frozenset[str]]] = []
        """The partials, each with the names that are set where it stands."""
        self.in_doubt = False
        """Whether only compiling can tell that the template is sound."""
        self._loops = 0
        self._bodies(tree.body, {"self"})  # which Jinja2 sets in every template

    def _bodies(self, body: Iterable[nodes.Node], bound: set[str]) -> None:
        for node in body:
            self._look(node, bound)

    def _look(self, node: Any, bound: set[str]) -> None:
        match node:
            case nodes.TemplateData() | nodes.Const():
                pass
            case nodes.Name():
                if node.ctx == "load" and node.name not in BOUNDARIES:
                    self.loaded.add(node.name)
                    if node.name not in bound:
                        self.loose.append((node.name, node.lineno))
            case nodes.Output():
                self._bodies(node.nodes, bound)
            case nodes.For():
                self._for(node, bound)
            case nodes.If():
                self._if(node, bound)
            case nodes.Assign():
                self._look(node.node, bound)
                bound |= self._with(set(), node.target)
            case nodes.AssignBlock():
                self._bodies([*([node.filter] if node.filter else []), *node.body], set(bound))
                bound |= self._with(set(), node.target)
            case nodes.With():
                self._bodies(node.values, bound)
                self._bodies(node.body, self._with(bound, *node.targets))
            case nodes.Macro():
                self.in_doubt = True
                self._bodies(node.defaults, bound)
                self.stored.add(node.name)
                bound.add(node.name)
                self._bodies(node.body, self._with(bound, *node.args).union(_IN_MACROS))
            case nodes.CallBlock():
                self._look(node.call, bound)
                self._bodies(node.defaults, bound)
                self._bodies(node.body, self._with(bound, *node.args))
            case nodes.Include():
                self.includes.append((included(node), frozenset(bound - NOT_HANDED_ON)))
            case nodes.FilterBlock() | nodes.Scope():
                self._bodies(node.iter_child_nodes(), set(bound))
            case _:
                self.in_doubt |= _is_unknown(node)
                self._bodies(node.iter_child_nodes(), bound)

    def _for(self, node: nodes.For, bound: set[str]) -> None:
        self._look(node.iter, bound)
        inner = self._with(bound, node.target)
        self.in_doubt |= "loop" in inner or self._loops == _DEEP
        self._loops += 1
        inner.add("loop")
        self._bodies([*([node.test] if node.test else []), *node.body], inner)
        self._loops -= 1
        self._bodies(node.else_, set(bound))

    def _if(self, node: nodes.If, bound: set[str]) -> None:
        ways = []
        for test, body in ((node.test, node.body), *((one.test, one.body) for one in node.elif_)):
            self._look(test, bound)
            ways.append(set(bound))
            self._bodies(body, ways[-1])
        ways.append(set(bound))
        self._bodies(node.else_, ways[-1])
        bound |= set.intersection(*ways)

    def _with(self, bound: set[str], *targets: nodes.Node) -> set[str]:
        """`bound` and what the targets set."""
        found: set[str] = set()
        for target in targets:
            if isinstance(target, nodes.Name):
                found.add(target.name)
            else:
                found |= {each.name for each in target.find_all(nodes.Name)}
        self.stored |= found
        return bound | found


def undeclared(
    body: Parsed, partials: Mapping[str, Parsed], inputs: Iterable[str]
) -> list[tuple[str, Where]]:
    """Every use, in the body and its partials, of a name that is no input and not set there.

    `partials` are given by name, each after those that it includes.
    """
    known = frozenset(inputs).union(environment().globals)
    within: dict[str, list[tuple[str, Where]]] = {}
    for name, partial in partials.items():
        within[name] = _asked(partial, within)
    return [use for use in _asked(body, within) if use[0] not in known]


def _asked(
    parsed: Parsed, within: Mapping[str, list[tuple[str, Where]]]
) -> list[tuple[str, Where]]:
    """What `parsed`, and what it includes, looks up outside of it."""
    names = names_of(parsed)
    uses = [(name, parsed.source.where(line)) for name, line in names.loose]
    for partial, bound in names.includes:
        uses += [use for use in within[partial] if use[0] not in bound]
    return list(dict.fromkeys(uses))


# The same partials are in many prompts.
@lru_cache(maxsize=256)
def names_of(parsed: Parsed) -> Names:
    """The names of a template, found once."""
    return Names(parsed.tree)


def included(node: nodes.Include) -> str:
    """The name of a partial, which lexing has made sure is a text."""
    return node.template.value  # type: ignore[attr-defined,no-any-return]


def _is_unknown(node: nodes.Node) -> bool:
    """Whether the node is a filter or test that no one knows by this name."""
    match node:
        case nodes.Filter():
            return node.name not in environment().filters
        case nodes.Test():
            return node.name not in environment().tests
    return False
