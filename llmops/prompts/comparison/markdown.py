"""A comparison as Markdown, for a comment on a pull request.

A prompt's text is somebody's text: it stands in `<pre>`, where GitHub reads no
Markdown, links nothing and tells nobody that they were mentioned, and its own
HTML is escaped. Words are marked by tags, since `~~` and `**` mark nothing
there, nor anywhere next to punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from llmops.prompts.comparison.diff import PromptDiff
from llmops.prompts.comparison.layout import Gap, Row, laid_out, visible
from llmops.prompts.comparison.selection import Comparison
from llmops.prompts.comparison.sentences import (
    amount,
    counted,
    sides,
    titled,
    verdict,
    versions,
)
from llmops.prompts.comparison.values import quoted
from llmops.prompts.comparison.words import Span

_TAGS = {"same": "{}", "removed": "<del>{}</del>", "added": "<ins><b>{}</b></ins>"}
_WIDTH = 100
"""Characters of a line; GitHub does not wrap what is in `<pre>`."""
_WORD = re.compile(r"\S*\s*")


def to_markdown(comparison: Comparison) -> str:
    """The whole comparison: a table of the prompts, then what changed in each."""
    lines = ["## Prompts", "", f"{_code(sides(comparison))}: {amount(comparison)}"]
    if comparison.prompts:
        lines += ["", "| Prompt | Version | Change |", "| --- | --- | --- |"]
        lines += [
            f"| {_name(each)} | {versions(each)} | {verdict(each)} |" for each in comparison.prompts
        ]
    for diff in comparison.prompts:
        lines += ["", *prompt_lines(diff)]
    return "\n".join(lines)


def prompt_lines(diff: PromptDiff) -> Iterator[str]:
    """What changed in one prompt, line by line, below a heading of its own."""
    yield f"### {_name(diff)} {versions(diff)}: {verdict(diff)}"
    yield ""
    for reason in diff.reasons:
        line = f" (line {reason.where.line})" if reason.where and reason.where.line else ""
        yield f"- **{reason.kind}** {visible(reason.what)}{line}"
    yield f"- tokens: {_tokens(diff)}"
    for message in diff.messages:
        if message.state != "same":
            yield from _folded(titled(message), message.spans)
    for part in diff.parts:
        yield from _folded(f"{part.path} ({part.state})", part.spans)


def _name(diff: PromptDiff) -> str:
    return f"`{diff.before.name if diff.before else diff.name}`"


def _tokens(diff: PromptDiff) -> str:
    text = counted(diff.tokens)
    reason = diff.tokens.reason
    return text if reason is None else text.replace(reason, _code(reason))


def _folded(title: str, spans: Iterable[Span]) -> Iterator[str]:
    yield ""
    yield f"<details open><summary><code>{escape(visible(title))}</code></summary>"
    yield ""
    yield "<pre>"
    for row in laid_out(spans):
        if isinstance(row, Gap):
            yield f"<i>{row}</i>"
        else:
            yield from _wrapped(row)
    yield "</pre>"
    yield ""
    yield "</details>"


def _wrapped(row: Row) -> Iterator[str]:
    """A line in pieces that fit, the later ones marked as such."""
    pieces: list[list[Span]] = [[]]
    width = 0
    for span in row:
        for word in filter(None, _WORD.findall(visible(span.text))):
            if width and width + len(word.rstrip()) > _WIDTH:
                pieces.append([])
                width = 2
            pieces[-1].append(Span(span.change, word))
            width += len(word)
    for index, piece in enumerate(pieces):
        marked = (
            _TAGS[change].format(escape("".join(span.text for span in spans), quote=False))
            for change, spans in groupby(piece, key=lambda span: span.change)
        )
        yield ("↳ " if index else "") + "".join(marked).rstrip()


def _code(text: str) -> str:
    """Foreign text as a code span on one line."""
    return quoted(visible(" ".join(text.split())))
