"""What imported prompts and their inputs are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from llmops.core.errors import UsageError
from llmops.prompts.declarations import RESERVED
from llmops.prompts.exchange.values import Draft
from llmops.prompts.refs import NAME_RULE, is_name

LONGEST = 60
"""Characters of a made name; labels may be whole prompts."""

_LONGEST_PART = 200

_INPUT = re.compile("[A-Za-z][A-Za-z0-9_]*")
_TAKEN = RESERVED | {"examples"}
"""Names that mean something else in a template."""


def slug(text: str) -> str:
    """A name made of `text`; empty if nothing of it can stand in a name.

    >>> slug("Text Summarizer (v2)"), slug("support/answer"), slug("Café!"), slug("摘要")
    ('text-summarizer-v2', 'support/answer', 'cafe', '')
    """
    if _can_be_a_path(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip(".-_")[:LONGEST].rstrip(".-_")


def name_drafts(drafts: Sequence[Draft], into: str | None) -> list[str]:
    """The name of each draft: its own, below the folder `into`, or `into` itself.

    `into` is the name of a prompt that comes alone, unless it ends with `/`;
    else it is a folder. Raises `UsageError` for one that cannot name a prompt,
    and for two drafts of one name.
    """
    folder = f"{into.rstrip('/')}/" if into else ""
    if into is not None and not _can_be_a_path(into.rstrip("/")):
        raise UsageError(f"`{into}` cannot name a prompt", hint=f"names are {NAME_RULE}")
    if into and not into.endswith("/") and len(drafts) == 1:
        return [into]
    names: dict[str, Draft] = {}
    for number, draft in enumerate(drafts, 1):
        made = next(filter(None, map(slug, draft.names)), f"prompt-{number}")
        name = folder + made
        if twin := names.get(name):
            raise UsageError(
                f"{twin.origin} and {draft.origin} would both be named `{name}`",
                hint="give each a label or a file of its own",
            )
        names[name] = draft
    return list(names)


def name_inputs(sources: Iterable[str]) -> dict[str, str]:
    """A valid name for each variable of a source; those that are valid stay as they are.

    >>> name_inputs(["user-name", "user_name", "if"])
    {'user_name': 'user_name', 'user-name': 'user_name_2', 'if': 'if_'}
    """
    wanted = list(dict.fromkeys(sources))
    named = {source: source for source in wanted if can_name_an_input(source)}
    taken = set(named.values())
    for source in wanted:
        if source not in named:
            named[source] = _free(_input_name(source), taken)
            taken.add(named[source])
    return named


def can_name_an_input(text: str) -> bool:
    """Whether a template can call an input so."""
    return _INPUT.fullmatch(text) is not None and text not in _TAKEN


def renaming_notes(named: dict[str, str]) -> list[str]:
    """What to tell about variables that had to be renamed."""
    return [
        f"the variable `{source}` is the input `{name}` here"
        for source, name in named.items()
        if source != name
    ]


def _can_be_a_path(name: str) -> bool:
    # File systems take 255 bytes, and a file's suffix and temporary name need some.
    return is_name(name) and all(len(part) <= _LONGEST_PART for part in name.split("/"))


def _input_name(source: str) -> str:
    made = re.sub("[^A-Za-z0-9_]+", "_", source).strip("_")
    if not made[:1].isalpha():
        made = f"input_{made}" if made else "input"
    return f"{made}_" if made in _TAKEN else made


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
