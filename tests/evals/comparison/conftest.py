"""Sides to compare, made from what each case did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from llmops.core.chat import Usage
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.comparison.sides import Side, SideCheck
from llmops.evals.results import CaseResult

RULED = SideCheck(name="right", scorer="exact_match", version="1", rule="== 1")


def verdict(check: str, value: float | bool | None) -> Verdict:
    if value is None:
        return Verdict(check=check, outcome=Outcome.ERROR, score=Score.unscored("it broke"))
    failed = value is False
    return Verdict(
        check=check,
        outcome=Outcome.FAILED if failed else Outcome.PASSED,
        score=Score(value=float(value)),
    )


@pytest.fixture
def side() -> Callable[..., Side]:
    """Makes a side from `{case: {check: value a repeat}}`.

    A truth value is a pass or a failure, a number a score, `None` what was not
    judged; a value alone stands for one repeat.
    """

    def make(
        cases: Mapping[str, Mapping[str, Any]],
        *,
        checks: Sequence[SideCheck] = (RULED,),
        label: str = "side",
        repeats: int | None = None,
        slices: Mapping[str, Mapping[str, str]] | None = None,
        **more: Any,
    ) -> Side:
        def results() -> Iterator[CaseResult]:
            for case, of_checks in cases.items():
                rows = {
                    name: list(values) if isinstance(values, (list, tuple)) else [values]
                    for name, values in of_checks.items()
                }
                for repeat in range(max(map(len, rows.values()))):
                    yield CaseResult(
                        case=case,
                        repeat=repeat,
                        output="an answer",
                        slices=(slices or {}).get(case, {}),
                        verdicts=tuple(
                            verdict(name, values[repeat])
                            for name, values in rows.items()
                            if repeat < len(values)
                        ),
                        latency=0.5,
                        usage=Usage(input_tokens=100, output_tokens=10),
                    )

        first: Any = next(iter(cases.values()), {"right": True})
        first = next(iter(first.values()))
        counted = len(first) if isinstance(first, (list, tuple)) else 1
        return Side(
            label=label,
            kind="llmops",
            checks=tuple(checks),
            results=results,
            repeats=repeats or counted,
            **more,
        )

    return make
