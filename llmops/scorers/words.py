"""Words of a text in any script, for scorers that compare word by word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The runs of letters and digits in `text`, composed and in lower case.

    >>> words("Déjà-vu, 3 times: don't!")
    ['déjà', 'vu', '3', 'times', 'don', 't']
    """
    return _WORD.findall(composed(text).lower())


def composed(text: str) -> str:
    """`text` in Unicode's composed form (NFC), where a letter and its accent are one."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


_TERM = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+")


def terms(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The words of composed `text` with their places, case folded; `1,200` and `3.5` are one each.

    >>> [term for term, _ in terms("In 2016, 1,200 of 3.5M")]
    ['in', '2016', '1200', 'of', '3.5', 'm']
    """
    for found in _TERM.finditer(text):
        yield (composed(found[0].casefold()).replace(",", ""), found.span())
