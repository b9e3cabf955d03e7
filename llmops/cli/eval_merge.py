"""`llmops eval merge`: the shards of one suite become one run, with one verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import printing


def merge(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="The folders of all shards' runs.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the merged run.")
    ],
) -> None:
    """Put the runs of a suite's shards together, and judge the whole.

    Refused are runs that were made from different things, and a whole with a
    case missing or doubled. Exits with the gate's verdict on all cases: 0
    passed, 1 failed, 2 the runs do not make one whole, 3 inconclusive.
    """
    from llmops.evals.merging import merge_runs
    from llmops.evals.render import terminal, write_reports

    report = merge_runs(runs, output)
    write_reports(report, output)
    with printing():
        terminal.print_summary(report, folder=output)
    raise typer.Exit(report.summary.decision.exit_code)
