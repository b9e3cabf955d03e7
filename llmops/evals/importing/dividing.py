"""What of the tests' assertions is a check of the suite, and what stands with each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.evals.importing.values import Assertion

_NOTHING = {"scorer": "length", "pass": ">= 0"}
"""What a test asserts that asserts no more than all others do; it always holds."""


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test with what all tests share."""

    id: str
    variables: Mapping[str, Any]
    assertions: tuple[Assertion, ...]
    threshold: float | None


def divided(tests: Sequence[Test]) -> tuple[list[Mapping[str, Any]], list[Any]]:
    """The checks of the suite, and what each test expects besides what all assert."""
    if any(test.threshold is not None for test in tests):
        return [{"scorer": "assertions"}], [
            {"all": [each.record() for each in test.assertions]}
            | ({} if test.threshold is None else {"threshold": test.threshold})
            for test in tests
        ]
    shared: list[Assertion] = []
    rest = [list(test.assertions) for test in tests]
    for each in tests[0].assertions:
        if all(each in others for others in rest):
            shared.append(each)
            for others in rest:
                others.remove(each)
    if not any(rest):
        return _sections(shared), [None for _ in rest]
    if alike := _text_each(rest):
        check, texts = alike
        return _sections([*shared, check]), texts
    return [*_sections(shared), {"scorer": "assertions"}], [
        [each.record() for each in others] or [_NOTHING] for others in rest
    ]


def _text_each(rest: Sequence[Sequence[Assertion]]) -> tuple[Assertion, list[Any]] | None:
    """One check for all, where each test asserts one text of its own and nothing else differs."""
    if any(len(others) != 1 or "text" not in others[0].options for others in rest):
        return None
    texts = [others[0].options["text"] for others in rest]
    without = [
        replace(one, options={key: each for key, each in one.options.items() if key != "text"})
        for (one,) in rest
    ]
    if any(each != without[0] for each in without):
        return None
    return without[0], texts


def _sections(assertions: Sequence[Assertion]) -> list[Mapping[str, Any]]:
    """The checks as a suite has them, each with a name of its own."""
    taken: dict[str, int] = {}
    sections: list[Mapping[str, Any]] = []
    for each in assertions:
        wanted = each.name or each.scorer
        taken[wanted] = taken.get(wanted, 0) + 1
        again = f"{wanted} {taken[wanted]}" if taken[wanted] > 1 else each.name
        sections.append(replace(each, name=again).section())
    return sections
