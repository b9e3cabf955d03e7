"""`llmops schema`: JSON Schemas of every file format, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table


def schema(
    name: Annotated[
        str | None, typer.Argument(help="One format: print its schema. Left out: list them.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write all schemas into this folder."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """Print or write the JSON Schemas of the file formats."""
    from llmops.project import schemas

    if output is not None:
        for path in schemas.write(output):
            emit(str(path))
    elif name is not None:
        emit_json(schemas.schema(name))
    elif json:
        emit_json([{"name": each.name, "describes": each.describes} for each in schemas.FORMATS])
    else:
        emit_table(["NAME", "DESCRIBES"], [[each.name, each.describes] for each in schemas.FORMATS])
