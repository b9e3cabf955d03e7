"""The body of a prompt, compiled once with its partials and rendered to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import jinja2

from llmops.core.chat import Message, Messages, Role
from llmops.core.errors import DocumentError, Where
from llmops.prompts.compiling import Compiled, compile_partial, compile_source
from llmops.prompts.composition import Composition
from llmops.prompts.inspection import Inspection, outside
from llmops.prompts.sandbox import Boundary, environment
from llmops.prompts.source import BLANK, Source, SourceMessage, without_blank_lines
from llmops.prompts.trees import Tree

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

    def __init__(
        self,
        text: str,
        *,
        path: Path,
        first_line: int,
        inputs: Iterable[str],
        tree: Tree | None = None,
    ):
        self.source = Source(text, path, first_line)
        self.composition = Composition(self.source, tree)
        """The partials that the body includes."""
        self._inputs = frozenset(inputs)

    def canonical(self) -> list[Any]:
        """What the fingerprint is taken of, with partials that are text; see `Source.canonical`."""
        self.composition.check()
        return self.source.canonical(self.composition.texts)

    def messages_source(self) -> tuple[SourceMessage, ...]:
        """The body divided into its messages, as it is written; see `Source.messages`."""
        return self.source.messages()

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
        self.composition.check()
        body = compile_source(self.source)
        partials = {name: compile_partial(each) for name, each in self.composition.partials.items()}
        Inspection(self.composition, body, partials, self._inputs).check()
        made = environment()
        if partials:
            # Names mean the partials of this prompt; a cache would only stand before them.
            made = made.overlay(loader=_Partials(partials), cache_size=0, auto_reload=False)
        return _template(made, body)

    def _failure(self, error: BaseException) -> DocumentError:
        # Python's own messages may quote a value, Jinja2's and a TypeError's do not.
        told = isinstance(error, jinja2.TemplateError | TypeError)
        reason = str(error) if told else f"{type(error).__name__} in an expression"
        return DocumentError(
            f"cannot be rendered: {reason}", where=self._where(error.__traceback__)
        )

    def _where(self, traceback: TracebackType | None) -> Where:
        """The line of the body, or of a partial, in which an error arose."""
        source, line = self.source, None
        while traceback is not None:
            template = traceback.tb_frame.f_globals.get("__jinja_template__")
            if template is not None:
                name = template.name
                source = self.composition.partials[name].source if name else self.source
                line = template.get_corresponding_lineno(traceback.tb_lineno)
            traceback = traceback.tb_next
        return source.where(line)

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
                raise outside(self.source)
            role, parts = part.role, []
        if role is None:
            raise DocumentError(
                "gave no message with these inputs: every role line is in a part "
                "of the template that was left out",
                where=self.source.where(),
            )
        messages.append(Message(role=role, content=_content(parts)))
        return tuple(messages)


class _Partials(jinja2.BaseLoader):
    """The partials of one prompt, as templates that Jinja2 can include."""

    def __init__(self, compiled: Mapping[str, Compiled]):
        self._compiled = compiled
        self._made: dict[str, jinja2.Template] = {}

    def load(
        self,
        environment: jinja2.Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002, ARG002
    ) -> jinja2.Template:
        """The template of that name, which lexing has made sure is there."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = _template(environment, self._compiled[name])
        return made


def _template(made: jinja2.Environment, compiled: Compiled) -> jinja2.Template:
    # Not `from_string`: it chains two tables of globals, and every
    # rendering would copy the chain.
    return jinja2.Template.from_code(made, compiled.code, made.globals)


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
