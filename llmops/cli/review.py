"""`llmops review`: what a change does, for the pull request that proposes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmops.cli.output import emit, emit_table, say

if TYPE_CHECKING:
    from llmops.review.posting import Host
    from llmops.review.results import Review, SuiteReview

SUMMARY_LIMIT = 1024 * 1024
"""Bytes of a job summary beyond which GitHub drops all of it."""


def review(
    base: Annotated[
        str, typer.Option(help="The branch or commit that the change goes to.", metavar="REV")
    ],
    select: Annotated[
        str | None,
        typer.Option(metavar="EXPR", help="Of what the change touches, only this: `suite:qa/*`."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model of llmops.toml or a LiteLLM name, instead of the suites' own."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The first N of the touched cases of each suite.")
    ] = None,
    repeat: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto", help="Ask N times for every case, or as often as the verdict takes."
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Call the model even where the answer is known.")
    ] = False,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Say what changed, and ask no model.")
    ] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the comment.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one HTML page.")] = None,
    sarif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write SARIF, for code scanning.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the review as JSON.")
    ] = None,
    annotations: Annotated[
        bool,
        typer.Option("--annotations", help="Print annotations for a workflow of GitHub."),
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Append the comment to $GITHUB_STEP_SUMMARY.")
    ] = False,
    post: Annotated[
        bool,
        typer.Option("--post", help="Post the comment on the pull request, or update it there."),
    ] = False,
) -> None:
    """Review a change: what it touches, and whether answers become better or worse.

    Compares the working tree with the commit at which it left REV: prompts by
    kind of change, then the suites that the change touches, run on both sides.
    0 nothing got worse, 1 a regression or a failed gate, 2 usage, 3 too few
    cases to tell, or a provider is down.
    """
    from llmops.cli.progress import showing_progress
    from llmops.core.files import check_writable
    from llmops.project import load_project
    from llmops.project.reviewing import ReviewOptions, review_project

    for path in filter(None, (markdown, html, sarif, json)):
        check_writable(path)
    target = _host() if post else None
    job = _job_summary() if summary else None
    options = ReviewOptions(
        base=base,
        run=not no_run,
        select=select,
        model=model,
        limit=limit,
        repeat=_times(repeat),
        use_cache=not no_cache,
    )
    found = review_project(load_project(), options, progress=showing_progress)
    _write(found, markdown=markdown, html=html, sarif=sarif, json=json)
    if annotations:
        from llmops.review.findings import as_workflow_commands

        emit(as_workflow_commands(found), end="")
    else:
        _show(found)
    if job is not None:
        _append_summary(found, job)
    if target is not None:
        from llmops.core.errors import ProviderError
        from llmops.review.markdown import as_markdown

        try:
            say(target.post(as_markdown(found)).note)
        except ProviderError as error:  # the verdict is known, whoever does not hear of it
            say(f"warning: the comment was not posted: {error}")
    raise typer.Exit(found.exit_code)


def _host() -> Host:
    import os

    from llmops.review.hosts import host  # loads a client of HTTP

    return host(os.environ)


def _write(
    review: Review,
    *,
    markdown: Path | None,
    html: Path | None,
    sarif: Path | None,
    json: Path | None,
) -> None:
    import json as json_

    from llmops.core.files import write_text

    if markdown is not None:
        from llmops.review.markdown import as_markdown

        write_text(markdown, as_markdown(review))
    if html is not None:
        from llmops.review.html import as_html

        write_text(html, as_html(review))
    if sarif is not None:
        from llmops.review.findings import as_sarif

        write_text(sarif, json_.dumps(as_sarif(review), indent=2) + "\n")
    if json is not None:
        from llmops.review.json import as_json

        write_text(json, json_.dumps(as_json(review), indent=2) + "\n")


def _show(review: Review) -> None:
    """The review in a few lines."""
    from llmops.evals.render.figures import one_line
    from llmops.prompts.comparison.sentences import verdict, versions
    from llmops.review.words import changed_files, coverage, order

    emit(f"{review.base} → {review.head}: {one_line(review.reason, 400)}")
    diffs = review.prompts.prompts if review.prompts else ()
    if diffs:
        emit_table(
            ["PROMPT", "VERSION", "CHANGE"],
            [[each.name, versions(each), verdict(each)] for each in diffs],
        )
    for each in changed_files(review):
        emit(f"{each.kind} {one_line(each.path, 200)} {each.state}")
    if told := coverage(review):
        emit(told)
    if review.suites:
        emit_table(
            ["SUITE", "OUTCOME", "CASES", "WHY"],
            [
                [each.name, each.outcome, _cases(each.run, each.selected, each.total), _why(each)]
                for each in order(review.suites)
            ],
        )
    for note in review.notes:
        say(f"note: {one_line(note, 400)}")


def _cases(run: int | None, selected: int | None, total: int | None) -> str:
    count = run if run is not None else selected
    return f"{count} of {total}" if total is not None else str(count or 0)


def _why(suite: SuiteReview) -> str:
    from llmops.evals.render.figures import one_line

    if suite.error is not None:
        return one_line(suite.error, 200)
    if suite.report is not None:
        return one_line(suite.report.summary.decision.reason, 200)
    return one_line(", ".join(suite.reasons), 200)


def _job_summary() -> Path:
    """Where the job's summary is written; `UsageError` outside of a workflow."""
    import os

    from llmops.core.errors import UsageError

    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UsageError(
            "`--summary` needs GITHUB_STEP_SUMMARY, which a workflow of GitHub sets",
            hint="elsewhere, write `--markdown FILE`",
        )
    return Path(path)


def _append_summary(review: Review, file: Path) -> None:
    """Append the comment to the job's summary, if it still fits there."""
    from llmops.review.markdown import as_markdown

    text = as_markdown(review)
    room = SUMMARY_LIMIT - (file.stat().st_size if file.exists() else 0)
    if len(text.encode("utf-8", "replace")) > room:
        say("note: the job's summary is full; the review is not in it")
        return
    with file.open("a", encoding="utf-8") as summary:
        summary.write(text)


def _times(text: str | None) -> int | Literal["auto"] | None:
    if text is None:
        return None
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise typer.BadParameter(f"--repeat is a number from 1 on or `auto`, not `{text}`")
