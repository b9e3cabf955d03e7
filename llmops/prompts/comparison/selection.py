"""Which two sides are compared: what the A and B of a command line mean.

    diff                      HEAD → working tree, all prompts that differ
    diff main                 a revision → working tree, all prompts that differ
    diff main v2              between two revisions
    diff support/answer       one prompt: HEAD → working tree
    diff support/answer@^1    one prompt: that version → working tree
    diff A@1.0.0 B@2.0.0      two versions, be it of different prompts

A prompt wins over a revision of the same name; `git:main` is always the revision.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from llmops.core.errors import NotFound, UsageError
from llmops.prompts.comparison.diff import CountTokens, PromptDiff, compare
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.comparison.snapshots import (
    RevisionSnapshot,
    Snapshot,
    WorkingTree,
    changed_prompts,
    prompt_in,
)
from llmops.prompts.deprecation import PromptDeprecated
from llmops.prompts.prompt import SUFFIX, Prompt
from llmops.prompts.refs import PromptRef, Revision
from llmops.prompts.repository import PromptRepository
from llmops.prompts.trees import FolderTree

WORKING_TREE = "working tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between two sides."""

    before: str
    """What the older side is called: `HEAD`, `support/answer@1.0.0`."""
    after: str
    prompts: tuple[PromptDiff, ...]
    """Those that differ, by name; where one was asked for, that one."""

    @property
    def kind(self) -> ChangeKind:
        """The weightiest of all changes."""
        return max((each.kind for each in self.prompts), default=ChangeKind.NONE)

    def to_json(self) -> dict[str, Any]:
        """The comparison, for programs."""
        return {
            "schema": "llmops.prompts.diff/1",
            "before": self.before,
            "after": self.after,
            "kind": self.kind.value,
            "prompts": [each.to_json() for each in self.prompts],
        }


def diff_prompts(
    repository: PromptRepository,
    a: str | None = None,
    b: str | None = None,
    *,
    only: str | None = None,
    count_tokens: CountTokens | None = None,
) -> Comparison:
    """Compare what `a` and `b` name; see the module for what they mean.

    `only` is a pattern (`support/*`) for the names of prompts where folders
    are compared. Raises `NotFound`, with the nearest, for what names neither
    a prompt nor a revision, and `UsageError` for one of each.
    """
    first = _meant(repository, a) if a is not None else Revision("HEAD")
    second = _meant(repository, b) if b is not None else None
    if isinstance(first, Revision):
        if isinstance(second, PromptRef):
            raise _mixed(second, first)
        before: Snapshot = RevisionSnapshot(repository.git, first.name)
        after = RevisionSnapshot(repository.git, second.name) if second else _now(repository)
        return _folders(before, after, only, count_tokens)
    if isinstance(second, Revision):
        raise _mixed(first, second)
    return _two(repository, first, second, count_tokens)


def _folders(
    before: Snapshot, after: Snapshot, only: str | None, count_tokens: CountTokens | None
) -> Comparison:
    names = changed_prompts(before, after)
    if only is not None:
        names = [name for name in names if fnmatchcase(name, only)]
    for side in (before, after):
        partials = (path for path in side.files if path.endswith(".jinja"))
        side.preload([*(f"{name}{SUFFIX}" for name in names), *(partials if names else ())])
    found = []
    for name in names:
        old, new = prompt_in(before, name), prompt_in(after, name)
        if old is not None or new is not None:
            found.append(compare(old, new, count_tokens=count_tokens))
    return Comparison(
        before=before.label,
        after=after.label,
        prompts=tuple(each for each in found if each.kind is not ChangeKind.NONE),
    )


def _two(
    repository: PromptRepository,
    first: PromptRef,
    second: PromptRef | None,
    count_tokens: CountTokens | None,
) -> Comparison:
    if second is None:
        new = prompt_in(FolderTree(repository.root), first.name)
        if first.selector is None:
            old, before = _at_head(repository, first.name), "HEAD"
        else:
            old, before = _version(repository, first), str(first)
        after = WORKING_TREE
    else:
        old, new = _version(repository, first), _version(repository, second)
        before, after = str(first), str(second)
    if old is None and new is None:
        raise _nothing(str(first), None)
    diff = compare(old, new, count_tokens=count_tokens)
    return Comparison(before=before, after=after, prompts=(diff,))


def _at_head(repository: PromptRepository, name: str) -> Prompt | None:
    return prompt_in(RevisionSnapshot(repository.git, "HEAD"), name)


def _version(repository: PromptRepository, ref: PromptRef) -> Prompt:
    with warnings.catch_warnings():
        # To look at a prompt is not to depend on it.
        warnings.simplefilter("ignore", PromptDeprecated)
        return repository.get(ref)


def _now(repository: PromptRepository) -> Snapshot:
    return WorkingTree(repository.git)


def _meant(repository: PromptRepository, text: str) -> PromptRef | Revision:
    """The prompt or the revision that `text` names."""
    if text.startswith("git:"):
        return Revision(text.removeprefix("git:"))
    try:
        ref = PromptRef.parse(text)
    except UsageError:
        ref = None
    if ref is not None and _is_known(repository, ref.name):
        return ref
    try:
        repository.git.commit(text)
    except UsageError as error:
        near = NotFound.among("prompt", text.partition("@")[0], repository.names()).hint or ""
        meant_prompt = near.startswith("did you mean") or (ref is not None and ref.selector)
        if not meant_prompt and not isinstance(error, NotFound):
            raise  # without git or a commit, there are no revisions at all
        raise _nothing(text, near if meant_prompt else error.hint) from None
    return Revision(text)


def _is_known(repository: PromptRepository, name: str) -> bool:
    """Whether a prompt has the name: here, in the lock, or in the last commit."""
    if repository.path(name).is_file() or repository.lock().versions(name):
        return True
    git = repository.git
    try:
        return f"{name}{SUFFIX}" in git.tree("HEAD").files
    except UsageError:  # no git, or no commit: the folder is all there is
        return False


def _nothing(text: str, hint: str | None) -> NotFound:
    return NotFound(f"neither a prompt nor a git revision is named `{text}`", hint=hint)


def _mixed(ref: PromptRef, revision: Revision) -> UsageError:
    return UsageError(
        f"`{ref}` is a prompt and `{revision.name}` a git revision",
        hint=f"compare two of a kind, such as `{ref.name}` and `{ref.name}@{revision}`",
    )
