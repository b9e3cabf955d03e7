"""`llmops prompt import` and `export`: prompts of other tools, and prompts for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.core.registry import PromptRegistry
    from llmops.prompts.exchange.files import FileChange
    from llmops.prompts.exchange.importing import Read
    from llmops.prompts.exchange.values import ExportedFile

_REGISTRY = "mlflow:"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Registry = Annotated[
    str | None,
    typer.Option(
        "--registry",
        help="Address of the MLflow registry. Left out: MLFLOW_TRACKING_URI, or else a database "
        "in the project's state folder.",
        metavar="URI",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


def import_prompts(
    source: Annotated[
        str,
        typer.Argument(
            help="A file or folder of promptfoo, GitHub Models (.prompt.yml) or LangChain (JSON), "
            "or mlflow:NAME, mlflow:NAME@ALIAS, mlflow:NAME/VERSION.",
            metavar="SOURCE",
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="promptfoo, github, langchain, prompty or mlflow. Left out: by what it holds.",
            metavar="FORMAT",
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
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite prompts that have other content.")
    ] = False,
    dry_run: DryRun = False,
    registry: Registry = None,
    as_json: AsJson = False,
) -> None:
    """Take over prompts of other tools.

    A prompt renders to the very messages that its own tool makes of the same
    values; what cannot is refused, and what is lost besides is told. All
    prompts of a source are written, or none.
    """
    from llmops.project import prompts_project
    from llmops.prompts.exchange.files import write_all
    from llmops.prompts.exchange.importing import plan_import

    repository = prompts_project().prompts
    read = _read(source, from_, into, registry)
    changes = plan_import(repository, read.prompts, replace_others=replace)
    if not dry_run:
        write_all(changes)
    if as_json:
        prompts = [each.to_json() for each in changes]
        emit_json({"prompts": prompts, "left_out": list(read.left_out), "dry_run": dry_run})
        return
    _show(changes)
    for left_out in read.left_out:
        say(f"left out: {left_out}")


def export_prompts(
    refs: Annotated[
        list[str] | None,
        typer.Argument(help="Prompts: NAME, NAME@1.2.0, NAME@production, …", metavar="[REF]..."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="github (.prompt.yml) or mlflow.", metavar="FORMAT")
    ] = "github",
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A file for one prompt, or a folder. Left out: one prompt is printed.",
            metavar="FILE|FOLDER",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite files that have other content.")
    ] = False,
    dry_run: DryRun = False,
    registry: Registry = None,
    message: Annotated[
        str | None,
        typer.Option("--message", "-m", help="Commit message of new versions in a registry."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand prompts to other tools, and say what these cannot hold.

    A prompt whose meaning would be lost is refused. All files are written, or
    none. Without REF, all prompts are meant. In a registry, a version that is
    there is not published again, and aliases point where the lock file has them.
    """
    from llmops.core.errors import UsageError

    match to:
        case "github":
            _export_files(refs, out, replace=replace, dry_run=dry_run, as_json=as_json)
        case "mlflow":
            if dry_run or out is not None:
                raise UsageError("`--dry-run` and `-o` are for files, and a registry is none")
            _publish(refs, registry, message=message, as_json=as_json)
        case _:
            raise UsageError(f"nothing is exported to `{to}`", hint="known: `github`, `mlflow`")


def _read(source: str, from_: str | None, into: str | None, registry: str | None) -> Read:
    from llmops.prompts.exchange.detecting import Format
    from llmops.prompts.exchange.importing import Read, read_source

    wanted = Format.parse(from_) if from_ else None
    if not source.startswith(_REGISTRY) and wanted is not Format.MLFLOW:
        return read_source(Path(source), format=wanted, into=into)

    from llmops.prompts.exchange.registry import import_prompts as from_registry

    ref = re.sub(r"^([^@]+)/(\d+)$", r"\1@\2", source.removeprefix(_REGISTRY))
    found = from_registry(_open(registry), [ref], into=into)
    return Read(prompts=tuple(found))


def _export_files(
    refs: list[str] | None, out: Path | None, *, replace: bool, dry_run: bool, as_json: bool
) -> None:
    from llmops.core.errors import UsageError
    from llmops.project import prompts_project
    from llmops.prompts.exchange.exporting import plan_export
    from llmops.prompts.exchange.files import write_all
    from llmops.prompts.exchange.github_writer import write_github

    repository = prompts_project().prompts
    exported = [write_github(repository.get(ref)) for ref in refs or repository.names()]
    if out is None:
        if len(exported) != 1:
            raise UsageError("several prompts need files", hint="name a folder with `-o`")
        _print(exported[0], as_json=as_json)
        return
    changes = plan_export(exported, out, replace_others=replace)
    if not dry_run:
        write_all(changes)
    if as_json:
        emit_json({"prompts": [each.to_json() for each in changes], "dry_run": dry_run})
    else:
        _show(changes)


def _publish(
    refs: list[str] | None, registry: str | None, *, message: str | None, as_json: bool
) -> None:
    from dataclasses import asdict

    from llmops.project import prompts_project
    from llmops.prompts.exchange.registry import export_prompts as to_registry

    store = _open(registry)
    made = to_registry(prompts_project().prompts, store, refs, message=message)
    if as_json:
        emit_json({"registry": store.location, "prompts": [asdict(each) for each in made]})
        return
    rows = [
        (each.status.value, f"{each.name}@{each.version}", f"{each.registered}/{each.number}")
        for each in made
    ]
    say(f"registry: {store.location}")
    emit_table(("STATE", "PROMPT", "REGISTERED"), rows)
    for each in made:
        for moved in each.moved:
            before = f" (was {moved.came_from})" if moved.came_from else ""
            emit(f"{each.registered}@{moved.alias} is {each.number} now{before}")
    _tell({f"{each.name}@{each.version}": each.notes for each in made})


def _open(registry: str | None) -> PromptRegistry:
    from llmops.project import prompts_project
    from llmops.registry import open_prompt_registry

    state = prompts_project().folder("state")
    return open_prompt_registry(registry, default=f"sqlite:///{state / 'mlflow.db'}")


def _print(exported: ExportedFile, *, as_json: bool) -> None:
    if as_json:
        emit_json({"name": exported.name, "text": exported.text, "notes": list(exported.notes)})
    else:
        emit(exported.text, end="")
        _tell({exported.name: exported.notes})


def _show(changes: Sequence[FileChange]) -> None:
    emit_table(
        ("STATE", "PROMPT", "FILE"),
        [(each.state.value, each.name, str(each.path)) for each in changes],
    )
    notes: dict[str, list[str]] = {}
    for each in changes:
        notes.setdefault(each.name, []).extend(each.notes)
    _tell(notes)


def _tell(notes: Mapping[str, Sequence[str]]) -> None:
    """Notes on stderr; one that holds for all prompts is said once."""
    told = list(notes.values())
    shared = [note for note in told[0] if all(note in each for each in told)] if told else []
    common = shared if len(told) > 1 else []
    for note in common:
        say(f"note: all prompts: {note}")
    for name, each in notes.items():
        for note in each:
            if note not in common:
                say(f"note: {name}: {note}")
