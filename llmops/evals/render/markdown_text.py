"""Somebody's text in Markdown: as code, where nothing in it can come alive."""

from __future__ import annotations

import re

from llmops.evals.render.figures import one_line, printable, shorten

LONGEST = 60_000
"""Characters of the whole; a comment on GitHub holds 65,536."""

MOST_ROWS = 100
"""Rows of a table."""

MARKS = {"passed": "✅", "failed": "❌", "inconclusive": "⚠️"}


LONGEST_TEXT = 1_500
"""Characters of one text of a case."""


def code(text: str, most: int = 200) -> str:
    """`text` as inline code on one line, safe in a table too.

    >>> print(code("a | `b` @octocat"))
    `` a \\| `b` @octocat ``
    """
    shown = one_line(text, most).replace("|", r"\|") or " "
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    if not longest:
        return f"`{shown}`"
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}"


def fenced(text: str, *, language: str = "text", most: int = LONGEST_TEXT, width: int = 0) -> str:
    """`text` as a block of code that nothing in it can end; `width` wraps its lines."""
    shown = printable(shorten(text, most)).replace("\r", "\n")
    if width:
        shown = "\n".join(piece for line in shown.split("\n") for piece in _pieces(line, width))
    longest = max((len(run) for run in re.findall("`{3,}", shown)), default=2)
    fence = "`" * (longest + 1)
    return f"\n{fence}{language}\n{shown}\n{fence}\n\n"


def _pieces(line: str, width: int) -> list[str]:
    """A line in pieces of at most `width` characters, cut between words where there are any."""
    pieces = []
    while len(line) > width:
        at = line.rfind(" ", width // 2, width) + 1 or width
        pieces.append(line[:at])
        line = line[at:]
    return [*pieces, line]


# A colon before a blank, a slash within a name and a sign before a digit start nothing.
_ACTIVE = re.compile(r"[^\w\s.,;()?%:/+-]|_|:(?!\s)|(?<!\w)/|/(?!\w)|\+(?!\d)")


def html(text: str, most: int) -> str:
    """`text` on one line for an HTML element, where Markdown still reads along.

    A word joiner after what starts a mention, a reference or an address keeps it from being one.
    """
    return _inert(one_line(text, most))


def _inert(shown: str) -> str:
    shown = _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", shown)
    return re.sub(r"(&#(?:64|35|58|47);|www\.|\bGH-)", "\\1\u2060", shown)


def prose(sentence: str, most: int = 400) -> str:
    """A sentence of ours with somebody's names in it: what stands in backticks as code.

    >>> print(prose("the mean of `f1` is < 1"))
    the mean of `f1` is &#60; 1
    """
    parts = one_line(sentence, most).split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner, as in a name
        return code(sentence, most)
    return "".join(code(part) if at % 2 else _inert(part) for at, part in enumerate(parts))
