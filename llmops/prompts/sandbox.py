"""The Jinja2 environment of prompts: sandboxed, strict, and able to tell text from values.

Jinja2 renders a template as a stream of pieces. Here each piece says where it
comes from: template text is a plain `str`, a printed value is a `Value`, and
the start of a message is a `Boundary`. Nobody has to look for boundaries in
the rendered text, so no value can contain one.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmops.core.chat import Role

ROLES: tuple[Role, ...] = ("system", "user", "assistant", "developer")


class Value(str):
    """A printed value; it reaches the message as it is."""

    __slots__ = ()

    def __str__(self) -> str:
        return self  # `str()` of a subclass would forget what it is


class Boundary(str):
    """The start of a message; prints as nothing."""

    __slots__ = ("role",)

    role: Role

    def __str__(self) -> str:
        return self

    @classmethod
    def of(cls, role: Role) -> Boundary:
        """The boundary that starts a message with `role`."""
        made = cls()
        made.role = role
        return made


BOUNDARIES = {f"__{role}__": Boundary.of(role) for role in ROLES}
"""The variables that stand for role lines while a template is compiled."""


LONGEST_REPEAT = 1_000_000
"""Items or characters that `*` may make of a list or a text."""
HIGHEST_POWER = 1_000


_METHODS = frozenset(dir(dict))


class _Generator(CodeGenerator):
    """Jinja2's compiler, but a printed constant stays a value: `{{ "" }}` is no template text."""

    def _output_child_to_const(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's immutable sandbox, with bounds on the two operators that can eat a machine."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"*", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: on an object, its property, unless it is named like a method."""
        if type(obj) is dict and attribute in obj and attribute not in _METHODS:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The result of `left operator right`, if it is of a sane size."""
        if operator == "**" and isinstance(right, int) and abs(right) > HIGHEST_POWER:
            raise TemplateRuntimeError(f"a power above {HIGHEST_POWER:,} is out of bounds")
        if operator == "*":
            for many, times in ((left, right), (right, left)):
                sized = isinstance(many, str | list | tuple) and isinstance(times, int)
                if sized and len(many) * times > LONGEST_REPEAT:
                    raise TemplateRuntimeError(
                        f"a repetition to more than {LONGEST_REPEAT:,} is out of bounds"
                    )
        return super().call_binop(context, operator, left, right)


@cache
def environment() -> Sandbox:
    """The one environment that compiles every prompt.

    As Jinja2 by default, apart from: missing variables are errors, values are
    never escaped, only plain data can be printed, nothing is random, and
    `tojson` writes JSON for a reader that is no browser.
    """
    made = Sandbox(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    for name in ("lipsum", "random"):
        made.globals.pop(name, None)
        made.filters.pop(name, None)
    made.globals.update(BOUNDARIES)
    made.filters["tojson"] = _to_json
    return made


def _finalize(value: Any) -> Any:
    """What an expression prints."""
    kind = type(value)
    if kind is str or kind is int or kind is float:
        return Value(value)
    if kind is Boundary:
        return value
    if value is None:
        raise TemplateRuntimeError(
            "an expression has no value here; guard it with `{% if … is not none %}` "
            "or give the input a default"
        )
    _refuse_odd(value)
    return Value(value)


def _refuse_odd(value: Any) -> None:
    """Raise for what would print as a piece of Python, at any depth."""
    if isinstance(value, Undefined):
        str(value)  # raises, and names what is missing
    elif isinstance(value, dict):
        for each in value.values():
            _refuse_odd(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_odd(each)
    elif value is not None and not isinstance(value, str | int | float):
        raise TemplateRuntimeError(
            f"an expression gives a `{type(value).__name__}`, which is no text; a list is made "
            "with `| list`, one text with `| join`, and `x['key']` reaches a key that is named "
            "like a method"
        )


def _to_json(value: Any, indent: int | None = None) -> str:
    """`value` as JSON, with its keys in their order and no HTML escapes."""
    return json.dumps(value, ensure_ascii=False, indent=indent)
