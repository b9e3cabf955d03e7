"""Somebody's text as HTML: escaped, and without what steers a reader's eye."""

from __future__ import annotations

import html
import re

from llmops.evals.render.figures import as_text, printable


def text(value: object) -> str:
    """Any value as the text of an element or a quoted attribute."""
    return html.escape(printable(as_text(value)))


def prose(sentence: str) -> str:
    """A sentence, its names in backticks as code.

    >>> prose("the mean of `f1` is < 1")
    'the mean of <code>f1</code> is &lt; 1'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(sentence))
