"""`prompt check`: whether the lock says what the files are, and versions tell the truth.

For CI and for a commit hook: it writes nothing, and says what to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.prompts.comparison.changes import classify
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.git import GitTree, ObjectMissing
from llmops.prompts.lint import Finding, lint_prompts
from llmops.prompts.lockfile import Lock
from llmops.prompts.prompt import SUFFIX, Prompt, load_prompt, parse_prompt
from llmops.prompts.release.bumps import enough, least
from llmops.prompts.release.plan import Plan, Step, plan_lock, standing
from llmops.prompts.release.released import lock_at
from llmops.prompts.repository import PromptRepository, files_of
from llmops.prompts.version_line import version_span
from llmops.prompts.versions import Version

LOCK = "run `llmops prompt lock`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One way in which files and lock disagree, or a version promises too much."""

    rule: str
    """`lock`, `version`, `released` or `alias`."""
    message: str
    hint: str
    where: Where
    prompt: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The problem, for programs."""
        return {
            "rule": self.rule,
            "prompt": self.prompt,
            "message": self.message,
            "hint": self.hint,
            "path": str(self.where.path),
            "line": self.where.line,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What `check_prompts` found."""

    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]
    """What the linter found, warnings too."""
    prompts: int

    @property
    def clean(self) -> bool:
        """Whether a pull request may be merged: no problem, and no error of the linter."""
        return not self.problems and not any(each.level == "error" for each in self.findings)


def check_prompts(
    repository: PromptRepository,
    *,
    base: str | None = None,
    findings: Iterable[Finding] | None = None,
) -> CheckResult:
    """Whether lock, versions and aliases are right, and the linter finds no error.

    With `base`, a branch or commit, also whether every version was raised
    enough since HEAD and `base` went apart, and no released version or move of
    an alias was touched. `findings` is what the linter found; left out, it is
    asked as it is by default. Raises `UsageError` without git or for an
    unknown revision.
    """
    findings = tuple(lint_prompts(repository) if findings is None else findings)
    prompts = 0
    try:
        prompts = len(repository.names())
        # What the branch itself has locked and taken back again is its own affair.
        plan = plan_lock(repository, held=base is None)
    except (DocumentError, ObjectMissing) as error:
        problems: tuple[Problem, ...] = tuple(_unplanned(repository, error, findings))
    else:
        problems = (
            *_drift(repository, plan),
            *_broken_blocks(plan.lock),
            *(_against(repository, plan, base) if base else ()),
        )
    told = {(each.where, each.message) for each in findings}
    problems = tuple(each for each in problems if (each.where, each.message) not in told)
    return CheckResult(problems=problems, findings=findings, prompts=prompts)


def _unplanned(
    repository: PromptRepository, error: UsageError, findings: tuple[Finding, ...]
) -> Iterator[Problem]:
    """The problem that kept the rest from being looked at, unless the linter told it already."""
    where = error.where or Where(repository.root)
    if not any(each.where == where for each in findings if each.level == "error"):
        yield Problem(rule="lock", message=error.message, hint=error.hint or LOCK, where=where)


def _drift(repository: PromptRepository, plan: Plan) -> Iterator[Problem]:
    for step in plan.steps:
        yield Problem(
            rule="version" if step.rewrites and step.before else "lock",
            prompt=step.name,
            message=_told(step),
            hint=LOCK,
            where=_version_line(repository, step.name),
        )
    made = {(step.name, step.version) for step in plan.steps}
    for draft in plan.stale:
        if (draft.prompt, draft.version) not in made:
            yield Problem(
                rule="lock",
                prompt=draft.prompt,
                message=f"`{draft.prompt}@{draft.version}` is locked, and nothing has that text",
                hint=LOCK,
                where=plan.lock.where(draft),
            )


def _told(step: Step) -> str:
    if step.before is None:
        return f"`{step.name}` is not locked yet"
    if step.again:
        return (
            f"`{step.name}` says {step.written}, and has the text of {step.version}: "
            "the same content keeps its version"
        )
    change = f"`{step.name}` has a {step.kind} change since {step.before}"
    if step.rewrites:
        return f"{change}: it needs {step.version}, and says {step.written}"
    return f"{change}: {step.version} is not locked yet"


def _broken_blocks(lock: Lock) -> Iterator[Problem]:
    for error in lock.check():
        yield Problem(
            rule="lock",
            message=error.message,
            hint=error.hint or LOCK,
            where=error.where or Where(lock.path),
        )


def _against(repository: PromptRepository, plan: Plan, base: str) -> Iterator[Problem]:
    fork = repository.git.merge_base(base)
    before = lock_at(repository, fork)
    yield from _touched(plan.lock, before, base)
    yield from _collisions(plan.lock, before, lock_at(repository, base), base)
    yield from _lost(repository, plan, before, fork, base)
    pending = {step.name for step in plan.steps}
    for name in _changed(repository, plan, fork):
        if name not in pending:
            yield from _raised_too_little(repository, before, repository.git.tree(fork), name, base)


