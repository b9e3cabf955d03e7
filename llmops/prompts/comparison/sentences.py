"""What a comparison says in words, wherever it is read."""

from __future__ import annotations

from collections import Counter

from llmops.prompts.comparison.diff import PromptDiff, Tokens
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.comparison.messages import MessageChange
from llmops.prompts.comparison.selection import Comparison


def sides(comparison: Comparison) -> str:
    """What is compared with what."""
    return f"{comparison.before} → {comparison.after}"


def amount(comparison: Comparison) -> str:
    """How many prompts differ, and how much."""
    kinds = Counter(each.kind for each in comparison.prompts)
    differ = len(comparison.prompts) - kinds.pop(ChangeKind.NONE, 0)
    if not differ:
        return "no prompt differs"
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds, reverse=True))
    return f"{differ} {'prompts differ' if differ > 1 else 'prompt differs'} ({told})"


def versions(diff: PromptDiff) -> str:
    """The two versions, or the one that there is."""
    before, after = diff.before, diff.after
    if before is None or after is None:
        return "".join(side.version for side in (before, after) if side)
    if before.name != after.name:
        return f"{before.version} → {after.name} {after.version}"
    if before.version != after.version:
        return f"{before.version} → {after.version}"
    return after.version


def verdict(diff: PromptDiff) -> str:
    """What the change amounts to."""
    if diff.before is None:
        return "added"
    if diff.after is None:
        return "removed"
    return f"{diff.kind} ({diff.kind.bump})" if diff.kind.bump else "no change"


def counted(tokens: Tokens) -> str:
    """The counts of tokens, or why there are none."""
    before, after = tokens.before, tokens.after
    if before is not None and after is not None:
        change = f" ({after - before:+})" if after != before else ""
        return f"{before} → {after}{change}"
    known = [
        f"{count} {side}"
        for count, side in ((before, "before"), (after, "after"))
        if count is not None
    ]
    reason = f"not counted ({tokens.reason})" if tokens.reason else ""
    return ", ".join([*known, *([reason] if reason else [])]) or "not counted"


def titled(message: MessageChange) -> str:
    """Which message it is, and what became of it."""
    role = f"{message.role}" if message.role else "before the first role line"
    if message.old_role:
        role = f"{message.old_role} → {role}"
    state = "" if message.state == "changed" else f", {message.state}"
    return f"{role} (line {message.line}{state})"
