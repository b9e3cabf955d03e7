"""The source of a prompt's body, taken apart: text, role lines and Jinja2 code.

A role line is a line that holds nothing but `system:`, `user:`, `assistant:`
or `developer:`, and starts a message. Only lines of the template's own text
count: inside `{% raw %}` or a comment such a line means nothing, and what an
expression prints is never looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateSyntaxError

from llmops.core.errors import DocumentError, Where
from llmops.prompts.sandbox import BOUNDARIES, ROLES, environment

BLANK = " \t\n"

_ROLE = re.compile(rf"[ \t]*({'|'.join(ROLES)})[ \t]*:[ \t]*")
# What other readers of the format take for a role line.
_ALMOST = re.compile(
    rf"[ \t]*#?[ \t]*({'|'.join(ROLES)}|tool)[ \t]*(\[[^\]]*\])?[ \t]*:[ \t]*", re.IGNORECASE
)
_UNSEEN = frozenset({"comment_begin", "comment", "comment_end", "whitespace", "raw_begin"})


@dataclass(frozen=True, slots=True)
class RoleLine:
    """The start of a message."""

    role: str
    line: int
    """Counts from 1, in the body."""


Code = tuple[str, ...]
Piece = str | RoleLine | Code


class Source:
    """A body's text, and where in which file it stands."""

    def __init__(self, text: str, path: Path, first_line: int):
        self.text = text
        self._path = path
        self._first_line = first_line

    def where(self, line: int | None = 1) -> Where:
        """The place in the file of a line that is counted in the body."""
        return Where(self._path, (line or 1) + self._first_line - 1)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Text, role lines and code in their order, without comments.

        Raises `DocumentError` for a syntax error, a body without a role line,
        a role line in an unknown spelling, or a message without content.
        """
        try:
            pieces = self._lex()
        except TemplateSyntaxError as error:
            raise self.syntax_error(error) from None
        self._refuse_empty(pieces)
        return tuple(pieces)

    def syntax_error(self, error: TemplateSyntaxError) -> DocumentError:
        """What Jinja2 found wrong, at the line of the file."""
        return DocumentError(
            f"not a valid template: {error.message}", where=self.where(error.lineno)
        )

    def with_boundaries(self) -> str:
        """The text to compile: role lines are expressions, and no line has moved."""
        lines = self.text.split("\n")
        for piece in self.pieces:
            if isinstance(piece, RoleLine):
                lines[piece.line - 1] = f"{{{{ __{piece.role}__ }}}}"
        return "\n".join(lines)

    def canonical(self) -> list[Any]:
        """The body as JSON that changes only if what reaches the model may change.

        Comments, line endings, spaces within `{{ }}` and `{% %}`, and blank
        lines around a message leave no trace.
        """
        merged: list[Any] = []
        for piece in self.pieces:
            if isinstance(piece, RoleLine):
                _trim_end(merged)
                merged.append({"role": piece.role})
            elif isinstance(piece, tuple):
                merged.append(list(piece))
            elif merged and isinstance(merged[-1], str):
                merged[-1] += piece
            else:
                merged.append(piece)
        _trim_end(merged)
        for index, piece in enumerate(merged):
            if isinstance(piece, str) and (index == 0 or isinstance(merged[index - 1], dict)):
                merged[index] = without_blank_lines(piece)
        return [piece for piece in merged if piece != ""]

    def _lex(self) -> list[Piece]:
        lines = self.text.split("\n")
        pieces: list[Piece] = []
        code: list[str] = []
        raw = False
        for line, kind, value in environment().lexer.tokeniter(self.text, None):
            if kind == "data":
                pieces += [value] if raw else self._split(value, line, lines)
            elif kind in ("variable_begin", "block_begin"):
                code = ["{{" if kind == "variable_begin" else "{%"]
            elif kind in ("variable_end", "block_end"):
                pieces.append((*code, "}}" if kind == "variable_end" else "%}"))
                code = []
            elif kind not in _UNSEEN and kind != "raw_end":
                if value in BOUNDARIES:
                    raise DocumentError(f"`{value}` is a reserved name", where=self.where(line))
                code.append(value)
            raw = kind == "raw_begin" or (raw and kind != "raw_end")
        if code:  # never closed, which compiling will tell best
            pieces.append(tuple(code))
        return pieces

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

    def _refuse_empty(self, pieces: list[Piece]) -> None:
        seen = [piece for piece in pieces if not isinstance(piece, str) or piece.strip(BLANK)]
        roles = [piece for piece in seen if isinstance(piece, RoleLine)]
        if not roles:
            raise DocumentError(
                "the body has no role line, so it is not known who says this",
                hint="put `user:` (or `system:`) on a line of its own above the text",
                where=self.where(),
            )
        for piece, following in zip(seen, [*seen[1:], None], strict=True):
            if isinstance(piece, RoleLine) and (
                following is None or isinstance(following, RoleLine)
            ):
                raise DocumentError(
                    f"the `{piece.role}` message is empty",
                    hint="write its text below the role line, or remove the line",
                    where=self.where(piece.line),
                )


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
