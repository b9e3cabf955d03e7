"""Rules on the bare text of a file: secrets, personal data, and what nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from llmops.core.errors import Where
from llmops.prompts.lint.findings import Finding, found
from llmops.prompts.lint.pii import find_personal_data
from llmops.prompts.lint.secrets import Hit, find_secrets
from llmops.prompts.sandbox import ROLES, environment
from llmops.prompts.source import Source

_ESCAPED = re.compile(r'\\[nrt"]')
"""As YAML and JSON write them; the letter would otherwise belong to what follows."""

_TRAILING = re.compile(r"[ \t](?:\n|$)")
_ROLE = re.compile(rf"[ \t]*(?:{'|'.join(ROLES)})[ \t]*:[ \t]*")

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufff8"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_MARKS = frozenset("\u200e\u200f\u061c")
_JOINERS = frozenset("\u200c\u200d")
_FLAG = "\U0001f3f4"


def secrets_and_personal_data(text: str, path: Path, allowed: Collection[str]) -> Iterator[Finding]:
    """What must not stand in a file that many read; no finding quotes it."""
    for line, rule, hit in _scanned(text):
        if hit.text not in allowed:
            shown = f" (`{hit.mask}…`)" if hit.mask else ""
            yield found(
                rule,
                f"{hit.kind}{shown} in the text",
                Where(path, line),
                hint=_HINTS[rule],
            )


_HINTS = {
    "secret": "revoke it, then take it out: the history of the repository keeps it; "
    "a placeholder such as `<token>` is no finding",
    "personal-data": "take it out, or write one that is reserved for examples, "
    "such as `jane@example.com`; what belongs to the firm itself goes under `allow` in `[lint]`",
}


# A partial is looked at for every prompt that includes it.
@lru_cache(maxsize=256)
def _scanned(text: str) -> tuple[tuple[int, str, Hit], ...]:
    if "\\" in text:
        text = _ESCAPED.sub("  ", text)
    hits = [("secret", hit) for hit in find_secrets(text)]
    hits += [("personal-data", hit) for hit in find_personal_data(text)]
    return tuple((text.count("\n", 0, hit.start) + 1, rule, hit) for rule, hit in hits)


def invisible_character(text: str, path: Path) -> Iterator[Finding]:
    """Characters that can hide instructions from whoever reviews the file."""
    for match in _UNSEEN.finditer(text):
        if not _belongs(text, match.start(), match.end()):
            first = match[0][0]
            name = unicodedata.name(first, "a control character")
            many = f" and {len(match[0]) - 1} more" if len(match[0]) > 1 else ""
            yield found(
                "invisible-character",
                f"U+{ord(first):04X} {name}{many}: nobody sees it, and the model reads it",
                Where(path, text.count("\n", 0, match.start()) + 1),
                hint="delete it; a character that is meant can be written out, "
                'such as `{{ "\\u200b" }}`',
            )


def _belongs(text: str, start: int, end: int) -> bool:
    """Whether a script, an emoji or a flag is spelled with what stands there."""
    found, before, after = text[start:end], text[start - 1 : start], text[end : end + 1]
    if set(found) <= _JOINERS:
        return not before.isascii() and not after.isascii() and bool(before and after)
    if set(found) <= _MARKS:
        return _RIGHT_TO_LEFT.search(text) is not None
    if found[0] >= "\U000e0020":
        # The flags of England, Scotland and Wales; other ones are no use for a message.
        return before == _FLAG and len(found) <= 7
    return False


def trailing_whitespace(source: Source) -> Iterator[Finding]:
    """Blanks before a line's end, where they reach the model."""
    if not _TRAILING.search(source.text):
        return
    lines = source.text.split("\n")
    ends = _ends(lines)
    for first, kind, value in environment().lexer.tokeniter(source.text, None):
        if kind != "data":
            continue
        for number, part in enumerate(value.split("\n")[:-1], first):
            line = lines[number - 1]
            reaches = line.strip() and number not in ends and not _ROLE.fullmatch(line)
            if reaches and part[-1:] in (" ", "\t"):
                yield found(
                    "trailing-whitespace",
                    "the line ends with blanks, which reach the model",
                    source.where(number),
                    hint="delete them; they split a token and change what the model sees",
                )


def _ends(lines: list[str]) -> set[int]:
    """The last line of every message: blanks there are dropped."""
    ends: set[int] = set()
    last = 0
    for number, line in enumerate(lines, 1):
        if _ROLE.fullmatch(line):
            ends.add(last)
        if line.strip():
            last = number
    return ends | {last}
