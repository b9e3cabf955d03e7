"""Which cases of a suite run: `case:GLOB`, `tag:GLOB`, joined by comma and white space.

case:math-*             cases whose id begins with `math-`
math-*                  the same, a bare word is a glob of ids
tag:smoke,case:q1*      both (a comma means *and*)
tag:smoke tag:slow      either (white space means *or*)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from llmops.core.errors import NotFound, UsageError
from llmops.evals.dataset import Case


def _by_id(case: Case, pattern: str) -> bool:
    return fnmatchcase(case.id, pattern)


def _by_tag(case: Case, pattern: str) -> bool:
    return any(fnmatchcase(tag, pattern) for tag in case.tags)


METHODS: dict[str, Callable[[Case, str], bool]] = {"case": _by_id, "tag": _by_tag}


@dataclass(frozen=True, slots=True)
class Term:
    """One method with its glob."""

    method: str
    pattern: str

    def matches(self, case: Case) -> bool:
        """Whether the case is meant."""
        return METHODS[self.method](case, self.pattern)


@dataclass(frozen=True, slots=True)
class Selection:
    """A parsed selection: any of its alternatives, each of which holds whole."""

    text: str
    alternatives: tuple[tuple[Term, ...], ...]

    @classmethod
    def parse(cls, text: str | None) -> Selection:
        """Read a selection; `None` selects everything.

        Raises `UsageError` for an unknown method and an empty term.

        >>> Selection.parse("tag:smoke,q1* q7").alternatives[1]
        (Term(method='case', pattern='q7'),)
        """
        if text is None:
            return cls("", ())
        alternatives = tuple(
            tuple(_term(term, text) for term in word.split(",")) for word in text.split()
        )
        if not alternatives:
            raise UsageError("the selection is empty", hint="leave it out to run every case")
        return cls(" ".join(text.split()), alternatives)

    def __call__(self, case: Case) -> bool:
        """Whether the case is selected."""
        if not self.alternatives:
            return True
        return any(all(term.matches(case) for term in terms) for terms in self.alternatives)


def _term(term: str, text: str) -> Term:
    method, colon, pattern = term.partition(":")
    if not colon:
        method, pattern = "case", term
    if method not in METHODS:
        raise NotFound(
            f"`{text}` selects by `{method}`, which is not known",
            hint="known: "
            + ", ".join(f"`{name}:GLOB`" for name in METHODS)
            + "; for an id that holds a colon write `case:ID`",
        )
    if not pattern:
        raise UsageError(
            f"`{text}` holds an empty term", hint="a comma stands between two terms: `tag:a,tag:b`"
        )
    return Term(method, pattern)
