"""What the rules look at: a prompt, its syntax trees, and where its inputs go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmops.prompts.compiling import Parsed
from llmops.prompts.lint.flow import Piece, flow
from llmops.prompts.names import Names, names_of
from llmops.prompts.prompt import Prompt


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A prompt that can be read; its templates are parsed, not compiled."""

    prompt: Prompt
    body: Parsed
    partials: Mapping[str, Parsed]
    """By name, each after those that it includes."""

    @property
    def templates(self) -> Iterator[Parsed]:
        """The body, then the partials."""
        yield self.body
        yield from self.partials.values()

    @cached_property
    def names(self) -> tuple[Names, ...]:
        """The names of each template."""
        return tuple(map(names_of, self.templates))

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names that the template may use without setting them."""
        names = [each.name for each in self.prompt.inputs]
        return frozenset([*names, "examples"] if self.prompt.examples_path else names)

    @cached_property
    def pieces(self) -> list[Piece]:
        """What the template prints; see `flow`."""
        return flow(self.body, self.partials, self.prompt.inputs)

    @cached_property
    def examples(self) -> tuple[Path, str] | None:
        """The file of few-shot examples and its text."""
        path, tree = self.prompt.examples_path, self.prompt.tree
        return (tree.where(path), tree.text(path)) if path and tree else None
