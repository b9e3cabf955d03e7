"""What is passed on between reading, writing and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.core.chat import Role
from llmops.core.errors import Where


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A prompt made of a source: its name, its whole `.prompty` text, what could not be held."""

    name: str
    text: str
    notes: tuple[str, ...] = ()
    origin: str = ""
    """What it was made of, for people: a file, and which prompt in it."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """The further files that it needs, partials and examples, by their paths."""
    as_published: bool = False
    """Whether the text was written here once, and is to stay as it is, version and all."""


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """A prompt in another format: the whole text of the file, and what it could not hold."""

    name: str
    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """The place of a value: an input, printed as it is given."""

    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """Jinja2 code, delimiters included, to be written as it stands."""

    source: str

    @property
    def prints(self) -> bool:
        """Whether it always prints a value, be it an empty one."""
        return self.source.startswith("{{")


Piece = str | Variable | Code
"""A text that has to reach the model byte for byte, a variable, or template code."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    role: Role
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages that the caller hands over, as an array of `role` and `content`."""

    name: str
    last: int | None = None
    """Only so many of the newest; `None` means all."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A prompt as a source has it, in our words, before it is written."""

    names: tuple[str, ...]
    """What it could be called, best first, as the source spells it."""
    origin: str
    where: Where
    turns: tuple[Turn | Conversation, ...]
    display_name: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """`model.options`, as the front matter spells them."""
    inputs: tuple[Mapping[str, Any], ...] = ()
    """`inputs`, as the front matter spells them."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    verbatim: str | None = None
    """The whole text of a source that is a `.prompty` file already."""
    notes: tuple[str, ...] = ()
