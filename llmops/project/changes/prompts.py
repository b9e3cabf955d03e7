"""Whether a ref leads to the same prompt on both sides, and what changed if not."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from llmops.core.errors import UsageError
from llmops.project.changes.files import FileChanges
from llmops.project.revision import ProjectRevision
from llmops.prompts import Prompt
from llmops.prompts.comparison.diff import compare
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.deprecation import PromptDeprecated
from llmops.prompts.lockfile import LOCK_NAME
from llmops.prompts.prompt import SUFFIX
from llmops.prompts.refs import PromptRef

if TYPE_CHECKING:
    from llmops.project.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptChange:
    """One ref on both sides."""

    now: Prompt | None
    then: Prompt | None
    """`None` where the ref leads to nothing that can be read."""
    what: str | None
    """What differs of all that reaches a model, in words; `None` if nothing does."""


class PromptChanges:
    """The prompts of a project now beside those of a revision."""

    def __init__(self, project: Project, revision: ProjectRevision, files: FileChanges):
        self._project = project
        self._revision = revision
        self._files = files
        self._known: dict[tuple[str, str], PromptChange] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all prompts, of now and of then."""
        return frozenset(
            path.removeprefix(folder).removesuffix(SUFFIX)
            for folder, paths in (
                (_folder(self._project.config.paths.prompts), self._files.now),
                (_folder(self._revision.config.paths.prompts), self._files.then),
            )
            for path in paths
            if path.startswith(folder) and path.endswith(SUFFIX)
        )

    def at(self, ref: str, was: str | None = None) -> PromptChange:
        """What became of a ref; `was` is how it was written then, where that differs."""
        key = (ref, was or ref)
        if key not in self._known:
            self._known[key] = self._compared(*key)
        return self._known[key]

    def _compared(self, ref: str, was: str) -> PromptChange:
        with warnings.catch_warnings():
            # To look at a prompt is not to depend on it.
            warnings.simplefilter("ignore", PromptDeprecated)
            try:
                now = self._project.prompt(ref)
            except UsageError:
                return PromptChange(now=None, then=None, what="cannot be read")
            if ref == was and self._is_untouched(ref, now):
                return PromptChange(now=now, then=now, what=None)
            try:
                then = self._revision.prompt(was)
                then_print = then.fingerprint
            except UsageError:
                return PromptChange(now=now, then=None, what="new")
        if now.fingerprint == then_print:
            return PromptChange(now=now, then=then, what=None)
        return PromptChange(now=now, then=then, what=_told(then, now))

    def _is_untouched(self, ref: str, now: Prompt) -> bool:
        """Whether all files that the ref can rest on are the same; the quick way out."""
        folder = _folder(self._project.config.paths.prompts)
        if self._project.bundle or folder != _folder(self._revision.config.paths.prompts):
            return False
        wanted = PromptRef.parse(ref)
        parts = [f"{wanted.name}{SUFFIX}", *(part.path for part in now.parts)]
        if wanted.selector is not None:
            parts.append(LOCK_NAME)
        return all(self._files.is_same(folder + part) for part in parts)


def _told(then: Prompt, now: Prompt) -> str:
    reasons = [
        each.what
        for each in compare(then, now).reasons
        if each.kind not in (ChangeKind.NONE, ChangeKind.COSMETIC)
    ]
    if then.version != now.version:
        reasons.insert(0, f"{then.version} → {now.version}")
    return "; ".join(reasons) or "changed"


def _folder(path: str) -> str:
    return f"{path.strip('/')}/" if path.strip("/.") else ""
