"""`llmops run REF`: one prompt, one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from llmops.core.chat import ChatChunk


def run(
    ref: Annotated[str, typer.Argument(metavar="REF", help="The prompt, such as `qa/answer`.")],
    var: Annotated[
        list[str] | None,
        typer.Option("--var", metavar="NAME=VALUE", help="An input; `NAME=@FILE` reads a file."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="A model of llmops.toml, or a LiteLLM name. Left out: the project's default."
        ),
    ] = None,
    stream: Annotated[bool, typer.Option(help="Print the answer while it comes.")] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Call the model even if the answer is known.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print answer, usage and timing.")] = False,
) -> None:
    """Render a prompt, call the model, print the answer."""
    from llmops.project import load_project, run_sync
    from llmops.prompts import parse_assignments

    project = load_project()
    prompt = project.prompt(ref)
    inputs = parse_assignments(prompt, var or [])
    if stream and not json:
        run_sync(_print_stream(project.answer_stream(prompt, inputs, model=model)))
        return
    reply = run_sync(project.answer(prompt, inputs, model=model, use_cache=not no_cache))
    if json:
        emit_json(
            {
                "prompt": {
                    "name": prompt.name,
                    "version": prompt.version,
                    "fingerprint": prompt.fingerprint,
                },
                "model": reply.model,
                "text": reply.text,
                "finish_reason": reply.finish_reason,
                "system_fingerprint": reply.system_fingerprint,
                "usage": {
                    "input_tokens": reply.usage.input_tokens,
                    "output_tokens": reply.usage.output_tokens,
                    "cost": reply.usage.cost,
                },
                "latency": reply.latency,
                "cached": reply.cached,
            }
        )
        return
    emit(reply.text)
    if reply.truncated:
        say("note: the answer was cut at the token limit")


async def _print_stream(chunks: AsyncIterator[ChatChunk]) -> None:
    """Print pieces as they come; a stream that breaks off raises after what came."""
    async for chunk in chunks:
        emit(chunk.text, end="")
    emit("")
