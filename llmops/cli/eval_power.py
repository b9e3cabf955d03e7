"""`llmops eval power`: what a suite can see, and what more cases would buy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from llmops.evals.power import Buys, MetricPower


def power(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name or file.")],
    margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="What may be lost of a rate or ratio. Left out: what the suite says, else 0.02.",
        ),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="How often a case would be asked. Left out: as in the run."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A run's folder or report.json instead of the newest."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say which drop a suite would notice, and what more cases or repeats would buy.

    How much answers vary is taken from the suite's newest run with repeats, else
    from its newest run and two assumptions. Calls no model.
    """
    from dataclasses import asdict, replace

    from llmops.evals.opening import open_run
    from llmops.evals.power import suite_power
    from llmops.project import load_project
    from llmops.project.evidence import newest_run

    project = load_project()
    chosen = project.suite(suite)
    rules = chosen.load().gate.comparison
    if margin is not None:
        margins = tuple(replace(each, margin=margin, relative=False) for each in rules.margins)
        rules = replace(rules, margins=margins, default_margin=margin)
    path = report or newest_run(project.folder("state") / "runs", chosen.name)
    found = suite_power(open_run(path).report, rules, repeats=repeats)
    if json:
        emit_json(asdict(found))
        return
    emit(
        f"{found.suite}: {found.cases:,} cases, {_times(found.repeats)}; "
        f"from run {found.run}, at {found.confidence * 100:.4g} % confidence and 80 % power"
    )
    for metric in found.metrics:
        emit("")
        _show(metric)


def _show(metric: MetricPower) -> None:
    aggregate = metric.aggregate.replace("_", " ")
    emit(f"{metric.check} {aggregate}: {_varies(metric)}")
    now = metric.now
    seen = (
        "no drop at all" if now.drop is None else f"a drop of {_amount(now.drop, metric)} or more"
    )
    emit(f"  notices {seen} as more than the {_amount(metric.margin, metric)} allowed")
    emit(f"  if nothing changes, shows that no more than {_amount(now.margin, metric)} is lost")
    if metric.needed is None:
        emit(f"  no number of cases shows that {_amount(metric.margin, metric)} is kept")
    else:
        emit(f"  {metric.needed:,} cases show that {_amount(metric.margin, metric)} is kept")
    emit("")
    times = list(dict.fromkeys(each.repeats for each in metric.table))
    rows = []
    for cases in dict.fromkeys(each.cases for each in metric.table):
        of_cases = [each for each in metric.table if each.cases == cases]
        rows.append([f"{cases:,}", *(_cell(each, metric) for each in of_cases)])
    emit_table(["  CASES", *(f"NOTICED/KEPT, {_times(each)}" for each in times)], _indented(rows))


def _indented(rows: list[list[str]]) -> list[list[str]]:
    return [[f"  {row[0]}", *row[1:]] for row in rows]


def _varies(metric: MetricPower) -> str:
    if metric.assumption == "observed":
        if metric.aggregate == "pass_rate":
            return f"{metric.flake * 100:.1f} % of cases come out otherwise when asked again"
        return f"two answers to a case are {_amount(metric.flake, metric)} apart on average"
    if metric.assumption == "worst":
        return "at worst, when every answer is drawn anew"
    return "typically, when one answer of fifty comes out otherwise"


def _cell(buys: Buys, metric: MetricPower) -> str:
    drop = "-" if buys.drop is None else _amount(buys.drop, metric)
    return f"{drop} / {_amount(buys.margin, metric)}"


def _amount(value: float, metric: MetricPower) -> str:
    if metric.aggregate == "pass_rate":
        return f"{value * 100:.1f} points"
    return f"{value:.3g} {metric.unit}".rstrip()


def _times(repeats: int) -> str:
    return "asked once" if repeats == 1 else f"asked {repeats} times"
