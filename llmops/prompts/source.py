"""The source of a prompt's body or of a partial, taken apart: text, role lines and Jinja2 code.

A role line is a line that holds nothing but `system:`, `user:`, `assistant:`
or `developer:`, and starts a message. Only lines of the template's own text
count: inside `{% raw %}` or a comment such a line means nothing, and what an
expression prints is never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import TemplateSyntaxError

from llmops.core.errors import DocumentError, Where
from llmops.prompts.refs import NAME_RULE, is_name
from llmops.prompts.sandbox import BOUNDARIES, ROLES, environment

BLANK = " \t\n"

_ROLE = re.compile(rf"[ \t]*({'|'.join(ROLES)})[ \t]*:[ \t]*")
# What other readers of the format take for a role line.
_ALMOST = re.compile(
    rf"[ \t]*#?[ \t]*({'|'.join(ROLES)}|tool)[ \t]*(\[[^\]]*\])?[ \t]*:[ \t]*", re.IGNORECASE
)
_COMMENT = frozenset({"comment_begin", "comment", "comment_end"})
_BEGINS = {"variable_begin": "{{", "block_begin": "{%"}
_ENDS = {"variable_end": "}}", "block_end": "%}"}
_AFTER_NAME = frozenset({"ignore", "with", "without"})


class RoleLine(NamedTuple):
    """The start of a message."""

    role: str
    line: int
    """Counts from 1, in the text."""


class Include(NamedTuple):
    """The place that a partial takes."""

    name: str
    line: int
    written: str


class Code(NamedTuple):
    """An expression, a statement, or an end of `{% raw %}`, which has no tokens."""

    tokens: tuple[str, ...]
    written: str


Token = tuple[int, str, str]
"""A line, what kind of token begins there, and its text, in the words of Jinja2's lexer."""

Piece = str | RoleLine | Include | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMessage:
    """A message as its source has it: code as it is written, comments dropped."""

    role: str | None
    """`None` for code that stands before the first role line."""
    text: str
    line: int
    """Of the file: the role line, or where the body starts."""