def _touched(lock: Lock, before: Lock, base: str) -> Iterator[Problem]:
    """What `base` has released, and the lock does not have as it was."""
    for name in before.names():
        if lock.agrees(before, name):
            continue
        for one in before.versions(name):
            now = lock.version(name, one.version)
            if now != one:
                yield Problem(
                    rule="released",
                    prompt=name,
                    message=f"version {one.version} of `{name}` is "
                    f"{'another text than' if now else 'gone, and stands'} in `{base}`",
                    hint="released versions stay: take the line back from "
                    f"`git show {base}:./prompts.lock`, then {LOCK}",
                    where=lock.where(now) if now else Where(lock.path),
                )
        moves, earlier = lock.moves(name), before.moves(name)
        if moves[: len(earlier)] != earlier:
            yield Problem(
                rule="alias",
                prompt=name,
                message=f"moves of the aliases of `{name}` that `{base}` has are gone or changed",
                hint="the history of an alias only grows; move it back with "
                "`llmops prompt rollback` or `promote`",
                where=Where(lock.path),
            )


def _collisions(lock: Lock, before: Lock, tip: Lock, base: str) -> Iterator[Problem]:
    """Versions that this branch and `base` both made since they went apart."""
    for name in tip.names():
        if tip.agrees(before, name) or lock.agrees(tip, name):
            continue
        for theirs in tip.versions(name):
            ours = lock.version(name, theirs.version)
            if ours is not None and ours != theirs and ours not in before.versions(name):
                yield Problem(
                    rule="released",
                    prompt=name,
                    message=f"version {theirs.version} of `{name}` is another text in `{base}`",
                    hint=f"merge `{base}`, keep its line of the lock, and run "
                    f"`llmops prompt lock --base {base}`",
                    where=lock.where(ours),
                )


def _lost(
    repository: PromptRepository, plan: Plan, before: Lock, fork: str, base: str
) -> Iterator[Problem]:
    """Versions made since then of which no commit has the text: a squash took it away."""
    git, lock = repository.git, plan.lock
    made = [
        one
        for name in lock.names()
        if not lock.agrees(before, name)
        for one in lock.versions(name)
        if before.version(name, one.version) is None
    ]
    if not made:
        return
    merging = ["MERGE_HEAD"] if git.merging() else []
    # Where there was no lock yet, or it lay elsewhere, any commit may have the text.
    since = [f"^{fork}"] if before.names() else []
    kept = git.objects("HEAD", base, *merging, *since) | set(plan.blobs.values())
    kept |= set(git.tree(fork).files.values())
    for one in made:
        if not kept.issuperset(files_of(one).values()):
            yield Problem(
                rule="released",
                prompt=one.prompt,
                message=f"the text of `{one.prompt}@{one.version}` is in no commit since "
                f"`{base}`: it was squashed away, or never committed",
                hint=f"`llmops prompt lock --base {base}` leaves one version of what was made "
                "since; before a squash, it keeps this from happening",
                where=lock.where(one),
            )


def _changed(repository: PromptRepository, plan: Plan, fork: str) -> Iterator[str]:
    """The prompts of then whose files, or partials or examples, are other ones now."""
    then = repository.git.tree(fork).files
    for name in repository.names():
        path = f"{name}{SUFFIX}"
        if path not in then:
            continue
        now = standing(plan.lock, plan.blobs, name)
        parts = [part.path for part in now.parts] if now else []
        if any(then.get(each) != plan.blobs.get(each) for each in (path, *parts)):
            yield name


def _raised_too_little(
    repository: PromptRepository, before: Lock, then: GitTree, name: str, base: str
) -> Iterator[Problem]:
    path = f"{name}{SUFFIX}"
    old = parse_prompt(then.text(path), then.where(path), name=name, tree=then)
    new = load_prompt(repository.path(name), name=name)
    versions = [one.version for one in before.versions(name)] or [Version.parse(old.version)]
    current = Version.parse(new.version)
    kind = classify(old, new)
    if _is_again(before, name, new) or kind is ChangeKind.NONE:
        return
    if not enough(current, versions, kind):
        lowest = least(versions, kind)
        yield Problem(
            rule="version",
            prompt=name,
            message=f"`{name}` has a {kind} change since `{base}`: it needs at least "
            f"{lowest}, and says {current}",
            hint=f"write {lowest} into the file, and run `llmops prompt lock --base {base}`",
            where=_version_line(repository, name),
        )


def _is_again(before: Lock, name: str, prompt: Prompt) -> bool:
    found = before.version(name, Version.parse(prompt.version))
    return found is not None and found.content == prompt.fingerprint


def _version_line(repository: PromptRepository, name: str) -> Where:
    prompt = load_prompt(repository.path(name), name=name)
    start, _ = version_span(prompt.source, path=prompt.path)
    return Where(prompt.path, prompt.source.count("\n", 0, start) + 1)
