"""What changed between two versions of a prompt, and whether its callers would notice.

Owns the kinds of changes, the comparison of two prompts, what a command line
means by two sides, and how a difference reads. It decides nothing and writes
nothing; models are not called here. Telling the kind of a change needs no word
of the texts, so what compares them is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops.core.lazy import on_first_use

if TYPE_CHECKING:
    from llmops.prompts.comparison.changes import Change as Change
    from llmops.prompts.comparison.changes import ChangeKind as ChangeKind
    from llmops.prompts.comparison.changes import classify as classify
    from llmops.prompts.comparison.diff import PromptDiff as PromptDiff
    from llmops.prompts.comparison.diff import compare as compare
    from llmops.prompts.comparison.selection import Comparison as Comparison
    from llmops.prompts.comparison.selection import diff_prompts as diff_prompts

__all__ = [
    "Change",
    "ChangeKind",
    "Comparison",
    "PromptDiff",
    "classify",
    "compare",
    "diff_prompts",
]

__getattr__ = on_first_use(
    __name__,
    {
        "Change": "changes",
        "ChangeKind": "changes",
        "Comparison": "selection",
        "PromptDiff": "diff",
        "classify": "changes",
        "compare": "diff",
        "diff_prompts": "selection",
    },
)
