"""Rules on where the text of strangers goes: not among instructions, and never without an end."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.prompts.lint.delimiters import VALUE, is_delimited
from llmops.prompts.lint.findings import Finding, found
from llmops.prompts.lint.flow import Printed, Start
from llmops.prompts.lint.subject import Subject

_OBEYED = frozenset({"system", "developer"})


def untrusted_in_system(subject: Subject) -> Iterator[Finding]:
    """Inputs of strangers in the messages that a model takes its orders from."""
    for each in subject.pieces:
        if type(each) is Printed and each.names and (obeyed := each.roles & _OBEYED):
            role = min(obeyed)
            for name in each.names:
                yield found(
                    "untrusted-in-system",
                    f"the input `{name}` is printed in a `{role}:` message, "
                    "where the model obeys what it says",
                    each.source.where(each.line),
                    hint="print it in a `user:` message; if it is the app's own text, "
                    "declare it `trusted: true`",
                )


def undelimited_input(subject: Subject) -> Iterator[Finding]:
    """Inputs of strangers in user messages, with nothing that shows where they end."""
    for message in _messages(subject):
        values = [each for each in message if isinstance(each, Printed)]
        risky = [each for each in values if each.names and "user" in each.roles]
        if not risky:
            continue
        text = "".join(each if isinstance(each, str) else VALUE for each in message)
        alone = len({each.names for each in values}) == 1 and not text.strip(VALUE + " \t\n")
        at = -1
        for each in values:
            at = text.index(VALUE, at + 1)
            if each not in risky or alone or each.escaped or is_delimited(text, at):
                continue
            for name in each.names:
                yield found(
                    "undelimited-input",
                    f"the input `{name}` is printed without delimiters, so that its text "
                    "can pass for the prompt's own",
                    each.source.where(each.line),
                    hint=f"put it between marks, such as `<{name}>{{{{ {name} }}}}</{name}>`; "
                    "if it is the app's own text, declare it `trusted: true`",
                )


def _messages(subject: Subject) -> Iterator[list[str | Printed]]:
    message: list[str | Printed] = []
    for each in subject.pieces:
        if isinstance(each, Start):
            yield message
            message = []
        else:
            message.append(each.replace(VALUE, " ") if isinstance(each, str) else each)
    yield message
