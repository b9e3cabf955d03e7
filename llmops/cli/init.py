"""`llmops init`: a working project in an empty folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmops.cli.output import emit, say


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is not there.")] = Path(),
) -> None:
    """Write a working project: configuration, a prompt, a suite, a policy, a CI file.

    Refuses to overwrite any file.
    """
    from llmops.project.scaffold import create

    for path in create(folder):
        emit(str(path))
    say("next: `llmops serve --detach`, then `llmops eval run capitals`")
