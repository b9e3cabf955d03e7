"""The words of a selection: methods with their globs, joined to alternatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Protocol

from llmops.core.errors import NotFound, UsageError
from llmops.evals.dataset import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFacts:
    """What a selection can ask of a suite."""

    name: str
    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Its file, its dataset and its prompt, relative to the project."""


class SuiteStates(Protocol):
    """How the cases of one suite differ from the base."""

    def has_state(self, case: str, state: str) -> bool:
        """Whether the case of that id is `modified` or `new`."""
        ...


STATES: Mapping[str, str] = {
    "modified": "differs from the base, or is new",
    "new": "is not in the base",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One method with its glob."""

    method: str
    pattern: str

    def of_suite(self, suite: SuiteFacts) -> bool | None:
        """Whether it holds for the whole suite; `None` if that is for its cases to say."""
        if self.method in ("case", "state"):
            return None
        if self.method == "suite":
            return fnmatchcase(suite.name, self.pattern)
        if self.method == "path":
            return any(_leads_to(self.pattern, path) for path in suite.paths)
        return True if _any(suite.tags, self.pattern) else None

    def of_case(self, case: Case, states: SuiteStates | None) -> bool:
        """Whether it holds for a case, where its suite does not decide it."""
        if self.method == "case":
            return fnmatchcase(case.id, self.pattern)
        if self.method == "tag":
            return _any(case.tags, self.pattern)
        return states is not None and states.has_state(case.id, self.pattern)


Alternatives = tuple[tuple[Term, ...], ...]
"""Any of these holds, each of which holds whole."""


def parse_terms(text: str) -> Alternatives:
    """The alternatives that `text` spells.

    Raises `NotFound` for an unknown method or state, and `UsageError` for an
    empty term.

    >>> parse_terms("tag:smoke,q1* q7")[1]
    (Term(method='case', pattern='q7'),)
    """
    alternatives = tuple(
        tuple(_term(term, text) for term in word.split(",")) for word in text.split()
    )
    if not alternatives:
        raise UsageError("the selection is empty", hint="leave it out to run every case")
    return alternatives


def left_open(alternatives: Alternatives, suite: SuiteFacts) -> Alternatives:
    """The alternatives that can hold in a suite, without the terms that its cases all keep.

    >>> left_open(parse_terms("suite:qa,q1 suite:other"), SuiteFacts(name="qa"))
    ((Term(method='case', pattern='q1'),),)
    """
    found = []
    for terms in alternatives:
        answers = [(term, term.of_suite(suite)) for term in terms]
        if all(answer is not False for _, answer in answers):
            found.append(tuple(term for term, answer in answers if answer is None))
    return tuple(found)


def any_holds(alternatives: Alternatives, case: Case, states: SuiteStates | None) -> bool:
    """Whether one of the alternatives holds for a case."""
    return any(all(term.of_case(case, states) for term in terms) for terms in alternatives)


def spelled(alternatives: Iterable[Iterable[Term]]) -> str:
    """The alternatives as a person writes them; empty for none."""
    return " ".join(
        ",".join(f"{term.method}:{term.pattern}" for term in terms) for terms in alternatives
    )


def asks(alternatives: Alternatives, method: str) -> bool:
    """Whether a method stands anywhere in the alternatives."""
    return any(term.method == method for terms in alternatives for term in terms)


def _any(values: Iterable[str], pattern: str) -> bool:
    return any(fnmatchcase(value, pattern) for value in values)


def _leads_to(pattern: str, path: str) -> bool:
    """Whether a path is meant, or lies in a folder that is.

    >>> _leads_to("prompts/support/", "prompts/support/answer.prompty")
    True
    """
    shown = PurePosixPath(path)
    wanted = pattern.removeprefix("./").rstrip("/")
    return _any(map(str, (shown, *shown.parents)), wanted)


def _term(term: str, text: str) -> Term:
    method, colon, pattern = term.partition(":")
    if not colon:
        method, pattern = "case", term
    if method not in METHODS:
        raise NotFound(
            f"`{text}` selects by `{method}`, which is not known",
            hint="known: "
            + ", ".join(f"`{name}:`" for name in METHODS)
            + "; for an id that holds a colon write `case:ID`",
        )
    if not pattern:
        raise UsageError(
            f"`{text}` holds an empty term", hint="a comma stands between two terms: `tag:a,tag:b`"
        )
    METHODS[method](pattern)
    return Term(method, pattern)


def _anything(_: str) -> None:
    """Every glob is one."""


def _known_state(pattern: str) -> None:
    if pattern not in STATES:
        raise NotFound.among("state", pattern, STATES)


METHODS: Mapping[str, Callable[[str], None]] = {
    "case": _anything,
    "tag": _anything,
    "suite": _anything,
    "path": _anything,
    "state": _known_state,
}
"""What checks the pattern of each method."""
