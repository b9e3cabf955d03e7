"""The `llmops` command: its groups, its options, and how an error becomes an exit status."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from llmops import __version__
from llmops.cli import ci, doctor, init, prompt, schema, serve
from llmops.cli import eval as eval_
from llmops.cli import review as review_
from llmops.cli import run as run_
from llmops.cli.output import say, show_error, tell_warnings
from llmops.core.errors import ExitCode, LlmopsError

app = typer.Typer(
    name="llmops",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 passed, 1 judged and failed, 2 usage or configuration, "
        "3 inconclusive (provider down, extra missing, too little scored), 130 interrupted."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"llmops {__version__}")
        raise typer.Exit


@app.callback()
def llmops(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Prompts, evaluations and serving for teams that put open models into products."""


app.command("init")(init.init)
app.command("doctor")(doctor.doctor)
app.command("serve", context_settings=serve.CONTEXT)(serve.serve)
app.command("run")(run_.run)
app.add_typer(prompt.app, name="prompt")
app.add_typer(eval_.app, name="eval")
app.command("review")(review_.review)
app.add_typer(ci.app, name="ci")
app.command("schema")(schema.schema)


def run() -> None:
    """Run the command line and exit with the documented status."""
    _open_streams()
    # Where click and rich are installed, httpx imports a command line of its own with
    # them: 100 ms that this process has no use for. It knows how to do without.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    tell_warnings()
    try:
        app()
    except LlmopsError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except Exception as error:  # a defect of ours must not read as "judged and failed"
        import traceback

        traceback.print_exc()
        say(f"error: llmops failed on its own: {type(error).__name__}")
        say("hint: this is a defect; please report it with the lines above")
        sys.exit(ExitCode.INCONCLUSIVE)


def _open_streams() -> None:
    """Have a stdout and stderr that take any text, whatever the shell and the locale give."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed: `>&-`
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
