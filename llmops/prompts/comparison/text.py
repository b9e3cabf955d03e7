"""A comparison as plain text, for a terminal.

Words are marked as by `git diff --word-diff`, `[-taken out-]{+put in+}`, and
characters that steer a terminal or cannot be seen are spelled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmops.prompts.comparison.diff import PromptDiff
from llmops.prompts.comparison.layout import Gap, laid_out, visible
from llmops.prompts.comparison.selection import Comparison
from llmops.prompts.comparison.sentences import amount, counted, sides, titled, verdict, versions
from llmops.prompts.comparison.words import Span

_MARKS = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}


def to_text(comparison: Comparison) -> str:
    """The whole comparison; the last line says what it amounts to."""
    blocks = ["\n".join(_prompt(each)) for each in comparison.prompts]
    return "\n\n".join([*blocks, f"{visible(sides(comparison))}: {amount(comparison)}"])


def _prompt(diff: PromptDiff) -> Iterator[str]:
    name = diff.before.name if diff.before else diff.name
    yield f"{name} {versions(diff)}: {verdict(diff)}"
    for reason in diff.reasons:
        line = f" (line {reason.where.line})" if reason.where and reason.where.line else ""
        yield f"  {reason.kind:9}  {visible(reason.what)}{line}"
    for message in diff.messages:
        if message.state != "same":
            yield f"  {titled(message)}:"
            yield from _words(message.spans)
    for part in diff.parts:
        yield f"  {visible(part.path)} ({part.state}):"
        yield from _words(part.spans)
    yield f"  tokens: {visible(counted(diff.tokens))}"


def _words(spans: Iterable[Span]) -> Iterator[str]:
    for row in laid_out(spans):
        if isinstance(row, Gap):
            yield f"    {row}"
        else:
            marked = (_MARKS[span.change].format(visible(span.text)) for span in row)
            yield f"    {''.join(marked)}".rstrip()
