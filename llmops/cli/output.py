"""What commands print: data on stdout, talk on stderr, errors as one message."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from llmops.core.errors import LlmopsError


def say(text: str) -> None:
    """Talk to the person, on stderr."""
    typer.echo(text, err=True)


def emit(text: str, *, end: str = "\n") -> None:
    """Print data, on stdout."""
    with printing():
        typer.echo(text + end, nl=False)


@contextmanager
def printing() -> Iterator[None]:
    """Write to stdout in the block; a reader that has gone (`| head`) changes no exit status.

    Raises `LlmopsError` when the text is lost otherwise, as on a full disk.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # Python would try to write the rest once more when it exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if error.errno != errno.EPIPE:
            raise LlmopsError(f"standard output cannot be written: {error.strerror}") from error


def emit_json(value: Any) -> None:
    """Print a value as JSON, on stdout."""
    import json

    emit(json.dumps(value, indent=2, ensure_ascii=not _speaks_utf8(), default=str))


def emit_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns; the last one is never padded."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        emit("  ".join(cells).rstrip())


def show_error(error: LlmopsError) -> None:
    """The message and the hint of an error, on stderr."""
    say(f"error: {error}")
    if error.hint:
        say(f"hint: {error.hint}")


def tell_warnings() -> None:
    """Print our own warnings as talk, without the line of code that came upon them."""
    standard = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        if category.__module__.startswith("llmops."):
            say(f"warning: {message}")
        else:
            standard(message, category, *rest)

    warnings.showwarning = show  # type: ignore[assignment]


def _speaks_utf8() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
