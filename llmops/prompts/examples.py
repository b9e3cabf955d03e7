"""Few-shot examples: the rows of a JSONL file beside the prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.core.fingerprint import fingerprint
from llmops.prompts.parts import missing_part, missing_tree
from llmops.prompts.plain import describe, plain_json
from llmops.prompts.schema import unix_lines
from llmops.prompts.trees import NoSuchFile, Tree

Row = dict[str, Any]


def read_examples(text: str, path: Path) -> tuple[Row, ...]:
    """The rows that `text` spells, one JSON object a line, all with the same keys.

    Raises `DocumentError`, with the line, for what is no such row, and for a
    file without any.
    """
    rows: list[Row] = []
    for number, line in enumerate(unix_lines(text, path).split("\n"), 1):
        if line.strip():
            row = _row(line, Where(path, number))
            if rows and row.keys() != rows[0].keys():
                raise _other_keys(row, rows[0], Where(path, number))
            rows.append(row)
    if not rows:
        raise DocumentError(
            "holds no example",
            hint="write one JSON object a line, or remove `examples` from the prompt",
            where=Where(path),
        )
    return tuple(rows)


def load_examples(path: str, tree: Tree | None, where: Where | None) -> tuple[Row, ...]:
    """The rows of the file `path` in `tree`; `where` is the place that names it."""
    if tree is None:
        raise missing_tree("examples", path, where)
    try:
        text = tree.text(path)
    except NoSuchFile:
        raise missing_part("file of examples", path, "", tree, where) from None
    return read_examples(text, tree.where(path))


def examples_fingerprint(rows: tuple[Row, ...]) -> str:
    """The address of the rows; the order of keys counts, since a template may print them."""
    return fingerprint(
        {
            "format": "llmops/examples/1",
            "rows": [json.dumps(row, ensure_ascii=False) for row in rows],
        }
    )


def _row(line: str, where: Where) -> Row:
    try:
        row = _decode(line)
        if not isinstance(row, dict):
            raise DocumentError(
                f"expected an object, found {describe(row)}",
                hint='one example a line: {"question": "…", "answer": "…"}',
                where=where,
            )
        plain: Row = plain_json(row, "examples")
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not valid JSON: {error.msg} (column {error.colno})",
            hint="one JSON object a line, with no comma after it",
            where=where,
        ) from None
    except UsageError as error:
        if isinstance(error, DocumentError):
            raise
        message = error.message.removeprefix("the input ")
        raise DocumentError(message, hint=error.hint, where=where) from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise DocumentError(f"not valid JSON: {reason}", where=where) from None
    return plain


def _other_keys(row: Row, first: Row, where: Where) -> DocumentError:
    odd = [f"lacks `{key}`" for key in first if key not in row]
    odd += [f"has `{key}` besides" for key in row if key not in first]
    return DocumentError(
        f"has other keys than the first example: {', '.join(odd)}",
        hint="give all examples the same keys; `null` is a value",
        where=where,
    )


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice}` stands twice")
    return row


_decode = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_once).decode
