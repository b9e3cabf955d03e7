"""`llmops eval import`: evaluations of promptfoo and lm-evaluation-harness as suites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit_json, emit_table, say


def import_suites(
    source: Annotated[
        Path,
        typer.Argument(
            help="A promptfoo config, or the YAML of a task of lm-evaluation-harness.",
            metavar="SOURCE",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The suite's file, such as evals/qa.yaml.", metavar="FILE"
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="promptfoo or lm-eval. Left out: by what it holds.", metavar="TOOL"
        ),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            help="The name of a prompt that comes alone, or a folder (`support/`) for all.",
            metavar="NAME|FOLDER/",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="The rows of a task whose data is on a hub: JSONL or CSV."),
    ] = None,
    leave_out: Annotated[
        bool,
        typer.Option(
            "--leave-out", help="Go without checks that cannot be taken over, and list them."
        ),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite files that have other content.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take over an evaluation: its suite, dataset and prompts.

    What it checks is checked here in the same way; what cannot be is refused.
    All files are written, or none.
    """
    from llmops.core.errors import UsageError
    from llmops.core.files import inside
    from llmops.evals.importing.planning import Source, plan_suites, read_suites
    from llmops.project import load_project
    from llmops.prompts.exchange.files import write_all

    project = load_project()
    if output.suffix not in (".yaml", ".yml"):
        raise UsageError(f"`{output}` is no suite's file", hint="its name ends with `.yaml`")
    inside(project.folder("evals"), output.absolute())
    read = read_suites(
        source,
        name=output.stem,
        source=Source.parse(from_) if from_ else None,
        into=into,
        data=data,
        leave_out=leave_out,
    )
    changes = plan_suites(read, output.parent, project.prompts, replace_others=replace)
    if not dry_run:
        write_all(changes)
    if as_json:
        emit_json(
            {
                "files": [each.to_json() for each in changes],
                "cases": {suite.name: len(suite.rows) for suite in read.suites},
                "notes": list(read.notes),
                "left_out": list(read.left_out),
                "dry_run": dry_run,
            }
        )
        return
    emit_table(
        ("STATE", "NAME", "FILE"),
        [(each.state.value, each.name, str(each.path)) for each in changes],
    )
    notes = [f"{each.name}: {note}" for each in changes for note in each.notes]
    for note in [*read.notes, *dict.fromkeys(notes)]:
        say(f"note: {note}")
    for each in read.left_out:
        say(f"left out: {each}")
