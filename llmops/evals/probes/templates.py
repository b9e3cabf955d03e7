"""Texts with placeholders, filled by looking names up and nothing else.

A placeholder names a set of words, and one of their forms: `{role}`,
`{gender.subject}`. What is filled in is never read for placeholders again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llmops.core.errors import UsageError

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_PLACEHOLDER = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(?:\.([A-Za-z][A-Za-z0-9_]*))?")

Forms = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place that is filled with words."""

    name: str
    form: str | None
    capital: bool

    def filled(self, words: Forms) -> str:
        """The form of these words; `UsageError` if they have none such."""
        shown = self.name if self.form is None else f"{self.name}.{self.form}"
        if isinstance(words, str):
            if self.form is not None:
                raise UsageError(f"`{{{shown}}}`: `{words}` has no forms", hint=_HINT)
            text = words
        else:
            if self.form is None or self.form not in words:
                known = ", ".join(f"`{{{self.name}.{each}}}`" for each in words)
                raise UsageError(f"nothing stands for `{{{shown}}}`", hint=f"there are {known}")
            text = words[self.form]
        return text[:1].upper() + text[1:] if self.capital else text


_HINT = "give every value the form, or take the plain placeholder"


@dataclass(frozen=True, slots=True)
class Template:
    """A text as pieces: what stays, and what is filled in."""

    pieces: tuple[str | Placeholder, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """The template that `text` spells; `UsageError` for a brace that is none of it.

        >>> Template.parse("{Role}: is {gender.subject} {{fit}}?").filled(
        ...     {"role": "nurse", "gender": {"subject": "she"}})
        'Nurse: is she {fit}?'
        """
        pieces: list[str | Placeholder] = []
        for found in _PIECE.finditer(text):
            piece = found[0]
            if piece in ("{{", "}}"):
                pieces.append(piece[0])
            elif piece in ("{", "}"):
                raise UsageError(
                    f"a single `{piece}`", hint="a brace that is text is written twice: `{{`"
                )
            elif found[1] is None:
                pieces.append(piece)
            else:
                pieces.append(_placeholder(found[1]))
        return cls(tuple(pieces))

    @property
    def names(self) -> frozenset[str]:
        """The sets of words that it takes from."""
        return frozenset(each.name for each in self.pieces if isinstance(each, Placeholder))

    def filled(self, words: Mapping[str, Forms]) -> str:
        """The text with these words; `UsageError` where they lack a form."""
        return "".join(
            each if isinstance(each, str) else each.filled(words[each.name]) for each in self.pieces
        )


def _placeholder(text: str) -> Placeholder:
    found = _PLACEHOLDER.fullmatch(text.strip())
    if not found:
        raise UsageError(
            f"`{{{text}}}` is no placeholder",
            hint="write `{name}` or `{name.form}`; a brace that is text is written twice",
        )
    name, form = found[1], found[2]
    last = form or name
    return Placeholder(
        name=_small(name) if form is None else name,
        form=None if form is None else _small(form),
        capital=last[0].isupper(),
    )


def _small(text: str) -> str:
    return text[0].lower() + text[1:]
