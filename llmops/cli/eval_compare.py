"""`llmops eval compare`: what became of a suite between two runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from llmops.cli.output import emit_json, printing

if TYPE_CHECKING:
    from llmops.evals.results import Comparison


def compare(
    base: Annotated[
        Path, typer.Argument(metavar="BASE", help="A run's folder, or its report.json.")
    ],
    head: Annotated[Path, typer.Argument(metavar="HEAD", help="The run to judge, as BASE.")],
    margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="What may be lost of a rate or ratio. Left out: what the suite says, else 0.02.",
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            min=0.5, max=0.9999, help="Of the intervals. Left out: what the suite says, else 0.95."
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
    """Compare two runs case by case: better, the same, worse, or not to be told.

    0 no more is lost than allowed, 1 a regression, 2 the two cannot be compared,
    3 inconclusive (too few cases, or too few of them judged).
    """
    from dataclasses import replace

    from llmops.core.files import check_writable
    from llmops.evals.comparison.compare import compare as lay_side_by_side
    from llmops.evals.comparison.rules import ComparisonRules
    from llmops.evals.opening import open_run

    for path in filter(None, (markdown, html)):
        check_writable(path)
    before, after = open_run(base), open_run(head)
    rules = after.rules or before.rules or ComparisonRules()
    if margin is not None:
        margins = tuple(replace(each, margin=margin, relative=False) for each in rules.margins)
        rules = replace(rules, margins=margins, default_margin=margin)
    if confidence is not None:
        rules = replace(rules, confidence=confidence)
    words = ["llmops", "eval", "compare", str(base), str(head)]
    for option, value in (("--margin", margin), ("--confidence", confidence)):
        if value is not None:
            words += [option, f"{value:g}"]
    comparison = lay_side_by_side(before.side, after.side, rules)
    suite = after.report.summary.suite
    show_comparison(comparison, words, title=suite, json=json, markdown=markdown, html=html)


def show_comparison(
    comparison: Comparison,
    words: list[str],
    *,
    title: str = "",
    json: bool,
    markdown: Path | None,
    html: Path | None,
) -> NoReturn:
    """Print a comparison, write it as Markdown and HTML if asked, and exit with its decision.

    `words` are the command that made it, `title` is what was compared.
    """
    if markdown is not None:
        from llmops.evals.render.comparison_markdown import write_comparison_markdown

        write_comparison_markdown(comparison, markdown)
    if html is not None:
        from llmops.evals.render.comparison_html import write_comparison_html

        write_comparison_html(comparison, html, title=title, command=shlex.join(words))
    if json:
        from llmops.evals.render.comparison_json import comparison_record

        emit_json(comparison_record(comparison))
    else:
        from llmops.evals.render.comparison_terminal import print_comparison

        with printing():
            print_comparison(comparison, more=f"{shlex.join(words)} --markdown comparison.md")
    raise typer.Exit(comparison.decision.exit_code)
