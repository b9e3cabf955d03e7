"""Probes as the rows of a dataset: every template with every combination of its words.

A row's id says what it is made of: `reference/role=nurse/gender=woman`. So it
stays when templates, roles or values come or go beside it, wherever they stand
in the file. Rows that differ in attributes only are one counterfactual group.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.evals.probes.file import ProbeFile, TemplateSection
from llmops.evals.probes.templates import Forms, Template

MOST_CASES = 100_000
OWN_COLUMNS = ("id", "counterfactual", "expected", "tags", "template")
_Key = tuple[str, str]
"""Where a text of a template stands: under `inputs` or `expected`, and its name there."""

_NOT_IN_IDS = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """One of the words that may stand for a name."""

    label: str
    spelled: str
    """In ids."""
    words: Forms


def expanded(document: Parsed) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file of probes, each with the line of its template.

    Columns are `id`, `counterfactual`, `template`, `tags`, those of the
    template's `inputs`, `expected` where it has one, and the label of each
    attribute and of whatever varies. Raises `DocumentError` with the line for a
    file that is none, and for templates that could compare nothing: without an
    attribute, or the same text for two values.
    """
    return _Expansion(document, document.validate(ProbeFile)).rows()


class _Expansion:
    def __init__(self, document: Parsed, file: ProbeFile):
        self._document = document
        self._file = file
        self._choices = {
            name: self._choices_of(kind, name, values)
            for kind, named in (("attributes", file.attributes), ("vary", file.vary))
            for name, values in named.items()
        }

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """All rows, in the order of the templates."""
        file = self._file
        self._refuse_unclear_names()
        made = {name: self._parsed(name, section) for name, section in file.templates.items()}
        self._refuse_unused({each for _, names in made.values() for each in names})
        self._refuse_too_many([names for _, names in made.values()])
        for name, (texts, names) in made.items():
            line = self._document.where("templates", name).line or 1
            for row in self._of_template(name, file.templates[name], texts, names):
                yield line, row

    def _of_template(
        self,
        name: str,
        section: TemplateSection,
        texts: Mapping[_Key, Template],
        names: frozenset[str],
    ) -> Iterator[dict[str, Any]]:
        varied = sorted(names - self._file.attributes.keys())
        attributes = sorted(names & self._file.attributes.keys())
        for around in product(*(self._choices[each] for each in varied)):
            group = "/".join([_spelled(name), *_parts(varied, around)])
            seen: dict[tuple[str, ...], str] = {}
            for who in product(*(self._choices[each] for each in attributes)):
                chosen = dict(zip((*varied, *attributes), (*around, *who), strict=True))
                filled = self._filled(name, texts, chosen)
                id_ = "/".join([group, *_parts(attributes, who)])
                asked = tuple(text for keys, text in filled.items() if keys[0] == "inputs")
                if asked in seen:
                    raise DocumentError(
                        f"the template `{name}` reads the same in `{seen[asked]}` and `{id_}`",
                        hint="cases of two values have to differ, or there is nothing to compare",
                        where=self._document.where("templates", name),
                    )
                seen[asked] = id_
                yield {
                    "id": id_,
                    "counterfactual": group,
                    "template": name,
                    "tags": list(section.tags),
                    **{each: choice.label for each, choice in chosen.items()},
                    **{keys[1]: text for keys, text in filled.items() if keys[0] == "inputs"},
                    **_expected(section, filled),
                }

    def _filled(
        self, name: str, texts: Mapping[_Key, Template], chosen: Mapping[str, _Choice]
    ) -> dict[_Key, str]:
        words = {each: choice.words for each, choice in chosen.items()}
        filled = {}
        for keys, template in texts.items():
            try:
                filled[keys] = template.filled(words)
            except UsageError as error:
                labels = ", ".join(f"{each}={choice.label}" for each, choice in chosen.items())
                raise DocumentError(
                    f"{error.message} ({labels})",
                    hint=error.hint,
                    where=self._document.where("templates", name, *keys),
                ) from None
        return filled

    def _parsed(
        self, name: str, section: TemplateSection
    ) -> tuple[dict[_Key, Template], frozenset[str]]:
        """The texts of a template by where they stand, and the names that they use."""
        expected = section.expected
        several = (expected,) if isinstance(expected, str) else expected or ()
        written = {("inputs", column): text for column, text in section.inputs.items()}
        written |= {("expected", str(index)): text for index, text in enumerate(several)}
        texts = {}
        for keys, text in written.items():
            where = self._document.where("templates", name, *keys)
            try:
                texts[keys] = Template.parse(text)
            except UsageError as error:
                raise DocumentError(error.message, hint=error.hint, where=where) from None
            for used in sorted(texts[keys].names):
                if used not in self._choices:
                    raise NotFound.among("placeholder", used, self._choices, where=where)
        asked = frozenset[str]().union(
            *(each.names for keys, each in texts.items() if keys[0] == "inputs")
        )
        if not asked & self._file.attributes.keys():
            raise DocumentError(
                f"the template `{name}` uses no attribute, so its cases have no counterpart",
                hint="use one: " + ", ".join(f"`{{{each}…}}`" for each in self._file.attributes),
                where=self._document.where("templates", name),
            )
        return texts, asked.union(*(each.names for each in texts.values()))

    def _choices_of(self, kind: str, name: str, values: Mapping[str, Any]) -> tuple[_Choice, ...]:
        choices = []
        for label, words in values.items():
            if not isinstance(words, tuple):
                choices.append(_Choice(label=label, spelled=_spelled(label), words=words))
                continue
            for each in words:
                first = each if isinstance(each, str) else next(iter(each.values()))
                spelled = f"{_spelled(label)}+{_spelled(first)}"
                choices.append(_Choice(label=label, spelled=spelled, words=each))
        spelled_alike = {each.spelled for each in choices}
        if len(spelled_alike) < len(choices) or "" in spelled_alike:
            raise DocumentError(
                f"the values of `{name}` cannot be told apart in ids",
                hint="give each a label with letters or digits of its own",
                where=self._document.where(kind, name),
            )
        return tuple(choices)

    def _refuse_unclear_names(self) -> None:
        """Raise where two things would be one column or have one id."""
        columns = {each for section in self._file.templates.values() for each in section.inputs}
        for kind, named in (("attributes", self._file.attributes), ("vary", self._file.vary)):
            for name in named:
                if name in OWN_COLUMNS or name in columns:
                    taken = "an input" if name in columns else "a column of every probe"
                    raise DocumentError(
                        f"`{name}` is the name of {taken} too",
                        hint="give it another name",
                        where=self._document.where(kind, name),
                    )
        spelled = [_spelled(name) for name in self._file.templates]
        if len(set(spelled)) < len(spelled) or "" in spelled:
            raise DocumentError(
                "the templates cannot be told apart in ids",
                hint="give each a name with letters or digits of its own",
                where=self._document.where("templates"),
            )
        for name in self._file.attributes.keys() & self._file.vary.keys():
            raise DocumentError(
                f"`{name}` is an attribute, and varies besides",
                where=self._document.where("vary", name),
            )
        for name, section in self._file.templates.items():
            for column in section.inputs:
                if column in OWN_COLUMNS:
                    raise DocumentError(
                        f"`{column}` is a column of every probe, and no input",
                        where=self._document.where("templates", name, "inputs", column),
                    )

    def _refuse_unused(self, used: set[str]) -> None:
        for kind, named in (("attributes", self._file.attributes), ("vary", self._file.vary)):
            for name in named:
                if name not in used:
                    raise DocumentError(
                        f"no template uses `{{{name}}}`",
                        hint="use it, or leave it out",
                        where=self._document.where(kind, name),
                    )

    def _refuse_too_many(self, of_templates: Sequence[frozenset[str]]) -> None:
        count = sum(math.prod(len(self._choices[name]) for name in names) for names in of_templates)
        if count > MOST_CASES:
            raise DocumentError(
                f"these are {count:,} cases, more than {MOST_CASES:,}",
                hint="leave out some of what varies",
                where=self._document.where("templates"),
            )


def _expected(section: TemplateSection, filled: Mapping[_Key, str]) -> dict[str, Any]:
    if section.expected is None:
        return {}
    found = [text for keys, text in filled.items() if keys[0] == "expected"]
    return {"expected": found[0] if isinstance(section.expected, str) else found}


def _parts(names: Sequence[str], choices: Sequence[_Choice]) -> list[str]:
    return [f"{name}={each.spelled}" for name, each in zip(names, choices, strict=True)]


def _spelled(label: str) -> str:
    """A label as ids have it: words, points and hyphens.

    >>> _spelled("software engineer (m/f)")
    'software-engineer-m-f'
    """
    return _NOT_IN_IDS.sub("-", label).strip("-")
