"""Which kind of change the way from one prompt to another is.

*Breaking* is a matter of the interface alone. Of the rest, what reaches the
model makes it *behaviour*: the content fingerprint tells. A file that differs
and has the same content is *cosmetic*, be it the prompt's own, a partial or the
examples; another version number is nothing.
"""

from __future__ import annotations

from llmops.core.errors import UsageError
from llmops.prompts.comparison.interface import compare_interfaces
from llmops.prompts.comparison.kinds import Change as Change
from llmops.prompts.comparison.kinds import ChangeKind as ChangeKind
from llmops.prompts.comparison.parts import part_texts, with_unix_ends
from llmops.prompts.prompt import Prompt
from llmops.prompts.version_line import version_span


def classify(old: Prompt, new: Prompt) -> ChangeKind:
    """How much the change from `old` to `new` matters to who uses the prompt.

    Raises `DocumentError` for a template that cannot be read.
    """
    if old.fingerprint == new.fingerprint:
        return ChangeKind.NONE if _same_files(old, new) else ChangeKind.COSMETIC
    changes = compare_interfaces(old, new).changes
    return max([ChangeKind.BEHAVIOUR, *(each.kind for each in changes)])


def _same_files(old: Prompt, new: Prompt) -> bool:
    return part_texts(old) == part_texts(new) and (
        old.source == new.source or _without_version(old) == _without_version(new)
    )


def _without_version(prompt: Prompt) -> str:
    """The file's text but for its version; a checkout's line ends do not count."""
    try:
        start, end = version_span(prompt.source, path=prompt.path)
    except UsageError:  # it stands elsewhere, and cannot be told from the rest
        start = end = 0
    return with_unix_ends(prompt.source[:start] + "\0" + prompt.source[end:])
