"""Rules on what a prompt declares: it is what the template uses, and people are told of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.core.errors import NotFound, Where
from llmops.prompts.lint.findings import Finding, found
from llmops.prompts.lint.subject import Subject
from llmops.prompts.names import NOT_HANDED_ON, undeclared


def undeclared_variable(subject: Subject) -> Iterator[Finding]:
    """Every use of a name that is neither an input nor set where it is used."""
    prompt = subject.prompt
    inputs = [each.name for each in prompt.inputs]
    for name, where in undeclared(subject.body, subject.partials, subject.variables):
        if name == "examples":
            hint: str | None = "name their file under `examples`"
        elif name in NOT_HANDED_ON:
            hint = f"hand it on by a name of its own: `{{% set here = {name} %}}`"
        else:
            near = NotFound.among("input", name, inputs)
            hint = near.hint if inputs else "declare it under `inputs`"
        of = "" if where.path == prompt.path else f" of `{prompt.name}`"
        yield found(
            "undeclared-variable",
            f"the variable `{name}` is used but not declared in `inputs`{of}",
            where,
            hint=hint,
        )


def unused_input(subject: Subject) -> Iterator[Finding]:
    """Inputs that callers have to give for nothing."""
    used = {name for each in subject.names for name in each.loaded}
    for each in subject.prompt.inputs:
        if each.name not in used:
            yield found(
                "unused-input",
                f"the input `{each.name}` is declared and never used",
                each.where or Where(subject.prompt.path),
                hint="remove it, or print it",
            )


def input_without_description(subject: Subject) -> Iterator[Finding]:
    """Inputs that callers have to guess the meaning of."""
    for each in subject.prompt.inputs:
        if not each.description.strip():
            yield found(
                "input-without-description",
                f"the input `{each.name}` has no description",
                each.where or Where(subject.prompt.path),
                hint="add `description:` with what a caller has to know",
            )


def outputs_not_mentioned(subject: Subject) -> Iterator[Finding]:
    """Outputs that the answer is held to and the model is not told of."""
    outputs = subject.prompt.outputs
    if not outputs:
        return
    text = "".join(each for each in subject.pieces if type(each) is str)
    if subject.examples:
        text += subject.examples[1]
    low = text.lower()
    missing = [each for each in outputs if not _mentions(low, each.name.lower())]
    if missing:
        names = ", ".join(f"`{each.name}`" for each in missing)
        yield found(
            "outputs-not-mentioned",
            f"the messages do not name {names}, which the answer must hold",
            missing[0].where or Where(subject.prompt.path),
            hint="say in a message which keys the answer has",
        )


def _mentions(low: str, name: str) -> bool:
    if name in low and re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", low):
        return True
    spoken = re.sub("[^a-z0-9]+", "[^a-z0-9]?", name)
    return "[" in spoken and re.search(rf"(?<![a-z0-9]){spoken}(?![a-z0-9])", low) is not None
