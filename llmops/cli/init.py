"""`llmops init`: a working project in an empty folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit, say


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is not there.")] = Path(),
    judges: Annotated[
        bool,
        typer.Option(
            "--judges", help="Add the standard judges' prompts; to a project that is there, too."
        ),
    ] = False,
) -> None:
    """Write a working project: configuration, a prompt, a suite, a policy, a CI file.

    Refuses to overwrite any file.
    """
    from llmops.project.config import CONFIG_NAME
    from llmops.project.scaffold import add_judges, create

    if judges and (folder / CONFIG_NAME).is_file():
        from llmops.project import load_project

        for path in add_judges(load_project(folder).folder("prompts")):
            emit(str(path))
        say("next: `llmops prompt lock`, and name them in a suite: `{scorer: judge, …}`")
        return
    for path in create(folder, judges=judges):
        emit(str(path))
    say("next: `llmops serve --detach`, then `llmops eval run capitals`")
