"""Lines of plain text with a style each: what every report on a terminal is laid out of."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

from llmops.evals.render.figures import one_line

NARROW, WIDE = 78, 120
"""Between these the width follows the terminal."""

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "inconclusive": "bold yellow",
    "unscored": "yellow",
    "error": "bold magenta",
    "head": "bold",
    "quiet": "dim",
    "": "",
}

Line = tuple[str, str]
"""A line of text and the name of its style."""


def labelled(label: str, text: str, width: int) -> Iterator[Line]:
    """A label and at most two lines of text."""
    label = one_line(label, 10)
    room = width - 16
    lines = textwrap.wrap(one_line(text, 2 * room - 4), room) or [""]
    yield f"    {padded(label, 12)}{lines[0]}", ""
    for line in lines[1:]:
        yield f"{' ' * 16}{line}", ""


def wrapped(text: str, width: int, *, indent: str, style: str = "") -> Iterator[Line]:
    """A text on as many lines as it takes, each indented."""
    for line in textwrap.wrap(one_line(text, 600), width - len(indent)):
        yield f"{indent}{line}", style


def cells(text: str) -> int:
    """Columns that `text` takes: two for each wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def padded(text: str, wide: int, *, right: bool = False) -> str:
    """`text` filled with blanks to so many columns."""
    blank = " " * max(wide - cells(text), 0)
    return blank + text if right else text + blank
