"""A prompt's body together with the partials that it includes, directly or not.

`{% include "shared/tone" %}` stands for the text of `shared/tone.jinja` below
the prompts folder. Here files are found, taken apart and addressed; nothing is
compiled, so that thousands of prompts can be fingerprinted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from llmops.core.errors import DocumentError, Where
from llmops.core.fingerprint import fingerprint
from llmops.prompts.parts import Part, missing_part, missing_tree
from llmops.prompts.schema import unix_lines
from llmops.prompts.source import BLANK, Code, Include, RoleLine, Source
from llmops.prompts.trees import NoSuchFile, Tree

PARTIAL_SUFFIX = ".jinja"

DEEPEST = 32
"""Levels of partials that include partials."""

LONGEST_TEXT = 100_000
"""Characters that a partial may be written out to: each level of includes multiplies them."""

_FRONT_MATTER = re.compile(r"---[ \t]*\n[A-Za-z]\w*:[ \n](?:.*\n)*?---[ \t]*(?:\n|$)")


class Partial:
    """A file that prompts include, taken apart once for all of them."""

    def __init__(self, name: str, source: Source):
        self.name = name
        self.path = f"{name}{PARTIAL_SUFFIX}"
        self.source = source

    @cached_property
    def fingerprint(self) -> str:
        """The address of its own content; what it includes has one of its own."""
        return self.fingerprint_with({})

    def fingerprint_with(self, texts: Mapping[str, str]) -> str:
        """The address of its content, with the partials of `texts` in their places."""
        return fingerprint(
            {"format": "llmops/partial/1", "template": self.source.canonical(texts, whole=False)}
        )

    def text(self, texts: Mapping[str, str]) -> str | None:
        """All that it says, if it is text alone and includes only partials of `texts`."""
        said: list[str] = []
        for piece in self.source.pieces:
            if isinstance(piece, str):
                said.append(piece)
            elif isinstance(piece, Include) and piece.name in texts:
                said.append(texts[piece.name])
            elif not isinstance(piece, Code) or piece.tokens:
                return None
        longest = max(LONGEST_TEXT, len(self.source.text))
        return "".join(said) if sum(map(len, said)) <= longest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    """What the text around a partial has to know about it."""

    has_roles: bool = False
    starts_a_message: bool = False
    """Whether a role line comes before everything else."""
    is_blank: bool = True
    waiting: tuple[str, Where] | None = None
    """A role line at the very end, whose message is still empty."""


class Composition:
    """A body and all partials that it is made of; files are read when asked for."""

    def __init__(self, body: Source, tree: Tree | None):
        self.body = body
        self._tree = tree

    @cached_property
    def partials(self) -> Mapping[str, Partial]:
        """By name, each after those that it includes.

        Raises `DocumentError`, at the line of the include, for a partial that
        is not there and for one that includes itself in the end.
        """
        found: dict[str, Partial] = {}
        self._gather(self.body, (), found, {})
        return found

    def parts(self) -> tuple[Part, ...]:
        """The partials as parts of the prompt, sorted by path."""
        made = (Part(path=one.path, fingerprint=one.fingerprint) for one in self.partials.values())
        return tuple(sorted(made, key=lambda part: part.path))

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """What the partials say, by name, that print the same text wherever they are included."""
        made: dict[str, str] = {}
        for name, partial in self.partials.items():
            text = partial.text(made)
            if text is not None:
                made[name] = text
        return made

    def canonical_partials(self) -> dict[str, str]:
        """By path, the addresses of the partials that are more than text.

        What code means depends on whether it is included, as names that it
        sets stay within. So these count by themselves, and text where it stands.
        """
        return {
            partial.path: partial.fingerprint_with(self.texts)
            if any(include.name in self.texts for include in partial.source.includes)
            else partial.fingerprint  # known from other prompts
            for name, partial in self.partials.items()
            if name not in self.texts
        }

    def has_roles(self, name: str) -> bool:
        """Whether the partial `name`, or one in it, has a role line."""
        return self._outlines[name].has_roles

    def check(self) -> None:
        """Raise `DocumentError` for a body without a role line or a message without content."""
        outline = self._outline(self.body, self._outlines)
        if not outline.has_roles:
            raise DocumentError(
                "the body has no role line, so it is not known who says this",
                hint="put `user:` (or `system:`) on a line of its own above the text",
                where=self.body.where(),
            )
        _refuse_empty(outline.waiting)

    @cached_property
    def _outlines(self) -> dict[str, _Outline]:
        made: dict[str, _Outline] = {}
        for name, partial in self.partials.items():
            made[name] = self._outline(partial.source, made)
        return made

    def _outline(self, source: Source, known: dict[str, _Outline]) -> _Outline:
        has_roles = starts = False
        blank = True
        waiting: tuple[str, Where] | None = None
        for piece in source.pieces:
            if isinstance(piece, RoleLine):
                _refuse_empty(waiting)
                has_roles, starts, blank = True, starts or blank, False
                waiting = piece.role, source.where(piece.line)
            elif isinstance(piece, Include):
                inner = known[piece.name]
                if inner.is_blank:
                    continue
                if inner.starts_a_message:
                    _refuse_empty(waiting)
                    starts = starts or blank
                has_roles, blank = has_roles or inner.has_roles, False
                waiting = inner.waiting
            elif piece.strip(BLANK) if isinstance(piece, str) else piece.tokens:
                blank, waiting = False, None
        return _Outline(
            has_roles=has_roles, starts_a_message=starts, is_blank=blank, waiting=waiting
        )

    def _gather(
        self,
        source: Source,
        above: tuple[str, ...],
        found: dict[str, Partial],
        levels: dict[str, int],
    ) -> None:
        """Add what `source` includes to `found`, and of each how many levels it makes."""
        for name, line in ((include.name, include.line) for include in source.includes):
            where = source.where(line)
            if name in above:
                cycle = " → ".join(f"`{each}`" for each in (*above[above.index(name) :], name))
                raise DocumentError(
                    f"partials include each other without end: {cycle}", where=where
                )
            if name not in found and len(above) < DEEPEST:
                partial = self._read(name, where)
                self._gather(partial.source, (*above, name), found, levels)
                below = (levels[include.name] for include in partial.source.includes)
                found[name], levels[name] = partial, 1 + max(below, default=0)
            if name not in found or len(above) + levels[name] > DEEPEST:
                raise DocumentError(
                    f"partials are included more than {DEEPEST} levels deep", where=where
                )

    def _read(self, name: str, where: Where) -> Partial:
        if self._tree is None:
            raise missing_tree("the partial", name, where)
        path = f"{name}{PARTIAL_SUFFIX}"
        try:
            text = self._tree.text(path)
        except NoSuchFile:
            raise missing_part("partial", name, PARTIAL_SUFFIX, self._tree, where) from None
        return _partial(name, text, self._tree.where(path))


# Most prompts of a folder include the same few partials.
@lru_cache(maxsize=1024)
def _partial(name: str, text: str, shown: Path) -> Partial:
    text = unix_lines(text, shown)
    if _FRONT_MATTER.match(text):
        raise DocumentError(
            "starts with front matter, which a partial does not have",
            hint="declare inputs in the prompts that include it",
            where=Where(shown, 1),
        )
    return Partial(name, Source(text.removesuffix("\n"), shown))


def _refuse_empty(waiting: tuple[str, Where] | None) -> None:
    if waiting is not None:
        role, where = waiting
        raise DocumentError(
            f"the `{role}` message is empty",
            hint="write its text below the role line, or remove the line",
            where=where,
        )
