"""A comparison as a real one leaves it: a regression, a gain, open verdicts, cases that turned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import ExitCode
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.results import (
    CaseChange,
    CaseResult,
    Change,
    Comparison,
    Coverage,
    Decision,
    Effort,
    Estimate,
    MetricComparison,
    Turn,
)

METRICS = (
    MetricComparison(
        check="f1",
        aggregate="mean",
        base=Estimate(value=0.569, low=0.519, high=0.618),
        head=Estimate(value=0.571, low=0.521, high=0.62),
        difference=Estimate(value=0.002, low=-0.011, high=0.015),
        margin=0.02,
        method="paired bootstrap (BCa), 2,000 resamples",
        p_value=0.77,
        p_adjusted=0.77,
        verdict=Change.SAME,
        reason="at 95 % confidence no more than 0.011 is lost",
        pairs=116,
    ),
    MetricComparison(
        check="exact_match",
        aggregate="pass_rate",
        base=Estimate(value=0.612, low=0.52, high=0.697),
        head=Estimate(value=0.491, low=0.402, high=0.581),
        difference=Estimate(value=-0.121, low=-0.187, high=-0.054),
        margin=0.02,
        method="exact McNemar",
        p_value=0.0004,
        p_adjusted=0.0012,
        verdict=Change.REGRESSION,
        reason="17 cases fail now that passed, 3 the other way round",
        pairs=116,
        unjudged=4,
        newly_failing=17,
        newly_passing=3,
        flaky=2,
    ),
    MetricComparison(
        check="groundedness",
        aggregate="mean",
        base=Estimate(value=0.737, low=0.69, high=0.78),
        head=Estimate(value=0.72, low=0.67, high=0.76),
        difference=Estimate(value=-0.017, low=-0.048, high=0.014),
        margin=0.02,
        method="sign-flip permutation, 10,000 draws",
        p_value=0.29,
        p_adjusted=0.58,
        verdict=Change.INCONCLUSIVE,
        reason="between -0.048 and +0.014: 380 cases would tell",
        pairs=110,
        needed=380,
    ),
    MetricComparison(
        check="exact_match",
        aggregate="pass_rate",
        slice="language=de",
        gates=False,
        base=Estimate(value=0.5, low=0.3, high=0.7),
        head=Estimate(value=0.55, low=0.35, high=0.74),
        difference=Estimate(value=0.05, low=-0.1, high=0.2),
        margin=0.02,
        method="exact McNemar",
        p_value=0.6,
        verdict=Change.INCONCLUSIVE,
        pairs=24,
    ),
    MetricComparison(
        check="latency",
        aggregate="mean",
        unit="s",
        higher_is_better=False,
        gates=False,
        base=Estimate(value=0.805, low=0.762, high=0.848),
        head=Estimate(value=0.701, low=0.66, high=0.74),
        difference=Estimate(value=-0.104, low=-0.13, high=-0.08),
        margin=0.04,
        method="paired bootstrap (BCa), 2,000 resamples",
        p_value=0.0001,
        verdict=Change.BETTER,
        pairs=116,
    ),
)

EFFORT = (
    Effort(
        name="input tokens",
        unit="tokens",
        base=Estimate(value=186.0, low=180.0, high=192.0),
        head=Estimate(value=231.0, low=225.0, high=237.0),
        difference=Estimate(value=45.0, low=45.0, high=45.0),
        pairs=116,
    ),
    Effort(
        name="output tokens",
        unit="tokens",
        base=Estimate(value=24.0, low=22.0, high=26.0),
        head=Estimate(value=23.1, low=21.0, high=25.0),
        difference=Estimate(value=-0.9, low=-2.6, high=0.8),
        pairs=116,
    ),
    Effort(
        name="latency",
        unit="s",
        base=Estimate(value=0.805, low=0.762, high=0.848),
        head=Estimate(value=0.701, low=0.66, high=0.74),
        difference=Estimate(value=-0.104, low=-0.13, high=-0.08),
        pairs=116,
    ),
    Effort(
        name="cost",
        unit="",
        base=Estimate(value=0.000213, low=0.0002, high=0.00022),
        head=Estimate(value=0.00026, low=0.00025, high=0.00027),
        difference=Estimate(value=0.000047, low=0.00004, high=0.000055),
        pairs=116,
    ),
)

QUESTIONS = (
    (
        "How many points did the Panthers defense surrender?",
        "308",
        "The Panthers defense gave up just 308 points, which was the sixth-best in the league.",
        "The Panthers defense gave up about three hundred points, sixth-best in the league.",
    ),
    (
        "Wie viele Seen wurden untersucht?",
        "42",
        "Es wurden 42 Seen in Unterfranken untersucht. 👍",
        "Es wurden viele Seen in ganz Unterfranken untersucht.",
    ),
    ("南京的总面积是多少", "6587平方公里", "总面积为6587平方公里。", "🤖 南京很大。"),
    ("مَا هِيَ عَاصِمَةُ فَرَنْسَا؟", "باريس", "عاصمة فرنسا هي باريس.", "عاصمة فرنسا هي ليون."),
)


def answer(index: int, *, right: bool, repeat: int = 0, text: str | None = None) -> CaseResult:
    """One answer to a case; the same arguments give the same answer."""
    question, expected, good, bad = QUESTIONS[index % len(QUESTIONS)]
    outcome = Outcome.PASSED if right else Outcome.FAILED
    return CaseResult(
        case=f"xquad-{index:04d}",
        repeat=repeat,
        inputs={"question": question},
        expected=[expected],
        output=(good if right else bad) if text is None else text,
        verdicts=(
            Verdict(
                check="exact_match",
                outcome=outcome,
                score=Score(
                    value=float(right), rationale="" if right else f"`{expected}` is not in it"
                ),
            ),
        ),
        latency=0.7,
        usage=Usage(input_tokens=180, output_tokens=24),
    )


def change(index: int, turn: Turn, *, repeats: int = 3, **options: Any) -> CaseChange:
    """A case that turned so."""
    both = {
        Turn.NEWLY_FAILING: (True, False),
        Turn.NEWLY_PASSING: (False, True),
        Turn.FLAKY: (True, True),
        Turn.BROKEN: (True, True),
    }[turn]
    sides = [
        tuple(answer(index, right=right, repeat=each, **options) for each in range(repeats))
        for right in both
    ]
    if turn is Turn.FLAKY:
        sides[1] = (sides[1][0], answer(index, right=False, repeat=1), *sides[1][2:])
    if turn is Turn.BROKEN:
        sides[1] = (
            CaseResult(
                case=f"xquad-{index:04d}",
                inputs={"question": "?"},
                error="the server closed the connection after 3 attempts",
            ),
        )
    return CaseChange(
        case=f"xquad-{index:04d}", turn=turn, checks=("exact_match",), base=sides[0], head=sides[1]
    )


TURNS = {Turn.NEWLY_FAILING: 17, Turn.NEWLY_PASSING: 3, Turn.FLAKY: 2, Turn.BROKEN: 1}


def changes() -> Iterator[CaseChange]:
    """Every case that turned, newly failing first."""
    index = 0
    for turn, count in TURNS.items():
        for _ in range(count):
            yield change(index, turn)
            index += 1


def sample_comparison(**differs: Any) -> Comparison:
    """A comparison with a regression; `differs` replaces fields."""
    fields: dict[str, Any] = {
        "base": "main (1a2b3c4)",
        "head": "working tree",
        "confidence": 0.95,
        "coverage": Coverage(pairs=120, total=240),
        "metrics": METRICS,
        "effort": EFFORT,
        "turns": TURNS,
        "decision": Decision(
            outcome="failed",
            exit_code=ExitCode.FAILED,
            reason="the pass rate of `exact_match` falls by 12.1 points (95 %: 5.4 to 18.7)",
        ),
        "notes": ("the latency of answers from the cache is left out",),
        "changes": changes,
    }
    return Comparison(**{**fields, **differs})
