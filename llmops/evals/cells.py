"""What decides on the result of one case, as a short digest.

A cell is a case of a suite. Two revisions ask the same of a cell if what they
say to the model is the same, byte for byte, and if the scorers are shown the
same beside the answer. Nothing is called for it: the prompt is rendered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any

from llmops.core.errors import UsageError
from llmops.evals.cases import Case
from llmops.evals.subject import PromptQuestions

_COUNTED = tuple(each.name for each in fields(Case) if each.name not in ("id", "line"))


@dataclass(frozen=True, slots=True)
class Cell:
    """The digests of one case."""

    row: bytes
    """Of all that its dataset says of it, but not where it stands there."""
    messages: bytes | None
    """Of what the model is shown; `None` if the prompt cannot be rendered with it."""


def cells(questions: PromptQuestions, cases: Iterable[Case]) -> Iterator[tuple[str, Cell]]:
    """The cell of every case, with the case's id."""
    for case in cases:
        row = _digest([getattr(case, name) for name in _COUNTED])
        yield case.id, Cell(row, _messages(questions, case))


def _messages(questions: PromptQuestions, case: Case) -> bytes | None:
    try:
        said = questions.messages(case.inputs)
    except UsageError:
        return None
    return _digest([[message.role, message.content] for message in said])


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def _digest(value: Any) -> bytes:
    # The order of keys counts, since a template may print them.
    return blake2b(_encode(value).encode("utf-8", "surrogatepass"), digest_size=16).digest()
