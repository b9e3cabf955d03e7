"""`llmops eval plan`: which cases would run, and why, without calling a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.project.planning import EvaluationPlan

Select = Annotated[
    str | None,
    typer.Option(
        metavar="EXPR",
        help="What to run: `case:GLOB`, `tag:GLOB`, `suite:GLOB`, `path:GLOB`, `state:modified`, "
        "`state:new`; a comma means and, white space or.",
    ),
]
Exclude = Annotated[
    str | None,
    typer.Option(metavar="EXPR", help="What not to run of that, in the same words."),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Run share I of N, by the cases' ids."),
]
SampleOption = Annotated[
    int | None,
    typer.Option(
        "--sample", min=1, metavar="N", help="Run N cases of each suite, drawn by a seed."
    ),
]
Seed = Annotated[int, typer.Option(help="Of the sample.")]


def plan(
    suites: Annotated[
        list[str] | None, typer.Argument(metavar="[SUITE]...", help="Left out, all suites.")
    ] = None,
    select: Select = None,
    exclude: Exclude = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="REV", help="The git revision that `state:` is about."),
    ] = None,
    shard: ShardOption = None,
    sample: SampleOption = None,
    seed: Seed = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The first N of the selected cases.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The model that would answer instead of the suites'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which suites and how many of their cases would run, and why.

    No model is called. With `--base` each suite's line says what differs from
    that revision; `--select state:modified` takes the cases that do.
    """
    from llmops.evals.selection import Selection
    from llmops.project import load_project
    from llmops.project.planning import plan_suites

    selection = Selection.parse(select, exclude, sample=sample, seed=seed, limit=limit, shard=shard)
    found = plan_suites(load_project(), suites or [], selection, base=base, model=model)
    if as_json:
        emit_json(found.to_json())
        return
    _show(found)


def _show(found: EvaluationPlan) -> None:
    header = ["SUITE", "RUN", "OF"]
    rows = [[each.suite.name, f"{each.cases:,}", f"{each.total:,}"] for each in found.suites]
    if found.base is not None:
        header += ["TOUCHED", "WHY"]
        for row, each in zip(rows, found.suites, strict=True):
            row += [f"{each.touched or 0:,}", "; ".join(each.reasons) or "-"]
    emit_table(header, rows)
    if found.removed:
        say(f"only {found.base} has, and nothing judges any more: {', '.join(found.removed)}")
    say(found.sentence)
