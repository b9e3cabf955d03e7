"""Whether a printed value stands between marks that tell a model where it begins and ends."""

from __future__ import annotations

import re

VALUE = "\ufffc"
"""Stands for a printed value in the text of a message."""

_TAG = re.compile(r"<(/?)([A-Za-z][\w.:-]*)(?:\s[^<>]*)?>|\[(/?)([A-Z][A-Z _-]*)\]")
_BEGIN = re.compile(r"\b(?:BEGIN|START)\b(?: OF)?[ _:-]*([A-Z][A-Z0-9_ ]*)")
_QUOTED = ("```", '"""', "'''", "~~~")
_FENCE = re.compile(
    r"^[ \t]*(?:([-=*_~+])\1{2,}[ \t]*$|(#)##|([-=*~+])\3{2,}[^\n]*\3{3}[ \t]*$)", re.MULTILINE
)
_QUOTE = re.compile(rf"([\"'`])(?:{VALUE}[ ,]*)*$")
_PAIRS = ("()", "[]", "{}", "<>", "“”", "„“", "\u2018\u2019", "«»", "»«", "\u2039\u203a")
_BRACKETS = {pair[0]: pair[1] for pair in (*_PAIRS, "「」", "『』", "【】")}
_NOTHING = VALUE + " \t\n"


def is_delimited(text: str, at: int) -> bool:
    r"""Whether the value at `at` in a message is all of it, or is enclosed by matching marks.

    >>> is_delimited(f"<doc>\n{VALUE}\n</doc>", 6), is_delimited(f"Translate: {VALUE}", 11)
    (True, False)
    """
    before, after = text[:at], text[at + 1 :]
    if not before.strip() and not after.strip():
        return True
    return (
        _quoted_closely(before, after)
        or _in_tags(before, after)
        or _in_quotes(before, after)
        or _in_fences(before, after)
        or _in_words(before, after)
    )


def _quoted_closely(before: str, after: str) -> bool:
    if (quote := _QUOTE.search(before)) and after.lstrip(VALUE + " ,")[:1] == quote[1]:
        return True
    closing = _BRACKETS.get(before.rstrip(_NOTHING)[-1:])
    return closing is not None and after.lstrip(_NOTHING).startswith(closing)


def _in_tags(before: str, after: str) -> bool:
    if "<" not in before and "[" not in before:
        return False
    still_open: list[tuple[bool, str]] = []
    for slash, name, other_slash, other in _TAG.findall(before):
        tag = (bool(name), name or other)
        if not slash and not other_slash:
            still_open.append(tag)
        elif tag in still_open:
            del still_open[len(still_open) - 1 - still_open[::-1].index(tag) :]
    return any((f"</{name}>" if xml else f"[/{name}]") in after for xml, name in still_open)


def _in_quotes(before: str, after: str) -> bool:
    return any(before.count(mark) % 2 and mark in after for mark in _QUOTED)


def _in_fences(before: str, after: str) -> bool:
    """Between two lines such as `---` or `===`, or two headings `###`."""
    above = {"".join(marks) for marks in _FENCE.findall(before)}
    return bool(above) and any("".join(marks) in above for marks in _FENCE.findall(after))


def _in_words(before: str, after: str) -> bool:
    """Between `BEGIN DATA` and `END DATA`."""
    return any(
        re.search(rf"\bEND\b(?: OF)?[ _:-]*{re.escape(name.strip())}", after)
        for name in _BEGIN.findall(before)
    )
