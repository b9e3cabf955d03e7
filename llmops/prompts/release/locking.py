"""`prompt lock`: give every prompt that changed its version, and write it down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from llmops.core.files import check_writable, read_document, write_text
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.lockfile import LOCK_NAME, Lock
from llmops.prompts.prompt import SUFFIX
from llmops.prompts.release.plan import Plan, Step, locked, plan_lock, without_drafts
from llmops.prompts.release.turns import only_writer
from llmops.prompts.repository import PromptRepository
from llmops.prompts.version_line import with_version
from llmops.prompts.versions import Version

ATTRIBUTES = ".gitattributes"
MERGING = """\
# Branches that add different prompts insert at the same place of the lock; both are kept.
# Two versions of one number, or two moves of one alias, are still found when it is read.
prompts.lock merge=union
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What became of one prompt."""

    name: str
    version: Version
    before: Version | None
    kind: ChangeKind
    again: bool
    """Whether it is an older version's text again."""
    rewritten: bool
    """Whether the file says another version now."""

    def to_json(self) -> dict[str, Any]:
        """The step, for programs."""
        return {
            "name": self.name,
            "version": str(self.version),
            "before": str(self.before) if self.before else None,
            "kind": self.kind.value if self.before else "new",
            "again": self.again,
            "rewritten": self.rewritten,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """What `lock_prompts` did."""

    steps: tuple[Locked, ...]
    dropped: tuple[str, ...]
    """Drafts that are gone, as `name@version`."""
    prompts: int
    """How many prompts there are."""

    def to_json(self) -> dict[str, Any]:
        """The result, for programs."""
        return {
            "locked": [step.to_json() for step in self.steps],
            "dropped": list(self.dropped),
            "prompts": self.prompts,
        }


def lock_prompts(
    repository: PromptRepository,
    *,
    names: Iterable[str] | None = None,
    bump: ChangeKind | None = None,
    base: str = "HEAD",
) -> LockResult:
    """Give every prompt that changed the least version its change allows, and lock it.

    The version is written into the prompt's file, unless a large enough one is
    there already, and into `prompts.lock`. A text that was released before
    gets its old version again. `names` limits it to some prompts; `bump` asks
    for a larger step; versions that `base` does not have are drafts, whose
    place an edit takes.

    Raises `UsageError` or `DocumentError` for anything that is wrong, before
    anything is written. Killed half-way, it does the rest when it is run again.
    """
    with only_writer(repository):
        plan = plan_lock(repository, names=names, bump=bump, base=base)
        if not plan.empty:
            _refuse_broken(plan.steps)
            _write_versions(repository, plan.steps)
        _write_lock(repository, _new_lock(repository, plan))
    return LockResult(
        steps=tuple(_told(step) for step in plan.steps),
        dropped=tuple(
            f"{one.prompt}@{one.version}"
            for one in plan.stale
            if not any(
                step.name == one.prompt and step.version == one.version for step in plan.steps
            )
        ),
        prompts=len(repository.names()),
    )


def _refuse_broken(steps: Iterable[Step]) -> None:
    """A version stays for good: one that can never be rendered is not worth it."""
    for step in steps:
        if step.prompt:
            step.prompt.check()


def _write_versions(repository: PromptRepository, steps: Iterable[Step]) -> None:
    changed = {}
    check_writable(repository.lock_path)
    for step in steps:
        path = repository.path(step.name)
        if step.rewrites:
            source = path.read_bytes().decode("utf-8")
            changed[path] = with_version(source, step.version, path=path)
            check_writable(path)
    for path, text in changed.items():
        write_text(path, text)


def _new_lock(repository: PromptRepository, plan: Plan) -> Lock:
    made = {step: step.prompt for step in plan.steps if step.prompt is not None}
    files = [f"{step.name}{SUFFIX}" for step in made if step.rewrites]
    blobs = plan.blobs | repository.git.hashes(files)
    touched = {step.name for step in made} | {one.prompt for one in plan.stale}
    blocks = {name: without_drafts(plan.lock.block(name), plan.stale) for name in touched}
    for step, prompt in made.items():
        version = locked(prompt, step.version, blobs, asked=step.asked)
        block = blocks[step.name]
        blocks[step.name] = replace(block, versions=(*block.versions, version))
    return plan.lock.with_blocks(blocks)


def _write_lock(repository: PromptRepository, lock: Lock) -> None:
    """Write the lock if it says something else than before, or says it out of order.

    A merge that keeps the lines of both sides leaves them as they come.
    """
    path = repository.lock_path
    if not path.exists():
        if not lock.names():
            return
        _keep_merges_easy(repository)
    elif read_document(path, limit=None).replace("\r\n", "\n") == lock.text():
        return
    write_text(path, lock.text())


def _keep_merges_easy(repository: PromptRepository) -> None:
    path = repository.root / ATTRIBUTES
    known = read_document(path) if path.exists() else ""
    if f"{LOCK_NAME} merge=" not in known:
        divided = known if known.endswith("\n") or not known else f"{known}\n"
        write_text(path, divided + MERGING)


def _told(step: Step) -> Locked:
    return Locked(
        name=step.name,
        version=step.version,
        before=step.before,
        kind=step.kind,
        again=step.again,
        rewritten=step.rewrites,
    )