class Source:
    """A template's text, and where in which file it stands."""

    def __init__(self, text: str, path: Path, first_line: int = 1):
        self.text = text
        self.path = path
        self._first_line = first_line

    def where(self, line: int | None = 1) -> Where:
        """The place in the file of a line that is counted in the text."""
        return Where(self.path, (line or 1) + self._first_line - 1)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Text, role lines, includes and code in their order, without comments.

        Raises `DocumentError` for a syntax error, a role line in an unknown
        spelling, or an include of something else than a partial by its name.
        """
        try:
            return tuple(self._lex())
        except TemplateSyntaxError as error:
            raise self.syntax_error(error) from None

    @cached_property
    def includes(self) -> tuple[Include, ...]:
        """The partials that are included, in their order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Include))

    def syntax_error(self, error: TemplateSyntaxError) -> DocumentError:
        """What Jinja2 found wrong, at the line of the file."""
        return DocumentError(
            f"not a valid template: {error.message}", where=self.where(error.lineno)
        )

    def tokens(self) -> Iterator[Token]:
        """What to parse, lexed once for all: role lines are expressions, and no line has moved."""
        roles = {piece.line: piece.role for piece in self.pieces if isinstance(piece, RoleLine)}
        for line, kind, value in self._tokens:
            if kind != "data":
                yield line, kind, value
                continue
            first, kept = line, list[str]()
            for number, part in enumerate(value.split("\n"), line):
                if number in roles and part.strip(BLANK):
                    if kept:
                        yield first, "data", "\n".join([*kept, ""])
                    yield number, "variable_begin", "{{"
                    yield number, "name", f"__{roles[number]}__"
                    yield number, "variable_end", "}}"
                    first, kept = number, [""]
                else:
                    kept.append(part)
            if rest := "\n".join(kept):
                yield first, "data", rest

    def messages(self) -> tuple[SourceMessage, ...]:
        """The text divided at its role lines, without blank lines around a message."""
        starts: list[tuple[str | None, int]] = [(None, 1)]
        texts: list[list[str]] = [[]]
        for piece in self.pieces:
            if isinstance(piece, RoleLine):
                starts.append((piece.role, piece.line))
                texts.append([])
            else:
                texts[-1].append(piece if isinstance(piece, str) else piece.written)
        made = (
            SourceMessage(
                role=role,
                text=without_blank_lines("".join(parts)).rstrip(BLANK),
                line=line + self._first_line - 1,
            )
            for (role, line), parts in zip(starts, texts, strict=True)
        )
        return tuple(message for message in made if message.role or message.text)

    def canonical(self, texts: Mapping[str, str], *, whole: bool = True) -> list[Any]:
        """The text as JSON that changes only if what reaches the model may change.

        Comments, line endings, spaces within `{{ }}` and `{% %}`, and blank
        lines around a message leave no trace; nor does it matter whether a
        partial of `texts` is included or written out. What is not `whole`
        stands within other text, so that the blanks at its own ends count.
        """
        merged: list[Any] = []
        for found in self.pieces:
            piece: Piece = found
            if isinstance(found, Include) and found.name in texts:
                piece = texts[found.name]
            if isinstance(piece, RoleLine):
                _trim_end(merged)
                merged.append({"role": piece.role})
            elif isinstance(piece, Include):
                merged.append({"include": piece.name})
            elif isinstance(piece, Code):
                if piece.tokens:
                    merged.append(list(piece.tokens))
            elif merged and isinstance(merged[-1], str):
                merged[-1] += piece
            else:
                merged.append(piece)
        if whole:
            _trim_end(merged)
        for index, piece in enumerate(merged):
            above = merged[index - 1] if index else None
            starts = whole if above is None else isinstance(above, dict) and "role" in above
            if isinstance(piece, str) and starts:
                merged[index] = without_blank_lines(piece)
        return [piece for piece in merged if piece != ""]

    @cached_property
    def _tokens(self) -> list[Token]:
        return list(environment().lexer.tokeniter(self.text, None))

    def _lex(self) -> list[Piece]:
        lines = self.text.split("\n")
        pieces: list[Piece] = []
        code: list[str] = []
        written: list[str] = []
        begun = 1
        raw = False
        for line, kind, value in self._tokens:
            if kind == "data":
                pieces += [value] if raw else self._split(value, line, lines)
            elif kind in _BEGINS:
                code, written, begun = [_BEGINS[kind]], [value], line
            elif kind in _ENDS:
                code.append(_ENDS[kind])
                written.append(value)
                pieces.append(self._code(code, "".join(written), begun))
                code = []
            elif kind in ("raw_begin", "raw_end"):
                pieces.append(Code((), value))
                raw = kind == "raw_begin"
            elif kind not in _COMMENT:
                written.append(value)
                if kind != "whitespace":
                    if value in BOUNDARIES:
                        raise DocumentError(f"`{value}` is a reserved name", where=self.where(line))
                    code.append(value)
        if code:  # never closed, which compiling will tell best
            pieces.append(Code(tuple(code), "".join(written)))
        return pieces

    def _code(self, tokens: list[str], written: str, line: int) -> Code | Include:
        if tokens[:2] != ["{%", "include"]:
            return Code(tuple(tokens), written)
        name = "".join(tokens[2:3])
        if name[:1] not in "\"'" or (len(tokens) > 4 and tokens[3] not in _AFTER_NAME):
            raise DocumentError(
                "an include takes the name of one partial, in quotes",
                hint='write `{% include "shared/tone" %}`, and choose with `{% if %}`',
                where=self.where(line),
            )
        if len(tokens) > 4:
            raise DocumentError(
                f"`{' '.join(tokens[3:-1])}` is not available in an include",
                hint="a partial must be there, and sees what stands around it",
                where=self.where(line),
            )
        if not is_name(name[1:-1]):
            raise DocumentError(
                f"`{name[1:-1]}` cannot name a partial",
                hint=f"names are {NAME_RULE}, counted from the prompts folder",
                where=self.where(line),
            )
        return Include(name[1:-1], line, written)

    def _split(self, text: str, first: int, lines: list[str]) -> list[Piece]:
        """A run of template text, divided at its role lines."""
        pieces: list[Piece] = []
        kept: list[str] = []
        for number, part in enumerate(text.split("\n"), first):
            # The line has to be a role line as a whole: the part alone could
            # be the rest of a line that began with an expression.
            if part.strip(BLANK) and (role := _ROLE.fullmatch(lines[number - 1])):
                pieces += ["\n".join([*kept, ""]), RoleLine(role[1], number)]
                kept = [""]
                continue
            if part.strip(BLANK) and _ALMOST.fullmatch(lines[number - 1]):
                raise DocumentError(
                    f"`{part.strip()}` is not a role line here",
                    hint=f"role lines are {', '.join(f'`{role}:`' for role in ROLES)}; "
                    f'if it is meant as text, write `{{{{ "{part.strip()}" }}}}`',
                    where=self.where(number),
                )
            kept.append(part)
        pieces.append("\n".join(kept))
        return [piece for piece in pieces if piece != ""]


def without_blank_lines(text: str) -> str:
    """`text` without the blank lines that it starts with; an indentation stays.

    >>> without_blank_lines("\\n\\n  item")
    '  item'
    """
    blank = len(text) - len(text.lstrip(BLANK))
    return text if not blank else text[text.rfind("\n", 0, blank) + 1 :]


def _trim_end(pieces: list[Any]) -> None:
    if pieces and isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip(BLANK)
