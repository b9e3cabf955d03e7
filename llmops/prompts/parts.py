"""The files that a prompt is made of besides its own: partials and few-shot examples."""

from __future__ import annotations

from dataclasses import dataclass

from llmops.core.errors import DocumentError, NotFound, Where
from llmops.prompts.trees import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file that a prompt is made of, and the address of what is in it."""

    path: str
    """Relative to the prompts folder."""
    fingerprint: str
    """Without what no model sees: comments, line ends."""


def missing_part(
    kind: str, name: str, suffix: str, tree: Tree, where: Where | None
) -> DocumentError:
    """The error for a part that is named at `where` and not in `tree`; suggests the nearest."""
    path = f"{name}{suffix}"
    alike = suffix or "." + path.rpartition(".")[2]
    known = [each.removesuffix(suffix) for each in tree.paths() if each.endswith(alike)]
    return DocumentError(
        f"the {kind} `{name}` is not there ({tree.where(path)})",
        hint=NotFound.among(kind, name, known).hint,
        where=where,
    )


def missing_tree(kind: str, name: str, where: Where | None) -> DocumentError:
    """The error for a prompt that was read on its own and is made of several files."""
    return DocumentError(
        f"needs {kind} `{name}`, and was read without its folder",
        hint="load it from the folder that it belongs to",
        where=where,
    )
