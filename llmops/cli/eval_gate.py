"""`llmops eval gate`: the same comparison for results of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.eval_compare import show_comparison


def gate(
    base: Annotated[
        Path,
        typer.Argument(
            metavar="BASE",
            help="Results of promptfoo, Inspect, DeepEval, lm-evaluation-harness (samples), MLflow "
            "or llmops; or a table (CSV, JSON Lines) with `id` and `score`.",
        ),
    ],
    head: Annotated[Path, typer.Argument(metavar="HEAD", help="The results to judge, as BASE.")],
    margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="What may be lost. Left out: 0.02 of a rate or ratio, else 5 % of BASE's mean.",
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.9999, help="Of the intervals. Left out: 0.95."),
    ] = None,
    check: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A check that gates; may be repeated. Left out: all that can fail a case.",
        ),
    ] = None,
    lower: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A check of which less is better; may be repeated."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="TOOL",
            help="promptfoo, inspect, deepeval, lm-eval, mlflow, table or llmops. "
            "Left out: by what the files hold.",
        ),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Of promptfoo: the provider, the prompt or both. Given twice: of BASE, of HEAD.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the comparison as JSON instead.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the comparison as Markdown, too.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as one HTML page, too.")
    ] = None,
) -> None:
    """Judge a change by the results of whatever tool you use: better, the same, worse, or open.

    Cases are paired by their ids. 0 no more is lost than allowed, 1 a
    regression, 2 the two cannot be compared, 3 inconclusive (too few cases, or
    too few of them judged).
    """
    from llmops.core.errors import UsageError
    from llmops.core.files import check_writable
    from llmops.evals.comparison.compare import compare
    from llmops.evals.foreign.asking import rules_for, with_less_is_better
    from llmops.evals.foreign.detecting import Kind
    from llmops.evals.foreign.opening import open_side, rules_of

    for path in filter(None, (markdown, html)):
        check_writable(path)
    kind = Kind.parse(format_) if format_ else None
    subjects: list[str | None] = [*subject] if subject else [None]
    if len(subjects) > 2:
        raise UsageError("`--subject` is given once for both sides, or twice")
    before = open_side(base, format=kind, subject=subjects[0])
    after = open_side(head, format=kind, subject=subjects[-1])
    before, after = (with_less_is_better(each, lower or ()) for each in (before, after))
    rules = rules_for(
        before,
        after,
        given=rules_of(head),
        checks=check or (),
        margin=margin,
        confidence=confidence,
    )
    words = ["llmops", "eval", "gate", str(base), str(head)]
    for option, values in (
        ("--margin", [] if margin is None else [f"{margin:g}"]),
        ("--confidence", [] if confidence is None else [f"{confidence:g}"]),
        ("--check", check or []),
        ("--lower", lower or []),
        ("--format", [format_] if format_ else []),
        ("--subject", subject or []),
    ):
        for value in values:
            words += [option, value]
    comparison = compare(before, after, rules)
    show_comparison(comparison, words, json=json, markdown=markdown, html=html)
