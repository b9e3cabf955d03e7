"""`llmops eval data`: what a dataset holds, and what stands in it twice."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.evals.curation.examining import Examined, Roles

SHOWN = 10
"""Groups that are shown; `--json` has them all."""


class Finding(StrEnum):
    """What a command can fail on."""

    DUPLICATES = "duplicates"
    NEAR_DUPLICATES = "near-duplicates"
    OVERLAP = "overlap"


def data(
    target: Annotated[
        str, typer.Argument(metavar="SUITE|FILE", help="A suite's name or file, or a dataset.")
    ],
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file to look for the cases in: training data."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Compare cases by this column. Left out: by the prompt's inputs, or all columns.",
        ),
    ] = None,
    similarity: Annotated[
        float,
        typer.Option(min=0.1, max=1, help="From which likeness on cases are near-duplicates."),
    ] = 0.8,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING,...",
            help="Exit with 1 if there are any: duplicates, near-duplicates, overlap.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Examine a dataset: columns, missing values, duplicates, and overlap with other files.

    Rows are named by their ids; no text of them is printed. Two cases are alike
    by the characters that they share in every compared column. Of a suite,
    every row is checked first as a run would. Asks no model.
    """
    from dataclasses import asdict

    from llmops.evals.curation.examining import examine

    wanted = _findings(fail_on or [])
    if Finding.OVERLAP in wanted and not against:
        raise typer.BadParameter("--fail-on overlap needs a file to look in: --against FILE")
    path, roles = _chosen(target, tuple(column or ()))
    found = examine(path, roles, against=against or (), similarity=similarity)
    if json:
        emit_json({"schema": "llmops.evals.data/1", **asdict(found)})
    else:
        _show(found)
    failing = [each for each in wanted if _count(found, each)]
    if failing:
        say(f"failed: found {' and '.join(failing)}")
        from llmops.core.errors import ExitCode

        raise typer.Exit(ExitCode.FAILED)


def _findings(texts: list[str]) -> list[Finding]:
    known = ", ".join(Finding)
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    for name in names:
        if name not in set(Finding):
            raise typer.BadParameter(f"--fail-on knows {known}, and not `{name}`")
    return [each for each in Finding if each in names]


def _chosen(target: str, columns: tuple[str, ...]) -> tuple[Path, Roles]:
    """The file to examine, and what its columns are."""
    from llmops.evals.curation.examining import Roles

    path = Path(target)
    if path.suffix.lower() not in ("", ".yaml", ".yml") and path.is_file():
        return path, Roles(compared=columns or None)
    from llmops.evals.choosing import choose_cases
    from llmops.evals.selection import Selection
    from llmops.project import load_project

    project = load_project()
    suite = project.suite(target).load()
    dataset = choose_cases(suite, project.prompt(suite.subject.prompt), Selection()).dataset
    asked = (*dataset.columns.inputs.values(), *sorted(dataset.columns.optional))
    # Of probes, the cases of one template are alike on purpose.
    alike = "template" if suite.dataset.probes else suite.dataset.counterfactual
    roles = Roles(
        id=suite.dataset.id,
        compared=columns or asked,
        expected=suite.dataset.expected or "expected",
        alike=alike or "counterfactual",
    )
    return dataset.path, roles


def _show(found: Examined) -> None:
    emit(f"{found.file}: {found.rows:,} rows, sha256 {found.sha256[:12]}…")
    emit("")
    emit_table(
        ["COLUMN", "HOLDS", "MISSING", "LONGEST"],
        [
            [
                each.name,
                ", ".join(f"{count:,} {kind}" for kind, count in each.kinds.items()) or "nothing",
                f"{each.missing:,}" if each.missing else "-",
                f"{each.longest:,}" if each.longest else "-",
            ]
            for each in found.columns
        ],
    )
    emit("")
    emit(f"compared by {', '.join(found.compared)}")
    _show_groups(
        "the same", [(each.ids, _note(each.expected_differs)) for each in found.duplicates]
    )
    _show_groups(
        f"alike ({found.similarity:g} or more)",
        [(each.ids, f"  {each.similarity:.2f}") for each in found.near_duplicates],
    )
    for other in found.overlap:
        emit(f"{len(other.cases):,} of {found.rows:,} cases stand in {other.file} too")
        for case in other.cases[:SHOWN]:
            emit(f"  {case.id} = {case.other}  {case.similarity:.2f}")
        _more(len(other.cases))


def _show_groups(what: str, groups: list[tuple[tuple[str, ...], str]]) -> None:
    cases = sum(len(ids) for ids, _ in groups)
    grouped = f"{len(groups):,} group{'s' if len(groups) > 1 else ''}"
    emit(f"{cases:,} cases {what}, in {grouped}" if groups else f"no cases {what}")
    for ids, note in groups[:SHOWN]:
        more = f", … {len(ids) - 5:,} more" if len(ids) > 5 else ""
        emit(f"  {', '.join(ids[:5])}{more}{note}")
    _more(len(groups))


def _note(expected_differs: bool) -> str:
    return "  (and something else is expected of them)" if expected_differs else ""


def _more(count: int) -> None:
    if count > SHOWN:
        emit(f"  … {count - SHOWN:,} more; --json has them all")


def _count(found: Examined, finding: Finding) -> int:
    if finding is Finding.DUPLICATES:
        return len(found.duplicates)
    if finding is Finding.NEAR_DUPLICATES:
        return len(found.near_duplicates)
    return sum(len(each.cases) for each in found.overlap)
