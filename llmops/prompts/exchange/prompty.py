"""A `.prompty` file from elsewhere: taken over as it is, if it is one that can be read here."""

from __future__ import annotations

from pathlib import Path

from llmops.core.errors import Where
from llmops.prompts.exchange.values import Draft
from llmops.prompts.prompt import SUFFIX, parse_prompt


def read_prompty(text: str, path: Path) -> Draft:
    """The file as a draft that is written as it stands; `DocumentError` if it is broken here."""
    name = path.name.removesuffix(SUFFIX)
    parse_prompt(text, path, name=name).check()
    return Draft(names=(name,), origin=f"`{path}`", where=Where(path, 1), turns=(), verbatim=text)
