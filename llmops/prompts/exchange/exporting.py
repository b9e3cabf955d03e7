"""From prompts to files of another tool: make all, check all, then write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmops.core.errors import UsageError
from llmops.prompts.exchange.files import FileChange, planned, refuse_replacing
from llmops.prompts.exchange.github import SUFFIXES
from llmops.prompts.exchange.values import ExportedFile


def plan_export(
    exported: Sequence[ExportedFile], out: Path, *, replace_others: bool = False
) -> list[FileChange]:
    """What writing to `out` would do: a `.yml` file for one prompt, else a folder.

    In a folder, each prompt is named by its path. Raises `UsageError` for
    several prompts and one file, and for a file that is there with other content.
    """
    single = out.suffix in (".yml", ".yaml") and not out.is_dir()
    if single and len(exported) != 1:
        raise UsageError(
            f"{len(exported)} prompts do not go into one file", hint="name a folder with `-o`"
        )
    changes = [
        planned(
            out if single else out / f"{each.name}{SUFFIXES[0]}",
            each.text,
            name=each.name,
            notes=each.notes,
        )
        for each in exported
    ]
    if not replace_others:
        refuse_replacing(changes, otherwise="")
    return changes
