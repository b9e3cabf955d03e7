"""Templates as MLflow fills them in: read into messages, and written from prompts.

`PromptVersion.format` replaces `{{name}}` and nothing else, unless a message
holds `{%` and `%}`: then every message is a Jinja2 template of its own. It
replaces one name after the other, so that a value that holds `{{other}}` is
filled in as well; MLflow 3.17 has no way around that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from llmops.core.chat import Role
from llmops.core.errors import Where
from llmops.core.registry import Template
from llmops.core.registry import Turn as Message
from llmops.prompts.exchange.body import quoted
from llmops.prompts.exchange.chats import read_role
from llmops.prompts.exchange.languages.jinja import read_jinja
from llmops.prompts.exchange.printed import printed_turns
from llmops.prompts.exchange.separate import EXAMPLES, separate_messages
from llmops.prompts.exchange.turns import variables
from llmops.prompts.exchange.values import Piece, Turn, Variable
from llmops.prompts.prompt import Prompt

_VARIABLE = re.compile(r"\{\{\s*([a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*)*)\s*\}\}", re.ASCII)
_CODE = re.compile(r"\{[{%#]|\{?(?:\r|\n\Z)|\{\Z")
"""What Jinja2 would not leave as it is in a text, or in one that code follows."""
_JINJA = "{% raw %}{% endraw %}"
"""Prints nothing, and has MLflow take all messages for Jinja2."""
_ROLES: dict[str, Role] = {"human": "user", "ai": "assistant", "model": "assistant"}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A prompt as a template for MLflow, and what is not as it was."""

    template: Template
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Read:
    """A template of MLflow as messages."""

    turns: tuple[Turn, ...]
    kinds: dict[str, str] = field(default_factory=dict)
    """What it asks for, with the kind that its use tells."""
    notes: tuple[str, ...] = ()


def write_template(prompt: Prompt) -> Written:
    """The template with which MLflow gives the messages that the prompt gives.

    Where inputs are only printed, these are the same byte for byte. Where they
    decide about messages, MLflow has nothing that could hold it: the body is
    then one text, and a note says so. Raises `DocumentError` if the prompt is
    broken.
    """
    turns = printed_turns(prompt)
    if turns is not None:
        return Written(template=_spelled(turns), notes=tuple(_unfilled(prompt)))
    separate = separate_messages(prompt)
    if separate is None:
        note = (
            "is one text in MLflow, and `.format()` gives no messages: "
            "which ones there are depends on the inputs"
        )
        return Written(template=prompt.body, notes=(note,))
    notes = _unfilled(prompt)
    if any(_has_block_at_an_end(text) for _, text in separate):
        notes.append("`.format()` keeps blank lines that a block leaves at the ends of a message")
    if any(re.search(r"\|\s*tojson\b", text) for _, text in separate):
        notes.append("`tojson` sorts keys and writes `<`, `>`, `&` and `'` as escapes in MLflow")
    return Written(template=_as_jinja(separate), notes=tuple(notes))


def read_template(template: Template, where: Where) -> Read:
    """The messages of a template, so that they are what `.format()` gives.

    Raises `DocumentError` for a role that a prompt cannot have, and for Jinja2
    that is broken.
    """
    notes = []
    if isinstance(template, str):
        template = (Message("user", template),)
        notes.append("is a text in MLflow, and the message of a user here")
    if not _is_jinja(template):
        plain = [Turn(_role(role, where), _places(text)) for role, text in template]
        asked = dict.fromkeys(variables(plain), "string")
        return Read(turns=tuple(plain), kinds=asked, notes=tuple(notes))
    turns: list[Turn] = []
    kinds: dict[str, str] = {}
    for role, text in template:
        # Jinja2 drops one line end at the end of a template, unless it is told otherwise.
        read = read_jinja(text.removesuffix("\n"), where)
        turns.append(Turn(_role(role, where), read.pieces))
        kinds = read.kinds | kinds
    if kinds:
        notes.append("a value that is left out is an error here, and empty in MLflow")
    return Read(turns=tuple(turns), kinds=kinds, notes=tuple(notes))


def _places(text: str) -> tuple[Piece, ...]:
    """Texts and variables.

    >>> _places("{{ x }}{{ y | upper }}")
    (Variable(name='x'), '{{ y | upper }}')
    """
    parts: list[Piece] = list(_VARIABLE.split(text))
    parts[1::2] = [Variable(str(name)) for name in parts[1::2]]
    return tuple(part for part in parts if part != "")


def _role(role: str, where: Where) -> Role:
    return _ROLES.get(role.lower()) or read_role(role, where)


def _has_block_at_an_end(text: str) -> bool:
    starts = text.startswith("{%") and not text.startswith(EXAMPLES)
    return starts or text.endswith("%}")


def _is_jinja(messages: Iterable[Message]) -> bool:
    return any("{%" in text and "%}" in text for _, text in messages)


def _spelled(turns: Sequence[Turn]) -> Template:
    """`{{name}}` for each variable; as Jinja2 where a text would be taken for more than that."""
    plain = [Message(turn.role, "".join(map(_written, turn.pieces))) for turn in turns]
    if not _is_jinja(plain) and [_places(text) for _, text in plain] == [t.pieces for t in turns]:
        return tuple(plain)
    return _as_jinja(Message(turn.role, "".join(_protected(turn.pieces))) for turn in turns)


def _written(piece: Piece) -> str:
    return f"{{{{ {piece.name} }}}}" if isinstance(piece, Variable) else str(piece)


def _protected(pieces: Sequence[Piece]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield _CODE.sub(lambda found: quoted(found[0]), piece)
        else:
            yield _written(piece)


def _as_jinja(messages: Iterable[Message]) -> Template:
    """The messages, so that MLflow takes them for Jinja2, whatever they hold."""
    first, *rest = messages
    if not _is_jinja([first, *rest]):
        first = first._replace(content=_JINJA + first.content)
    return (first, *rest)


def _unfilled(prompt: Prompt) -> list[str]:
    names = ", ".join(f"`{each.name}`" for each in prompt.inputs if not each.required)
    return [f"MLflow knows no defaults: `.format()` needs {names}, too"] if names else []
