"""`llmops prompt lint`: what is wrong with the prompts, without asking a model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.prompts import PromptRepository
    from llmops.prompts.lint import Finding


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def lint(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Prompts to look at; left out, all.", metavar="[NAME]..."),
    ] = None,
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="`github` prints annotations for a workflow."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as `--format json`.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules, and do no more.")] = False,
) -> None:
    """Find what is wrong with prompts: injection, secrets, unused inputs, size, aliases.

    Exits with 1 if there is an error. Accept a finding, with its reason, by a
    comment in the file: {# lint: ignore RULE: why it is fine here #}
    """
    from llmops.core.errors import ExitCode, UsageError

    chosen = output_format or (Format.JSON if as_json else Format.TEXT)
    if as_json and chosen is not Format.JSON:
        raise UsageError(f"`--json` and `--format {chosen.value}` contradict each other")
    if rules:
        _list_rules(chosen)
        return

    import gc

    from llmops.project import prompts_project
    from llmops.prompts.lint.text import summary

    # Syntax trees by the thousand, and no cycles among them: the collector would
    # look at all of them again and again, for a tenth of the time, and find nothing.
    gc.disable()
    project = prompts_project()
    findings = project.lint(names or None)
    prompts = len(set(names)) if names else _how_many(project.prompts)
    report = _report(findings, chosen, project.root, prompts)
    if output:
        from llmops.core.files import write_text

        write_text(output, report)
    elif report:
        emit(report, end="")
    say(summary(findings, prompts))
    failing = ("error", "warning") if strict else ("error",)
    if any(each.level.value in failing for each in findings):
        raise typer.Exit(ExitCode.FAILED)


def _how_many(repository: PromptRepository) -> int:
    from llmops.core.errors import DocumentError

    try:
        return len(repository.names())
    except DocumentError:  # which a finding tells
        return 0


def _report(findings: list[Finding], chosen: Format, root: Path, prompts: int) -> str:
    import json

    from llmops.core.files import relative
    from llmops.prompts.lint.annotations import as_annotations
    from llmops.prompts.lint.sarif import sarif
    from llmops.prompts.lint.text import counts, lines_of

    base = repository_root(root)
    match chosen:
        case Format.TEXT:
            return "".join(f"{line}\n" for line in lines_of(findings))
        case Format.GITHUB:
            return as_annotations(findings, base)
        case Format.SARIF:
            made = sarif(findings, base)
        case Format.JSON:
            made = {
                "schema": "llmops.prompts.lint/1",
                "prompts": prompts,
                "counts": counts(findings),
                "findings": [
                    each.to_json() | {"path": relative(each.where.path, base)} for each in findings
                ],
            }
    return json.dumps(made, indent=2) + "\n"


def repository_root(root: Path) -> Path:
    """The root of the git repository, from which GitHub counts paths; else the project's."""
    here = root.absolute()
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), here)


def _list_rules(chosen: Format) -> None:
    from llmops.core.errors import UsageError
    from llmops.prompts.lint.findings import RULES

    if chosen is Format.JSON:
        emit_json(
            [
                {"id": rule.id, "level": rule.level.value, "summary": rule.summary}
                for rule in RULES.values()
            ]
        )
    elif chosen is Format.TEXT:
        rows = [(rule.id, rule.level.value, rule.summary) for rule in RULES.values()]
        emit_table(("RULE", "LEVEL", "WHAT IT FINDS"), rows)
    else:
        raise UsageError(f"the list of rules has no form `{chosen.value}`")
