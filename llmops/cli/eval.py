"""`llmops eval`: list and run evaluation suites."""

from __future__ import annotations

from typing import Annotated

import typer

from llmops.cli.eval_bless import bless
from llmops.cli.eval_calibrate import calibrate
from llmops.cli.eval_compare import compare
from llmops.cli.eval_data import data
from llmops.cli.eval_gate import gate
from llmops.cli.eval_import import import_suites
from llmops.cli.eval_merge import merge
from llmops.cli.eval_plan import plan
from llmops.cli.eval_power import power
from llmops.cli.eval_run import run
from llmops.cli.output import emit_json, emit_table, say

app = typer.Typer(help="List and run evaluation suites.", no_args_is_help=True)


@app.command("list")
def list_(
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the project's suites."""
    from llmops.project import load_project

    suites = [(suite.name, suite.load()) for suite in load_project().suites()]
    if json:
        emit_json(
            [
                {
                    "name": name,
                    "description": suite.description,
                    "tags": list(suite.tags),
                    "prompt": suite.subject.prompt,
                    "model": suite.subject.model,
                    "checks": [check.name for check in suite.checks],
                }
                for name, suite in suites
            ]
        )
    elif suites:
        rows = [[name, suite.subject.prompt, _short(suite.description)] for name, suite in suites]
        emit_table(["SUITE", "PROMPT", "DESCRIPTION"], rows)
    else:
        say("there is no suite yet; a suite is a YAML file in the evals folder")


app.command("bless")(bless)
app.command("compare")(compare)
app.command("power")(power)
app.command("calibrate")(calibrate)
app.command("data")(data)
app.command("gate")(gate)
app.command("import")(import_suites)
app.command("merge")(merge)
app.command("plan")(plan)
app.command("run")(run)


def _short(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= 60 else first[:59] + "…"
