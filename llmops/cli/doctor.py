"""`llmops doctor`: what is installed, what is missing for what, whether the models answer."""

from __future__ import annotations

from typing import Annotated

import typer

from llmops.cli.output import emit, emit_json

_MARK = {"ok": "ok     ", "missing": "missing", "failed": "failed ", "note": "note   "}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say what is installed, what is missing for what, and whether the models answer.

    Exits with 3 when a configured model does not answer, and with 2 when the
    project's files are broken; a missing extra is no failure.
    """
    from llmops.project.doctor import examine

    report = examine()
    if json:
        emit_json(
            [
                {
                    "area": each.area,
                    "name": each.name,
                    "state": each.state,
                    "detail": each.detail,
                    "hint": each.hint,
                }
                for each in report.findings
            ]
        )
    else:
        for each in report.findings:
            emit(f"{_MARK[each.state]}  {each.area}: {each.name} - {each.detail}")
            if each.hint:
                emit(f"         hint: {each.hint}")
    raise typer.Exit(report.exit_code)
