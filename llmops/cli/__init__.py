"""FACE: parse the command line, call the project, print.

At import time this room knows typer only; what a command needs is imported
inside it, so that `llmops --help` stays quick. stdout is data, stderr is talk.
"""

from __future__ import annotations


def main() -> None:
    """The `llmops` command."""
    from llmops.cli.app import run

    run()
