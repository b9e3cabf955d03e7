"""Two texts, compared word by word as a reader would.

White space is no word: it goes with the word before it, so a paragraph that is
wrapped anew shows its line ends and not its words. A piece of template code
(`{{ name }}`) is one word, however it is spaced inside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

Change = Literal["same", "removed", "added"]

_WORD = re.compile(
    r"(?:\{\{.*?\}\}|\{%.*?%\}|\w+(?:['\u2019.,_/-]\w+)*|[^\w\s])?\s*",
    re.DOTALL,
)
_CODE = re.compile(r"\"[^\"]*\"|'[^']*'|\w+|[^\w\s]")
_DENSE = 1_000_000
"""Pairs of words beyond which a stretch is compared more coarsely, to stay within seconds."""
_LEAST_ALIKE = 0.2
"""Below this share of common words, two stretches are one taken out and another put in."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that both sides have, or only one of them."""

    change: Change
    text: str

    def to_json(self) -> dict[str, str]:
        """The stretch, for programs."""
        return {"change": self.change, "text": self.text}


class _Word(NamedTuple):
    key: str
    """What it is compared by."""
    text: str
    space: str
    """What follows it."""


def diff_words(old: str, new: str) -> tuple[Span, ...]:
    """What became of `old` in `new`, as stretches in reading order.

    The stretches that are same or added are `new`; same or removed, `old` (but
    for spaces within template code, where `new` is shown).

    >>> [(span.change, span.text) for span in diff_words("Be kind.", "Be very kind!")]
    [('same', 'Be '), ('added', 'very '), ('same', 'kind'), ('removed', '.'), ('added', '!')]
    """
    return tuple(_merged(_by_lines(old.splitlines(True), new.splitlines(True))))


def similarity(old: Sequence[str], new: Sequence[str]) -> float:
    """The share of words that two texts have in common, whatever their order: 0.0 to 1.0."""
    total = len(old) + len(new)
    common = (Counter(old) & Counter(new)).total()
    return 2 * common / total if total else 1.0


def keys(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    return [word.key for word in _words(text)]


def _by_lines(old: list[str], new: list[str]) -> Iterator[Span]:
    """Lines first: they divide a long text into short stretches to compare closely."""
    crowded = len(old) * len(new) > _DENSE
    matcher = SequenceMatcher(None, old, new, autojunk=crowded)
    for operation, i, j, k, m in matcher.get_opcodes():
        if operation == "equal":
            yield Span("same", "".join(old[i:j]))
        else:
            yield from _stretch(old[i:j], new[k:m])


def _stretch(old: list[str], new: list[str]) -> Iterator[Span]:
    """Lines that differ, word by word where that can be read and afforded."""
    before, after = _words("".join(old)), _words("".join(new))
    if len(before) * len(after) > _DENSE and len(old) == len(new) > 1:
        for one, other in zip(old, new, strict=True):
            yield from _stretch([one], [other])
        return
    left, right = [word.key for word in before], [word.key for word in after]
    if similarity(left, right) < _LEAST_ALIKE:
        yield Span("removed", "".join(old))
        yield Span("added", "".join(new))
        return
    crowded = len(before) * len(after) > _DENSE
    matcher = SequenceMatcher(None, left, right, autojunk=crowded)
    for operation, i, j, k, m in _without_crumbs(matcher.get_opcodes()):
        if operation == "equal":
            for was, word in zip(before[i:j], after[k:m], strict=True):
                yield Span("same", word.text)
                yield from _space(was.space, word.space)
        else:
            yield from _replaced(before[i:j], after[k:m])


def _replaced(old: Sequence[_Word], new: Sequence[_Word]) -> Iterator[Span]:
    """One stretch for another; white space that follows both has not changed."""
    shared = old[-1].space if old and new and old[-1].space == new[-1].space else ""
    sides: tuple[tuple[Change, Sequence[_Word]], ...] = (("removed", old), ("added", new))
    for change, words in sides:
        yield Span(change, "".join(word.text + word.space for word in words).removesuffix(shared))
    yield Span("same", shared)


def _space(old: str, new: str) -> Iterator[Span]:
    if old == new:
        yield Span("same", new)
    else:
        yield Span("removed", old)
        yield Span("added", new)


Operation = tuple[str, int, int, int, int]


def _without_crumbs(operations: Iterable[Operation]) -> list[Operation]:
    """The operations without a word or two left standing between longer changes."""
    kept: list[Operation] = []
    pending = list(operations)
    for at, (name, i, j, k, m) in enumerate(pending):
        crumb = (
            name == "equal"
            and kept
            and at + 1 < len(pending)
            and j - i <= min(_size(kept[-1]), _size(pending[at + 1])) // 2
        )
        if crumb or (kept and name != "equal" and kept[-1][0] != "equal"):
            first = kept.pop()
            kept.append(("replace", first[1], j, first[3], m))
        else:
            kept.append((name, i, j, k, m))
    return kept


def _size(operation: Operation) -> int:
    _, i, j, k, m = operation
    return max(j - i, m - k)


def _words(text: str) -> list[_Word]:
    words = []
    for match in _WORD.finditer(text):
        whole = match[0]
        if not whole:
            continue
        word = whole.rstrip()
        code = word.startswith(("{{", "{%"))
        key = " ".join(_CODE.findall(word)) if code else word
        words.append(_Word(key, word, whole[len(word) :]))
    return words


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbours of one kind as one, removed before added, nothing empty."""
    gathered = {"same": "", "removed": "", "added": ""}
    for span in spans:
        if span.change == "same" and span.text and (gathered["removed"] or gathered["added"]):
            yield from _flushed(gathered)
        elif span.change != "same" and span.text and gathered["same"]:
            yield Span("same", gathered["same"])
            gathered["same"] = ""
        gathered[span.change] += span.text
    yield from _flushed(gathered)


def _flushed(gathered: dict[str, str]) -> Iterator[Span]:
    change: Change
    for change in ("same", "removed", "added"):
        if gathered[change]:
            yield Span(change, gathered[change])
            gathered[change] = ""
