"""`llmops prompt diff`: what changed, for a reviewer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit, emit_json, say


def diff(
    a: Annotated[
        str | None,
        typer.Argument(
            help="The older side: a ref (NAME, NAME@1.2.0, NAME@production, NAME@git:REV) "
            "or a git revision (main, HEAD~3, git:main). Left out: HEAD.",
            metavar="[A]",
        ),
    ] = None,
    b: Annotated[
        str | None,
        typer.Argument(help="The newer side. Left out: the working tree.", metavar="[B]"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--name", help="Only prompts of such a name, such as `support/*`.", metavar="GLOB"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to a file.", metavar="FILE")
    ] = None,
    tokens: Annotated[
        bool, typer.Option(help="Ask the model's server for the count of tokens.")
    ] = True,
) -> None:
    """Show what changed in prompts, and whether it breaks those who call them.

    Without A and B, every prompt of the working tree that differs from HEAD.
    With one of them, what it names against the working tree; a plain NAME means
    that prompt as of HEAD. With two, both refs or both git revisions.

    Where a prompt and a git revision have one name, the prompt is meant;
    `git:REV` always means the revision.
    """
    import json

    from llmops.core.errors import UsageError
    from llmops.core.files import write_text
    from llmops.project import prompts_project
    from llmops.project.tokens import TokenCounter
    from llmops.prompts.comparison.markdown import to_markdown
    from llmops.prompts.comparison.selection import diff_prompts
    from llmops.prompts.comparison.text import to_text

    if as_json and markdown:
        raise UsageError("`--json` and `--markdown` are two forms of one answer", hint="choose one")
    project = prompts_project()
    count = TokenCounter(project.config) if tokens else None
    comparison = diff_prompts(project.prompts, a, b, only=only, count_tokens=count)
    if as_json and output is None:
        emit_json(comparison.to_json())
        return
    if as_json:
        text = json.dumps(comparison.to_json(), indent=2, ensure_ascii=False)
    else:
        text = to_markdown(comparison) if markdown else to_text(comparison)
    if output is None:
        emit(text)
    else:
        write_text(output, f"{text}\n")
        say(f"written to {output}")
