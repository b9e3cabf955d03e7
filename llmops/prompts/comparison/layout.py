"""A word-level difference laid out in lines, as terminal and page show it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from llmops.prompts.comparison.words import Span

CONTEXT = 2
"""Unchanged lines that are shown around changed ones."""
_LONG = 160
"""Characters of an unchanged stretch within a changed line that are shown whole."""
_KEPT = 60
"""Characters that are shown of each end of a longer one."""
_SPACES = str.maketrans({" ": "·", "\t": "⇥", "\n": "↵"})
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Gap:
    """Unchanged lines that are left out."""

    lines: int

    def __str__(self) -> str:
        return f"… {self.lines} unchanged line{'s' if self.lines > 1 else ''}"


Row = tuple[Span, ...]
"""One line: stretches without a line end."""


def laid_out(spans: Iterable[Span]) -> list[Row | Gap]:
    """The lines of a difference, the changed ones with a little of what is around them.

    White space that changed is drawn: `·` a space, `⇥` a tabulator, `↵` the
    end of a line.
    """
    rows = _rows(spans)
    near = _near([index for index, row in enumerate(rows) if _changed(row)])
    shown: list[Row | Gap] = []
    left_out = 0
    for index, row in enumerate(rows):
        if index not in near:
            left_out += 1
            continue
        if left_out:
            shown.append(Gap(left_out))
            left_out = 0
        shown.append(tuple(_shortened(row)) if _changed(row) else row)
    return [*shown, Gap(left_out)] if left_out else shown


def visible(text: str) -> str:
    """`text` with the characters spelled out that steer a terminal or cannot be seen.

    >>> visible("a\\u202eb")
    'a\\\\u202eb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Co", "Zl", "Zp")
    if not hidden or character in ("\t", _JOINER):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _rows(spans: Iterable[Span]) -> list[Row]:
    rows: list[Row] = []
    row: list[Span] = []

    def end() -> None:
        rows.append(tuple(row))
        row.clear()

    for span in spans:
        if span.change != "same" and not span.text.strip():
            row.append(Span(span.change, span.text.translate(_SPACES)))
            if span.change == "added" and "\n" in span.text:
                end()
            continue
        *whole, rest = span.text.split("\n")
        for line in whole:
            if line:
                row.append(Span(span.change, line))
            elif span.change != "same":
                row.append(Span(span.change, "↵"))
            end()
        if rest:
            row.append(Span(span.change, rest))
    if row:
        end()
    return rows


def _near(changed: list[int]) -> set[int]:
    """The changed lines and their neighbours; a gap of one line is shown instead."""
    near = {
        each for index in changed for each in range(max(0, index - CONTEXT), index + CONTEXT + 1)
    }
    return near | {index + 1 for index in near if index + 2 in near}


def _changed(row: Row) -> bool:
    return any(span.change != "same" for span in row)


def _shortened(row: Row) -> Iterable[Span]:
    """A changed line without the middle of what is unchanged in it for long."""
    for at, span in enumerate(row):
        if span.change != "same" or len(span.text) <= _LONG:
            yield span
            continue
        head, tail = span.text[:_KEPT].rpartition(" ")[0], span.text[-_KEPT:].partition(" ")[2]
        if at == 0:
            yield Span("same", f"… {tail}")
        elif at == len(row) - 1:
            yield Span("same", f"{head} …")
        else:
            yield Span("same", f"{head} … {tail}")
