"""`llmops eval run`: one suite, or all that a selection takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmops.cli.eval_plan import Exclude, SampleOption, Seed, Select, ShardOption
from llmops.cli.output import printing, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmops.evals.results import Report
    from llmops.evals.selection import Selection
    from llmops.project import ProjectSuite
    from llmops.project.suite import RunOptions


def run(
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="SUITE...", help="Suites by name or file; or say --select."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model of llmops.toml or a LiteLLM name, instead of the suite's."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REV|FILE",
            help="Compare with a git revision, run beside this one, or with a blessed report.",
        ),
    ] = None,
    select: Select = None,
    exclude: Exclude = None,
    shard: ShardOption = None,
    sample: SampleOption = None,
    seed: Seed = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Run the first N of the selected cases.")
    ] = None,
    repeat: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto",
            help="Ask the model N times for every case, or as often as the verdict takes.",
        ),
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
        typer.Option(
            metavar="DIR",
            help="Folder of the run; of several suites, one with a folder for each. Left out: "
            "under .llmops/runs.",
        ),
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
    """Run suites, write their reports, and exit with the gates' verdict.

    With --base every case is asked of both revisions, and the verdict says what
    became better or worse. 0 passed, 1 failed, 2 a suite or the call makes no
    sense, 3 inconclusive; of several suites the worst: failed before inconclusive.
    """
    from llmops.evals.render import write_each
    from llmops.evals.selection import Selection

    if resume is not None and output is not None:
        raise typer.BadParameter("--resume names the folder of the run; leave --output out")
    reports = {"json": json, "junit": junit, "markdown": markdown, "html": html}
    wanted = {format_: path for format_, path in reports.items() if path is not None}
    _refuse_lost_reports(wanted)
    selection = Selection.parse(select, exclude, sample=sample, seed=seed, limit=limit, shard=shard)
    options: RunOptions = {
        "model": model,
        "base": base,
        "repeat": _times(repeat),
        "use_cache": not no_cache,
    }
    chosen, selection = _chosen(suites or [], selection, base, model, told=json)
    if not chosen:
        return
    if len(chosen) > 1 and (wanted or resume):
        raise typer.BadParameter(
            "--json, --junit, --markdown, --html and --resume are of one suite; the reports of "
            f"{len(chosen)} suites lie in the folders of their runs, which --output names"
        )
    if len(chosen) > 1 or select is not None:
        options["new_suites"] = "alone"
    found = []
    for suite in chosen:
        folder = output / suite.name if output and len(chosen) > 1 else output
        found.append(_run_one(suite, {**options, "select": selection}, resume, folder))
        write_each(found[-1], wanted)
    raise typer.Exit(_exit_code(found))


def _chosen(
    names: Sequence[str],
    selection: Selection,
    base: str | None,
    model: str | None,
    *,
    told: Path | None,
) -> tuple[list[ProjectSuite], Selection]:
    """The suites to run, and the selection with the base that `state:` is about.

    Where there is rightly nothing to run, the file `told` says so instead of a report.
    """
    import json

    from llmops.core.files import write_text
    from llmops.project import load_project
    from llmops.project.planning import no_suite_named, plan_suites

    project = load_project()
    if len(names) == 1 and not selection.asks_for_state and selection.shard is None:
        return [project.suite(names[0])], selection
    if not names and not selection.text:
        raise no_suite_named(project)
    revision = base if selection.asks_for_state else None
    plan = plan_suites(project, names, selection, base=revision, model=model)
    say(plan.sentence)
    if told is not None and not plan.running:
        write_text(told, json.dumps(plan.to_json(), indent=2) + "\n")
    return [each.suite for each in plan.running], plan.selection


def _run_one(
    suite: ProjectSuite, options: RunOptions, resume: Path | None, output: Path | None
) -> Report:
    from llmops.cli.progress import showing_progress
    from llmops.evals.render import terminal
    from llmops.project import run_sync

    with showing_progress(suite.name) as progress:
        report = run_sync(suite.run(resume=resume, output=output, progress=progress, **options))
    with printing():
        terminal.print_summary(report, folder=_shown(report.folder))
    return report


def _exit_code(reports: Sequence[Report]) -> int:
    """The worst of the verdicts: what failed needs a person, what is open a second look."""
    from llmops.core.errors import ExitCode

    found = {report.summary.decision.exit_code for report in reports}
    for worst in (ExitCode.FAILED, ExitCode.INCONCLUSIVE):
        if worst in found:
            return worst
    return ExitCode.PASSED


def _times(text: str | None) -> int | Literal["auto"] | None:
    if text is None:
        return None
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise typer.BadParameter(f"--repeat is a number from 1 on or `auto`, not `{text}`")


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
