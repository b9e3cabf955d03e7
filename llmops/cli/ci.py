"""`llmops ci`: pipelines that review every change."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from llmops.cli.output import emit, say

app = typer.Typer(help="Set up pipelines that review changes.", no_args_is_help=True)


class System(StrEnum):
    """A CI system."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JENKINS = "jenkins"


@app.callback()
def ci() -> None:
    """Set up pipelines that review changes."""


@app.command("init")
def init(
    system: Annotated[System, typer.Argument(help="Where the pipeline runs.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write the pipeline file that reviews every pull request.

    It lints and checks prompts, serves the model, runs `llmops review` against
    the target branch, posts the comment, and keeps page and SARIF. A review
    that could not decide (3) is shown as a warning and blocks nothing.
    """
    from llmops.project import load_project
    from llmops.project.pipelines import write_pipeline
    from llmops.prompts.git import Git

    root = load_project().root
    top = Git.of(root).top
    emit(str(write_pipeline(system.value, top, force=force)))
    if root.resolve() != top.resolve():
        say(f"note: the project is in {root.resolve().relative_to(top.resolve())}; set that folder")
    say(_NEXT[system])


_NEXT = {
    System.GITHUB: "next: `llmops prompt lock`, commit both, and open a pull request",
    System.GITLAB: "next: `include: [{local: .gitlab/llmops.yml}]` in .gitlab-ci.yml, "
    "`llmops prompt lock`, and a masked variable GITLAB_TOKEN for the note",
    System.JENKINS: "next: `llmops prompt lock`, and a multibranch pipeline for this repository",
}
