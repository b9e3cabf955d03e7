"""A review of the working tree against a revision: what changed, and the touched suites, run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from llmops.core.documents import load_yaml
from llmops.core.errors import DocumentError, LlmopsError, UsageError
from llmops.core.files import relative
from llmops.evals.selection import Selection
from llmops.evals.suite_file import SuiteFile
from llmops.project.changed_files import changed_files
from llmops.project.changes.files import FileChanges, beside
from llmops.project.planning import EvaluationPlan, PlannedSuite, plan_suites
from llmops.project.revision import ProjectRevision
from llmops.project.sync import run_sync
from llmops.project.tokens import TokenCounter
from llmops.prompts.git import Git
from llmops.prompts.refs import PromptRef
from llmops.review.results import ChangedFile, Review, SuiteReview

if TYPE_CHECKING:
    from llmops.evals.runner import Progress
    from llmops.project.project import Project
    from llmops.prompts.comparison.selection import Comparison as PromptComparison

ShowProgress = Callable[[str], AbstractContextManager[Callable[["Progress"], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions:
    """How a change is reviewed."""

    base: str
    """The branch or commit that it goes to; compared is where the two went apart."""
    run: bool = True
    """Whether the touched suites are run; without it no model is asked."""
    select: str | None = None
    """Of what the change touches, only that."""
    model: str | None = None
    limit: int | None = None
    repeat: int | Literal["auto"] | None = None
    use_cache: bool = True

    @property
    def words(self) -> list[str]:
        """The command that reviews so again."""
        said = ["llmops", "review", "--base", self.base]
        for option, value in (
            ("--select", self.select),
            ("--model", self.model),
            ("--limit", self.limit),
            ("--repeat", self.repeat),
        ):
            if value is not None:
                said += [option, str(value)]
        if not self.use_cache:
            said.append("--no-cache")
        return said if self.run else [*said, "--no-run"]

    @property
    def touched(self) -> str:
        """The selection of what the change touches."""
        alternatives = (self.select or "").split()
        return " ".join(f"{each},state:modified" for each in alternatives) or "state:modified"


def review_project(
    project: Project, options: ReviewOptions, *, progress: ShowProgress | None = None
) -> Review:
    """What the working tree changes, and what its suites say about that.

    A suite that a provider failed is part of the review and no error of it.
    Raises `NotFound` for an unknown revision, and `UsageError` where there is
    no git, or a suite cannot be read.
    """
    git = Git.of(project.root)
    commit = git.merge_base(options.base)
    is_tip = commit == git.commit(options.base)
    base = options.base if is_tip else commit
    revision = ProjectRevision(project.root, base)
    changes = FileChanges(revision.tree)
    files = changed_files(changes, project.config, _datasets(project))
    touched: tuple[SuiteReview, ...] = ()
    plan = _plan(project, base, options)
    if plan is not None:
        planned = {each.suite.name: each for each in plan.running}
        touched = tuple(_touched(each, project, files) for each in planned.values())
        if options.run:
            show = progress or (lambda _: nullcontext(lambda _: None))
            touched = tuple(
                _run(each, planned[each.name], plan, base, options, show) for each in touched
            )
    return Review(
        base=revision.label if is_tip else f"{options.base} ({commit[:7]})",
        head="working tree" if _is_dirty(git, changes, files) else _commit(git),
        prompts=_prompts(project, commit, options),
        files=files,
        suites=touched,
        suites_total=len(plan.suites) if plan else 0,
        cases_total=sum(each.total for each in plan.suites) if plan else None,
        ran=options.run,
        command=shlex.join(options.words),
        root=git.top,
        notes=tuple(_notes(project, revision)),
    )


def _plan(project: Project, base: str, options: ReviewOptions) -> EvaluationPlan | None:
    """How much of each suite the change touches; `None` for a project without suites."""
    if not project.suites():
        return None
    selection = Selection.parse(options.touched, limit=options.limit)
    return plan_suites(project, (), selection, base=base, model=options.model)


def _touched(
    planned: PlannedSuite, project: Project, files: tuple[ChangedFile, ...]
) -> SuiteReview:
    suite = planned.suite
    file = load_yaml(suite.path).validate(SuiteFile)
    here = relative(suite.path, project.root)
    return SuiteReview(
        name=suite.name,
        path=suite.path,
        state=next((each.state for each in files if each.path == here), None),
        reasons=planned.reasons,
        prompt=PromptRef.parse(file.subject.prompt).name,
        selected=planned.cases,
        total=planned.total,
    )


def _run(
    suite: SuiteReview,
    planned: PlannedSuite,
    plan: EvaluationPlan,
    base: str,
    options: ReviewOptions,
    show: ShowProgress,
) -> SuiteReview:
    """The suite with what its run found; with a base, unless it is new."""
    try:
        with show(suite.name) as progress:
            report = run_sync(
                planned.suite.run(
                    model=options.model,
                    base=base,
                    select=plan.selection,
                    new_suites="alone",
                    repeat=options.repeat,
                    use_cache=options.use_cache,
                    progress=progress,
                )
            )
    except UsageError:
        raise
    except LlmopsError as error:  # a provider that is down ends a suite, and not the review
        return replace(suite, error=str(error), error_code=error.exit_code)
    summary = report.summary
    return replace(
        suite,
        run=summary.cases,
        repeats=summary.repeats,
        report=report,
        command=summary.command,
    )


def _prompts(project: Project, commit: str, options: ReviewOptions) -> PromptComparison | None:
    from llmops.prompts.comparison.selection import diff_prompts

    if not project.folder("prompts").is_dir():
        return None
    # Without a model in the game, no server is asked for tokens either.
    count = TokenCounter(project.config) if options.run else None
    return diff_prompts(project.prompts, f"git:{commit}", count_tokens=count)


def _datasets(project: Project) -> Iterator[str]:
    """The paths of all datasets, relative to the project, as far as suites can be read."""
    for suite in project.suites():
        try:
            named = load_yaml(suite.path).validate(SuiteFile).dataset.file
        except DocumentError:
            continue
        yield beside(relative(suite.path, project.root), named)


def _notes(project: Project, revision: ProjectRevision) -> Iterator[str]:
    """What a reviewer would miss in a list of what was run."""
    here = {suite.name for suite in project.suites()}
    gone = [name for name in revision.suite_names() if name not in here]
    if gone:
        named = ", ".join(f"`{name}`" for name in gone[:10])
        yield f"removed with this change, and judged no more: {named}"
    if not here:
        yield "the project has no suites: what the change does to answers is not known"


def _commit(git: Git) -> str:
    return f"HEAD ({git.commit('HEAD')[:7]})"


def _is_dirty(git: Git, changes: FileChanges, files: tuple[ChangedFile, ...]) -> bool:
    """Whether the working tree differs from HEAD in more than files that nothing is made of."""
    head = git.tree("HEAD").files
    moved = any(changes.now.get(path) != blob for path, blob in head.items())
    return moved or any(each.path in changes.now and each.path not in head for each in files)
