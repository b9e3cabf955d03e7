"""`llmops prompt lock|check|promote|rollback|history|bundle`: versions and where aliases point."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.prompts.comparison.kinds import ChangeKind
    from llmops.prompts.lint import Finding
    from llmops.prompts.locked import Move
    from llmops.prompts.lockfile import Lock
    from llmops.prompts.release.checking import CheckResult, Problem
    from llmops.prompts.release.locking import Locked


class Bump(StrEnum):
    """The part of a version to raise."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="A prompt's name.", metavar="NAME")]


def lock(
    names: Annotated[
        list[str] | None, typer.Argument(help="Only these prompts.", metavar="[NAME]...")
    ] = None,
    bump: Annotated[
        Bump | None,
        typer.Option(help="A larger step than the changes need."),
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            help="The revision whose versions are released; later ones are drafts, and may change.",
            metavar="REV",
        ),
    ] = "HEAD",
    as_json: AsJson = False,
) -> None:
    """Give every prompt that changed its version, and lock it in prompts.lock.

    The least version that the change allows is written into the prompt's file:
    major where callers break, minor where answers may differ, patch where no
    model would notice.
    """
    from llmops.project import prompts_project
    from llmops.prompts.release.locking import lock_prompts

    result = lock_prompts(
        prompts_project().prompts, names=names or None, bump=_kind(bump), base=base
    )
    if as_json:
        emit_json(result.to_json())
        return
    for step in result.steps:
        emit(_step(step))
    for draft in result.dropped:
        emit(f"{draft} dropped: it was not released")
    if not result.steps and not result.dropped:
        emit(f"{_count(result.prompts, 'prompt')}, all locked")


