"""`llmops schema`: JSON Schemas of every file format, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table


def schema(
    name: Annotated[
        str | None, typer.Argument(help="Print the schema of this format, and write nothing.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the schemas.")
    ] = Path("schemas"),
    list_: Annotated[bool, typer.Option("--list", help="List the formats.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --list: print JSON.")] = False,
) -> None:
    """Write the JSON Schemas of all file formats, or print one."""
    from llmops.core.errors import UsageError
    from llmops.project import schemas

    if json and not list_:
        raise UsageError("--json goes with --list")
    if list_ and json:
        emit_json([{"name": each.name, "describes": each.describes} for each in schemas.FORMATS])
    elif list_:
        emit_table(["NAME", "DESCRIBES"], [[each.name, each.describes] for each in schemas.FORMATS])
    elif name is not None:
        emit_json(schemas.schema(name))
    else:
        for path in schemas.write(output):
            emit(str(path))
