"""A comparison written as JSON and read back says the same, and its schema describes it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from llmops.core.chat import Usage
from llmops.core.errors import ExitCode
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.render.comparison_json import (
    COMPARISON_SCHEMA,
    comparison_of,
    comparison_record,
    read_comparison,
    write_comparison,
)
from llmops.evals.results import (
    CaseChange,
    CaseResult,
    Change,
    Comparison,
    Coverage,
    Decision,
    Effort,
    Estimate,
    GateLine,
    MetricComparison,
    Turn,
)

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAME = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
COUNT = st.integers(0, 10**6)
FINITE = st.floats(-1e9, 1e9)
ESTIMATE = st.builds(Estimate, value=FINITE, low=st.none() | FINITE, high=st.none() | FINITE)
METRIC = st.builds(
    MetricComparison,
    check=NAME,
    aggregate=st.sampled_from(["mean", "pass_rate"]),
    unit=TEXT,
    higher_is_better=st.booleans(),
    slice=st.none() | TEXT,
    gates=st.booleans(),
    base=st.none() | ESTIMATE,
    head=st.none() | ESTIMATE,
    difference=st.none() | ESTIMATE,
    margin=FINITE,
    method=TEXT,
    p_value=st.none() | st.floats(0, 1),
    p_adjusted=st.none() | st.floats(0, 1),
    verdict=st.sampled_from(Change),
    reason=TEXT,
    pairs=COUNT,
    unjudged=COUNT,
    newly_failing=COUNT,
    newly_passing=COUNT,
    flaky=COUNT,
    needed=st.none() | COUNT,
)
EFFORT = st.builds(
    Effort, name=NAME, unit=TEXT, base=ESTIMATE, head=ESTIMATE, difference=ESTIMATE, pairs=COUNT
)
RESULT = st.builds(
    CaseResult,
    case=st.just("c"),
    repeat=st.integers(0, 5),
    inputs=st.dictionaries(NAME, TEXT, max_size=2),
    expected=st.none() | TEXT,
    output=TEXT,
    verdicts=st.just((Verdict(check="right", outcome=Outcome.FAILED, score=Score(value=0.0)),)),
    latency=st.none() | st.floats(0, 100),
    usage=st.builds(Usage, input_tokens=COUNT, output_tokens=COUNT),
)
CHANGE = st.builds(
    CaseChange,
    case=st.just("c"),
    turn=st.sampled_from(Turn),
    checks=st.lists(NAME, max_size=2).map(tuple),
    base=st.lists(RESULT, max_size=2).map(tuple),
    head=st.lists(RESULT, max_size=2).map(tuple),
)
DECISION = st.builds(
    Decision,
    outcome=st.sampled_from(["passed", "failed", "inconclusive"]),
    exit_code=st.sampled_from([ExitCode.PASSED, ExitCode.FAILED, ExitCode.INCONCLUSIVE]),
    reason=TEXT,
    lines=st.lists(
        st.builds(
            GateLine,
            check=NAME,
            aggregate=st.just("drop"),
            rule=TEXT,
            value=st.none() | FINITE,
            outcome=st.sampled_from(["passed", "failed", "inconclusive"]),
            reason=TEXT,
        ),
        max_size=2,
    ).map(tuple),
)


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[Comparison, tuple[CaseChange, ...]]:
    changes = tuple(draw(st.lists(CHANGE, max_size=3)))
    return (
        Comparison(
            base=draw(TEXT),
            head=draw(TEXT),
            confidence=draw(st.floats(0.5, 0.9999)),
            coverage=draw(
                st.builds(
                    Coverage,
                    pairs=COUNT,
                    only_base=COUNT,
                    only_head=COUNT,
                    untouched=COUNT,
                    total=st.none() | COUNT,
                    examples=st.lists(TEXT, max_size=3).map(tuple),
                )
            ),
            metrics=tuple(draw(st.lists(METRIC, max_size=3))),
            effort=tuple(draw(st.lists(EFFORT, max_size=2))),
            turns={turn: draw(COUNT) for turn in Turn},
            decision=draw(DECISION),
            same_subject=draw(st.booleans()),
            notes=tuple(draw(st.lists(TEXT, max_size=2))),
            changes=lambda: iter(changes),
        ),
        changes,
    )


@settings(max_examples=60, deadline=None)
@given(comparisons())
def test_what_is_read_back_is_what_was_written(
    made: tuple[Comparison, tuple[CaseChange, ...]],
) -> None:
    comparison, changes = made
    record = comparison_record(comparison)
    Draft202012Validator(COMPARISON_SCHEMA).validate(record)
    back = comparison_of(record)
    assert tuple(back.changes()) == changes
    for name in (
        "base", "head", "confidence", "coverage", "metrics", "effort", "turns", "decision",
        "same_subject", "notes",
    ):  # fmt: skip
        assert getattr(back, name) == getattr(comparison, name), name
    assert comparison_record(back) == record


@settings(max_examples=5, deadline=None)
@given(made=comparisons())
def test_a_file_holds_the_record_and_no_more_cases_than_asked_for(
    tmp_path_factory: object, made: tuple[Comparison, tuple[CaseChange, ...]]
) -> None:
    comparison, changes = made
    path: Path = tmp_path_factory.mktemp("c") / "c.json"  # type: ignore[attr-defined]
    write_comparison(comparison, path, most=1)
    assert tuple(read_comparison(path).changes()) == changes[:1]
