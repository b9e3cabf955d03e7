"""`llmops prompt`: the prompts of the project; here, list, show and render them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli import prompt_diff, prompt_exchange, prompt_lint, prompt_release
from llmops.cli.output import emit, emit_json, emit_table

if TYPE_CHECKING:
    from llmops.prompts import Input, Prompt

app = typer.Typer(help="The prompts of the project.", no_args_is_help=True, rich_markup_mode=None)

Ref = Annotated[
    str,
    typer.Argument(
        help="A prompt: NAME, NAME@1.2.0, NAME@^1, NAME@production, NAME@sha256:… or NAME@git:REV",
        metavar="REF",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_prompts(as_json: AsJson = False) -> None:
    """List all prompts."""
    from llmops.project import prompts_project

    prompts = prompts_project().prompts.list()
    if as_json:
        emit_json([prompt.to_json() for prompt in prompts])
        return
    rows = [
        (
            prompt.name,
            f"{prompt.version} (deprecated)" if prompt.deprecated else prompt.version,
            prompt.model or "-",
            ", ".join(each.name for each in prompt.inputs) or "-",
        )
        for prompt in prompts
    ]
    emit_table(("NAME", "VERSION", "MODEL", "INPUTS"), rows)


@app.command("show")
def show_prompt(ref: Ref, as_json: AsJson = False) -> None:
    """Show a prompt: version, fingerprint, inputs, outputs and template."""
    from llmops.project import prompts_project

    prompt = prompts_project().prompts.get(ref)
    if as_json:
        emit_json({**prompt.to_json(), "template": prompt.body})
        return
    for key, value in _facts(prompt):
        emit(f"{key:13}{value}")
    for side, declared in (("INPUT", prompt.inputs), ("OUTPUT", prompt.outputs)):
        if declared:
            emit("")
            emit_table((side, "KIND", "NEED", "DESCRIPTION"), [_row(each) for each in declared])
    emit(f"\n{prompt.body.strip()}")


@app.command("render")
def render_prompt(
    ref: Ref,
    var: Annotated[
        list[str] | None,
        typer.Option("--var", metavar="NAME=VALUE", help="An input; `NAME=@FILE` reads a file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Render a prompt to the messages that a model would get."""
    from llmops.project import prompts_project
    from llmops.prompts import parse_assignments

    prompt = prompts_project().prompts.get(ref)
    messages = prompt.render(**parse_assignments(prompt, var or []))
    if as_json:
        emit_json([message.to_json() for message in messages])
        return
    for number, message in enumerate(messages, 1):
        # Numbered: a value may hold lines that look like the start of a message.
        emit(f"[{number} of {len(messages)}] {message.role}\n{message.content}\n")


app.command("diff")(prompt_diff.diff)
app.command("lint")(prompt_lint.lint)
app.command("lock")(prompt_release.lock)
app.command("check")(prompt_release.check)
app.command("promote")(prompt_release.promote)
app.command("rollback")(prompt_release.rollback)
app.command("history")(prompt_release.history)
app.command("bundle")(prompt_release.bundle)
app.command("import")(prompt_exchange.import_prompts)
app.command("export")(prompt_exchange.export_prompts)


def _facts(prompt: Prompt) -> list[tuple[str, str]]:
    from llmops.prompts.prompt import sampling_json

    sampling = ", ".join(f"{key} {value}" for key, value in sampling_json(prompt.sampling).items())
    facts = {
        "name": prompt.name,
        "title": prompt.display_name,
        "version": prompt.version,
        "description": prompt.description,
        "file": prompt.path,
        "content": prompt.fingerprint,
        "interface": prompt.interface_fingerprint,
        "model": prompt.model,
        "sampling": sampling,
        "authors": ", ".join(prompt.authors),
        "tags": ", ".join(prompt.tags),
        "deprecated": _deprecation(prompt),
    }
    return [(key, str(value)) for key, value in facts.items() if value]


def _deprecation(prompt: Prompt) -> str | None:
    deprecated = prompt.deprecated
    if deprecated is None:
        return None
    parts = (
        f"since {deprecated.since}" if deprecated.since else "",
        f"use {deprecated.use}" if deprecated.use else "",
        f"gone after {deprecated.after}" if deprecated.after else "",
    )
    return ", ".join(part for part in parts if part) or "yes"


def _row(declared: Input) -> tuple[str, ...]:
    fields = declared.to_json()
    if "default" in fields:
        need = f"default {_short(fields['default'])}"
    else:
        need = "required" if declared.required else "optional"
    return (declared.name, declared.kind.value, need, declared.description)


def _short(value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"
