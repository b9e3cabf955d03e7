"""Where the values of inputs go: through loops, `set`, filters, macros and partials.

The template is walked once, in the order of its text, and becomes a sequence
of what it prints. Both ways of an `if` are walked; an expression carries all
that any of its parts may carry, unless it gives a number or a truth value. So
what is said to be clean is clean, and what is said to carry may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from jinja2 import nodes

from llmops.prompts.compiling import Parsed
from llmops.prompts.inputs import Input
from llmops.prompts.lint.reach import Reach, Reaches, carries, either, items, loose, step
from llmops.prompts.names import included
from llmops.prompts.sandbox import BOUNDARIES
from llmops.prompts.source import Source

_HARMLESS = frozenset(
    {"abs", "count", "filesizeformat", "float", "int", "length", "round", "wordcount"}
)
"""Filters that give a number, whatever they are given."""
_DEEPEST_CALL = 8


class Start(NamedTuple):
    """A message begins."""

    role: str


class Printed(NamedTuple):
    """A value is printed; `names` are the inputs whose text it may be."""

    names: tuple[str, ...]
    roles: frozenset[str]
    source: Source
    line: int
    escaped: bool
    """Whether it marks its own ends, as JSON does."""


Piece = str | Start | Printed


def flow(body: Parsed, partials: Mapping[str, Parsed], inputs: Iterable[Input]) -> list[Piece]:
    """What the template prints, in the order of its text: texts, starts of messages, values."""
    walker = _Walker(partials, [Reach(each.name, each) for each in inputs if carries(each)])
    walker.inside(body, body.tree.body)
    return walker.pieces


class _Walker:
    def __init__(self, partials: Mapping[str, Parsed], known: Iterable[Reach]):
        self.pieces: list[Piece] = []
        self._partials = partials
        self._names: dict[str, Reaches] = {each.name: (each,) for each in known}
        self._held: dict[str, Reaches] = {}
        """What namespaces hold: it outlives the round of a loop that put it there."""
        self._macros: dict[str, tuple[Parsed, nodes.Macro]] = {}
        self._roles: frozenset[str] = frozenset()
        self._at: Parsed | None = None
        self._calls = 0

    def inside(self, parsed: Parsed, body: Iterable[nodes.Node]) -> None:
        before, self._at = self._at, parsed
        self._walk(body)
        self._at = before

    def _walk(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            kind = type(node)
            if kind is nodes.Output:
                for each in node.nodes:  # type: ignore[attr-defined]
                    self._print(each)
            elif kind in _STATEMENTS:
                _STATEMENTS[kind](self, node)

    def _print(self, node: nodes.Node) -> None:
        if type(node) is nodes.TemplateData:
            self.pieces.append(node.data)
        elif type(node) is nodes.Const:
            self.pieces.append(str(node.value))
        elif type(node) is nodes.Name and node.name in BOUNDARIES:
            role = node.name.strip("_")
            self._roles = frozenset({role})
            self.pieces.append(Start(role))
        elif type(node) is nodes.Call and self._macro(node):
            pass
        else:
            found = self._reach(node)
            escaped = type(node) is nodes.Filter and node.name == "tojson"
            self._printed(found, node, escaped)

    def _printed(self, found: Reaches, node: nodes.Node, escaped: bool = False) -> None:
        assert self._at is not None  # noqa: S101
        names = tuple(dict.fromkeys(each.name for each in found))
        self.pieces.append(Printed(names, self._roles, self._at.source, node.lineno, escaped))

    # Statements

    def _if(self, node: nodes.If) -> None:
        roles, names = self._roles, self._names
        after, ways = frozenset[str](), []
        for body in (node.body, *(each.body for each in node.elif_), node.else_):
            self._roles, self._names = roles, dict(names)
            self._walk(body)
            after |= self._roles
            ways.append(self._names)
        self._roles = after
        self._names = {name: either(ways, name) for name in set().union(*ways)}

    def _for(self, node: nodes.For) -> None:
        found = items(self._reach(node.iter))
        mark, roles, held = len(self.pieces), self._roles, dict(self._held)
        self._round(node, found)
        if self._roles != roles or self._held != held:
            # The second round begins with what the first one left behind.
            del self.pieces[mark:]
            self._roles |= roles
            self._round(node, found)
        after, self._roles = self._roles, roles
        self._walk(node.else_)
        self._roles |= after | roles

    def _round(self, node: nodes.For, found: Reaches) -> None:
        with self._scope():
            self._bind(node.target, found)
            self._walk(node.body)

    def _assign(self, node: nodes.Assign) -> None:
        self._bind(node.target, self._reach(node.node))

    def _assign_block(self, node: nodes.AssignBlock) -> None:
        self._bind(node.target, self._captured(node.body))

    def _with(self, node: nodes.With) -> None:
        with self._scope():
            for target, value in zip(node.targets, node.values, strict=True):
                self._bind(target, self._reach(value))
            self._walk(node.body)

    def _define(self, node: nodes.Macro) -> None:
        assert self._at is not None  # noqa: S101
        self._macros[node.name] = (self._at, node)

    def _call_block(self, node: nodes.CallBlock) -> None:
        self._names["caller"] = self._captured(node.body)
        self._print(node.call)

    def _block(self, node: Any) -> None:
        self._walk(node.body)

    def _include(self, node: nodes.Include) -> None:
        parsed = self._partials[included(node)]
        with self._scope():
            self.inside(parsed, parsed.tree.body)

    def _captured(self, body: Iterable[nodes.Node]) -> Reaches:
        """What `body` would print."""
        mark = len(self.pieces)
        self._walk(body)
        names = [
            name for each in self.pieces[mark:] if type(each) is Printed for name in each.names
        ]
        del self.pieces[mark:]
        return tuple(Reach(name, None) for name in dict.fromkeys(names))

    def _macro(self, node: nodes.Call) -> bool:
        """Print what a macro of the template prints, if it is one that is called."""
        known = self._macros.get(node.node.name) if type(node.node) is nodes.Name else None
        if known is None or self._calls == _DEEPEST_CALL:
            return False
        parsed, macro = known
        given: dict[str, Reaches] = {each.name: () for each in macro.args}
        for each, default in zip(reversed(macro.args), reversed(macro.defaults), strict=False):
            given[each.name] = self._reach(default)
        for name, value in zip((each.name for each in macro.args), node.args, strict=False):
            given[name] = self._reach(value)
        for keyword in node.kwargs:
            given[keyword.key] = self._reach(keyword.value)
        rest = [*node.args[len(macro.args) :], node.dyn_args, node.dyn_kwargs]
        given["varargs"] = given["kwargs"] = self._reach_all(each for each in rest if each)
        with self._scope():
            self._names.update(given)
            self._calls += 1
            self.inside(parsed, macro.body)
            self._calls -= 1
        return True

    @contextmanager
    def _scope(self) -> Any:
        before = dict(self._names)
        yield
        self._names = before

    def _bind(self, target: nodes.Node, found: Reaches) -> None:
        if isinstance(target, nodes.Name):
            self._names[target.name] = found
        elif isinstance(target, nodes.NSRef):
            held = (*self._held.get(target.name, ()), *loose(found))
            self._held[target.name] = tuple(dict.fromkeys(held))
        else:
            for each in target.iter_child_nodes():
                self._bind(each, loose(found))

    # Expressions

    def _reach(self, node: nodes.Node) -> Reaches:
        kind = type(node)
        if kind is nodes.Name:
            name = node.name  # type: ignore[attr-defined]
            return (*self._names.get(name, ()), *self._held.get(name, ()))
        if kind in _EXPRESSIONS:
            return _EXPRESSIONS[kind](self, node)
        return self._reach_all(node.iter_child_nodes())

    def _reach_all(self, found: Iterable[nodes.Node]) -> Reaches:
        return tuple(each for node in found for each in self._reach(node))

    def _attribute(self, node: nodes.Getattr) -> Reaches:
        return step(self._reach(node.node), node.attr)

    def _item(self, node: nodes.Getitem) -> Reaches:
        found = self._reach(node.node)
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return step(found, node.arg.value)
        return found if isinstance(node.arg, nodes.Slice) else items(found)

    def _choice(self, node: nodes.CondExpr) -> Reaches:
        return self._reach_all(each for each in (node.expr1, node.expr2) if each)

    def _filter(self, node: nodes.Filter) -> Reaches:
        if node.name in _HARMLESS:
            return ()
        found = self._reach_all(node.iter_child_nodes())
        if node.name in ("first", "last", "min", "max"):
            return items(found)
        return found if node.name in ("list", "sort", "reverse", "unique") else loose(found)

    def _call(self, node: nodes.Call) -> Reaches:
        if type(node.node) is nodes.Getattr:  # a method, and no property
            own = loose(self._reach(node.node.node))
        elif type(node.node) is nodes.Name and node.node.name in self._macros:
            mark = len(self.pieces)
            called = self._macro(node)
            printed = (each for each in self.pieces[mark:] if type(each) is Printed)
            own = tuple(Reach(name, None) for each in printed for name in each.names)
            del self.pieces[mark:]
            if called:
                return own
        else:
            own = self._reach(node.node)
        return (*own, *self._reach_all([*node.args, *node.kwargs]))


def _nothing(_: _Walker, __: nodes.Node) -> Reaches:
    return ()


_STATEMENTS: dict[type, Callable[[_Walker, Any], None]] = {
    nodes.If: _Walker._if,
    nodes.For: _Walker._for,
    nodes.Assign: _Walker._assign,
    nodes.AssignBlock: _Walker._assign_block,
    nodes.With: _Walker._with,
    nodes.Macro: _Walker._define,
    nodes.CallBlock: _Walker._call_block,
    nodes.FilterBlock: _Walker._block,
    nodes.Scope: _Walker._block,
    nodes.Include: _Walker._include,
}
_EXPRESSIONS: dict[type, Callable[[_Walker, Any], Reaches]] = {
    nodes.Const: _nothing,
    nodes.TemplateData: _nothing,
    nodes.Test: _nothing,
    nodes.Compare: _nothing,
    nodes.Not: _nothing,
    nodes.Getattr: _Walker._attribute,
    nodes.Getitem: _Walker._item,
    nodes.CondExpr: _Walker._choice,
    nodes.Filter: _Walker._filter,
    nodes.Call: _Walker._call,
}
