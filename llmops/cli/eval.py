"""`llmops eval`: list and run evaluation suites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit_json, emit_table, printing, say

app = typer.Typer(help="List and run evaluation suites.", no_args_is_help=True)


@app.command("list")
def list_(
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the project's suites."""
    from llmops.project import load_project

    suites = [(suite.name, suite.load()) for suite in load_project().suites()]
    if json:
        emit_json(
            [
                {
                    "name": name,
                    "description": suite.description,
                    "tags": list(suite.tags),
                    "prompt": suite.subject.prompt,
                    "model": suite.subject.model,
                    "checks": [check.name for check in suite.checks],
                }
                for name, suite in suites
            ]
        )
    elif suites:
        rows = [[name, suite.subject.prompt, _short(suite.description)] for name, suite in suites]
        emit_table(["SUITE", "PROMPT", "DESCRIPTION"], rows)
    else:
        say("there is no suite yet; a suite is a YAML file in the evals folder")


@app.command("run")
def run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name or file.")],
    model: Annotated[
        str | None,
        typer.Option(help="A model of llmops.toml or a LiteLLM name, instead of the suite's."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Run the first N of the selected cases.")
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR", help="Cases to run: `case:GLOB`, `tag:GLOB`; a comma means and."
        ),
    ] = None,
    repeat: Annotated[
        int | None, typer.Option(min=1, help="Ask the model N times for every case.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Go on with an interrupted run in its folder."),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Call the model even where the answer is known.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run. Left out: one under .llmops/runs."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as JSON.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as JUnit XML.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as Markdown.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as one HTML page.")
    ] = None,
) -> None:
    """Run a suite, write its report, and exit with the gate's verdict.

    0 passed, 1 failed, 2 the suite or the call makes no sense, 3 inconclusive.
    """
    from llmops.cli.progress import showing_progress
    from llmops.evals.render import terminal, write_each
    from llmops.project import load_project, run_sync

    if resume is not None and output is not None:
        raise typer.BadParameter("--resume names the folder of the run; leave --output out")
    wanted = {
        format_: path
        for format_, path in (
            ("json", json),
            ("junit", junit),
            ("markdown", markdown),
            ("html", html),
        )
        if path is not None
    }
    _refuse_lost_reports(wanted)
    chosen = load_project().suite(suite)
    with showing_progress(chosen.name) as progress:
        report = run_sync(
            chosen.run(
                model=model,
                limit=limit,
                select=select,
                repeat=repeat,
                resume=resume,
                use_cache=not no_cache,
                output=output,
                progress=progress,
            )
        )
    write_each(report, wanted)
    with printing():
        terminal.print_summary(report, folder=_shown(report.folder))
    raise typer.Exit(report.summary.decision.exit_code)


def _short(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= 60 else first[:59] + "…"


def _refuse_lost_reports(wanted: dict[str, Path]) -> None:
    """Raise before the run for a report that could not be kept after it."""
    from llmops.core.files import check_writable

    seen: dict[Path, str] = {}
    for format_, path in wanted.items():
        check_writable(path)
        other = seen.setdefault(path.resolve(), format_)
        if other != format_:
            raise typer.BadParameter(f"--{other} and --{format_} name one file: {path}")


def _shown(folder: Path | None) -> Path | None:
    """The folder as a person in the current folder would write it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder and folder.is_relative_to(here) else folder
