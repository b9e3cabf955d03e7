"""`llmops eval bless`: a run becomes the baseline that later runs are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit_json, say


def bless(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    why: Annotated[str, typer.Option(help="Why this run is the measure from now on.")],
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Left out: evals/baselines/SUITE.json."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also a run that did not pass, or is not whole.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Make a run the baseline of its suite: a file to commit, and to name with --base."""
    from llmops.core.errors import UsageError
    from llmops.core.files import relative
    from llmops.evals.blessing import bless as bless_report
    from llmops.evals.report import load_report
    from llmops.project import load_project
    from llmops.prompts.git import Git

    report = load_report(run)
    project = load_project()
    path = to or project.folder("evals") / "baselines" / f"{report.summary.suite}.json"
    try:
        who: str | None = Git.of(project.root).identity()
    except UsageError:  # outside of git, or git was not told who is at work
        who = None
    bless_report(report, path, why=why, who=who, force=force)
    shown = relative(path, Path.cwd())
    if json:
        emit_json({"file": shown, "suite": report.summary.suite, "run": report.summary.run})
    else:
        say(f"blessed {report.summary.run} as {shown}; commit it, and compare: --base {shown}")