def check(
    base: Annotated[
        str | None,
        typer.Option(
            help="A branch or commit: versions must be raised enough since.", metavar="REV"
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings of the linter fail too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check for CI: lock up to date, versions raised enough, aliases valid, lint clean.

    Changes no file of the project. Exits with 1 when something has to be done,
    and says what.
    """
    from llmops.cli.prompt_lint import repository_root
    from llmops.core.errors import ExitCode
    from llmops.project import prompts_project
    from llmops.prompts.release.checking import check_prompts

    project = prompts_project()
    result = check_prompts(project.prompts, base=base, findings=project.lint())
    top = repository_root(project.root)
    passed = result.clean and not (strict and _warnings(result))
    if as_json:
        emit_json(
            {
                "passed": passed,
                "prompts": result.prompts,
                "problems": [_placed(each, top) for each in result.problems],
                "findings": [_placed(each, top) for each in result.findings],
            }
        )
    else:
        _show(result, passed)
    if not passed:
        raise typer.Exit(ExitCode.FAILED)


def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="A locked version.", metavar="VERSION")],
    to: Annotated[str, typer.Option(help="The alias to point to it: `production`.")],
    why: Annotated[str, typer.Option(help="The reason, for who reads the history.")],
    report: Annotated[
        Path | None,
        typer.Option(
            help="The evaluation that speaks for it: a run's folder or report.json; "
            "left out, the newest passing one of the project's runs.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Move it without an evaluation; this is recorded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Point an alias to a version that a passing evaluation speaks for.

    The report's subject must be that very content. Writes prompts.lock only:
    the move takes effect when that is merged.
    """
    from llmops.project import prompts_project

    project = prompts_project()
    move = project.promote(name, version, to=to, why=why, report=report, force=force)
    if as_json:
        emit_json(move.to_json() if move else None)
    elif move is None:
        emit(f"{name}@{to} is {version} already")
    else:
        emit(_moved(move))
    if move and move.evidence and move.evidence.partial:
        say(f"note: the evaluation judged {move.evidence.cases} cases")


def rollback(
    name: Name,
    alias: Annotated[str, typer.Option("--from", help="The alias to move back: `production`.")],
    why: Annotated[str, typer.Option(help="The reason, for who reads the history.")] = "",
    as_json: AsJson = False,
) -> None:
    """Point an alias back to where it was before its last promotion."""
    from llmops.project import prompts_project
    from llmops.prompts.release.promotion import rollback as roll_back

    move = roll_back(prompts_project().prompts, name, alias, why=why)
    if as_json:
        emit_json(move.to_json())
    else:
        emit(_moved(move))


def history(name: Name, as_json: AsJson = False) -> None:
    """Show a prompt's versions, where its aliases point, and every move of them."""
    from llmops.core.errors import NotFound
    from llmops.project import prompts_project

    prompts = prompts_project().prompts
    lock = prompts.lock()
    if not lock.versions(name):
        raise NotFound.among("locked prompt", name, lock.names())
    if as_json:
        emit_json(
            {
                "prompt": name,
                "versions": [each.to_json() for each in lock.versions(name)],
                "aliases": {alias: str(move.to) for alias, move in lock.aliases(name).items()},
                "moves": [each.to_json() for each in lock.moves(name)],
            }
        )
        return
    _show_versions(lock, name)
    for move in lock.moves(name):
        emit(f"\n{move.at}  {_moved(move)}")
        emit(f"  why       {_indented(move.why)}")
        emit(f"  who       {move.who}")
        emit(f"  evidence  {_evidence(move)}")


def bundle(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A version that no alias names: NAME@1.2.0 or NAME@^1.", metavar="REF"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pack every version that an alias or --keep names into one file that needs no git.

    `load_project(bundle=…)` reads it.
    """
    from llmops.project import prompts_project
    from llmops.prompts.release.bundle import write_bundle

    packed = write_bundle(prompts_project().prompts, output, keep=keep or ())
    if as_json:
        emit_json({"path": str(output), **packed.to_json()})
        return
    for one in packed.versions:
        emit(f"{one.prompt}@{one.version}")
    say(f"{_count(len(packed.versions), 'version')} in {output}")


def _kind(bump: Bump | None) -> ChangeKind | None:
    from llmops.prompts.comparison.kinds import ChangeKind

    return next((kind for kind in ChangeKind if kind.bump == bump), None) if bump else None


def _step(step: Locked) -> str:
    if step.before is None:
        return f"{step.name} {step.version} (new)"
    if step.again:
        return f"{step.name} {step.version}: the same text again"
    return f"{step.name} {step.before} → {step.version} ({step.kind})"


def _show(result: CheckResult, passed: bool) -> None:
    from llmops.core.files import relative
    from llmops.prompts.lint.text import lines_of

    for problem in result.problems:
        line = f":{problem.where.line}" if problem.where.line else ""
        place = relative(problem.where.path, Path.cwd())
        emit(f"{place}{line}: {problem.rule}: {problem.message}")
        emit(f"  {problem.hint}")
    for line in lines_of(result.findings):
        emit(line)
    if passed:
        say(f"{_count(result.prompts, 'prompt')}, all in order")
    else:
        findings = _count(len(result.findings), "finding")
        say(f"{_count(len(result.problems), 'problem')}, {findings} of the linter")


def _placed(found: Problem | Finding, top: Path) -> dict[str, object]:
    """What was found, with its path as seen from the repository's root."""
    from llmops.core.files import relative

    return found.to_json() | {"path": relative(found.where.path, top)}


def _warnings(result: CheckResult) -> bool:
    return any(each.level == "warning" for each in result.findings)


def _show_versions(lock: Lock, name: str) -> None:
    names: dict[str, list[str]] = {}
    for alias, move in lock.aliases(name).items():
        names.setdefault(str(move.to), []).append(alias)
    rows = [
        (str(one.version), one.content[:19], ", ".join(names.get(str(one.version), ["-"])))
        for one in reversed(lock.versions(name))
    ]
    emit_table(("VERSION", "CONTENT", "ALIASES"), rows)


def _indented(text: str) -> str:
    return text.replace("\n", "\n            ")


def _moved(move: Move) -> str:
    way = f"{move.came_from} → {move.to}" if move.came_from else f"→ {move.to}"
    back = " (rollback)" if move.kind == "rollback" else ""
    return f"{move.prompt}@{move.alias} {way}{back}"


def _evidence(move: Move) -> str:
    if move.evidence is None:
        return "none: forced"
    found = move.evidence
    return f"{found.outcome}, {found.suite}, {found.cases} cases, {found.report}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
