"""A suite of a project: loaded with the project's models and prompts, run, and compared."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Unpack

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import inside
from llmops.models.config import ModelConfig
from llmops.project.revision import ProjectRevision
from llmops.project.services import ProjectServices
from llmops.project.sync import run_sync
from llmops.prompts import Prompt

if TYPE_CHECKING:
    from llmops.evals.results import Report
    from llmops.evals.runner import Base, Progress
    from llmops.evals.selection import Selection
    from llmops.evals.suite import Suite
    from llmops.models import ManagedModel


class RunOptions(TypedDict, total=False):
    """How a suite is run; each is an option of `llmops eval run` too."""

    model: str | None
    """A model of `llmops.toml` or a LiteLLM name, instead of the suite's."""
    base: str | None
    """What to compare with: a git revision, or the file of a blessed report."""
    select: str | Selection | None
    """Which cases; a whole `Selection` brings its own exclusions, sample, limit and shard."""
    limit: int | None
    """The first so many of the selected cases."""
    repeat: int | Literal["auto"] | None
    use_cache: bool
    new_suites: Literal["refuse", "alone"]
    """What becomes of a suite that the base does not have, or cannot run: by default it is
    refused."""


class SuiteIsNew(NotFound):
    """A suite that the base does not have."""

    def __init__(self, suite: ProjectSuite, label: str):
        super().__init__(
            f"{label} has no suite `{suite.name}` to compare with",
            hint="a new suite is run without `--base`, until the base has it",
            where=Where(suite.path),
        )
        self.label = label


class SuiteWasBroken(UsageError):
    """A suite that could not be run at the base either."""

    def __init__(self, error: UsageError, label: str):
        super().__init__(
            f"{label}, the base, cannot be run: {error.message}",
            hint="run without `--base`, until the base is whole",
            where=error.where,
        )
        self.label = label


class Home(Protocol):
    """What a suite needs of its project."""

    root: Path

    def folder(self, kind: str) -> Path:
        """The folder of `evals` or `state`."""
        ...

    def prompt(self, ref: str) -> Prompt:
        """The prompt that a ref names."""
        ...

    def model(
        self, name: str | None = None, *, prompt: Prompt | None = None, use_cache: bool = True
    ) -> ManagedModel:
        """A model by its name."""
        ...

    def model_config(self, name: str | None = None, *, prompt: Prompt | None = None) -> ModelConfig:
        """What is known of a model."""
        ...

    def services(self, *, use_cache: bool = True) -> ProjectServices:
        """What scorers are handed."""
        ...

    def at(self, revision: ProjectRevision) -> Home:
        """The project as of a git revision."""
        ...


class ProjectSuite:
    """One suite of a project; made by `Project.suite`."""

    def __init__(self, *, project: Home, path: Path):
        self.project = project
        self.path = path

    @property
    def name(self) -> str:
        """The path under the evals folder, without suffix: `qa/xquad`."""
        root = self.project.folder("evals")
        path = self.path.absolute()
        shown = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
        return shown.with_suffix("").as_posix()

    def load(self, services: ProjectServices | None = None) -> Suite:
        """The suite as written; `DocumentError` says where it is broken.

        `services` are what its judges ask; whoever gives them closes them.
        Left out, the judges have some that nothing was opened of.
        """
        from llmops.evals.suite import load_suite
        from llmops.scorers import build

        inside(self.project.root, self.path)
        handed = services or self.project.services()
        return load_suite(
            self.path,
            root=self.project.root,
            name=self.name,
            build=partial(build, services=handed),
        )

    async def run(
        self,
        *,
        resume: Path | None = None,
        output: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
        **options: Unpack[RunOptions],
    ) -> Report:
        """Run the suite and write its report; the decision is in `report.summary.decision`.

        Journal and report lie in `output`, or in a new folder under
        `.llmops/runs`. `resume` names the folder of a run that was
        interrupted: what is finished there is not repeated. With a `base` the
        suite's subject of then is run beside that of now, on the same cases,
        and `report.comparison` says what became better or worse.

        Raises `UsageError` for a suite, selection or base that makes no sense
        and `ProviderError` when the model cannot be reached.
        """
        if unknown := sorted(options.keys() - RunOptions.__annotations__.keys()):
            raise TypeError(f"run() got an unexpected keyword argument '{unknown[0]}'")
        from llmops.evals.render import write_reports
        from llmops.evals.runner import Base, NewSuite, run_suite

        folder = resume or output or self._new_run_folder()
        use_cache = options.get("use_cache", True)
        services = self.project.services(use_cache=use_cache)
        suite = self.load(services)
        prompt = self.project.prompt(suite.subject.prompt)
        wanted = options.get("model")
        model = self.project.model(wanted or suite.subject.model, prompt=prompt)
        base = options.get("base")
        against: Base | Path | NewSuite | None
        try:
            against = self._base(base, suite, prompt, model, wanted) if base is not None else None
        except (SuiteIsNew, SuiteWasBroken) as error:
            if options.get("new_suites") != "alone":
                raise
            against = NewSuite(label=error.label)
        try:
            report = await run_suite(
                suite,
                prompt=prompt,
                model=model,
                output=folder,
                base=against,
                limit=options.get("limit"),
                select=options.get("select"),
                repeat=options.get("repeat"),
                resume=resume is not None,
                use_cache=use_cache,
                progress=progress,
                command=self._command(options),
            )
        finally:
            await model.aclose()
            if isinstance(against, Base):
                await against.model.aclose()
            await services.aclose()
        write_reports(report, folder)
        return report

    def run_sync(
        self,
        *,
        resume: Path | None = None,
        output: Path | None = None,
        progress: Callable[[Progress], None] | None = None,
        **options: Unpack[RunOptions],
    ) -> Report:
        """`run` for code that is not async."""
        return run_sync(self.run(resume=resume, output=output, progress=progress, **options))

    def _base(
        self, base: str, suite: Suite, prompt: Prompt, model: ManagedModel, wanted: str | None
    ) -> Base | Path:
        """What `base` names; a model that is the same on both sides is shared."""
        from llmops.evals.runner import Base

        if is_report(base):
            return _blessed(Path(base))
        revision = ProjectRevision(self.project.root, base)
        then = self.project.at(revision)
        try:
            file = revision.suite(self.name)
            old_prompt = then.prompt(file.subject.prompt) if file else None
        except (DocumentError, NotFound) as error:
            raise SuiteWasBroken(error, revision.label) from error
        if file is None or old_prompt is None:
            raise SuiteIsNew(self, revision.label)
        name = wanted or file.subject.model
        same = then.model_config(name, prompt=old_prompt) == self.project.model_config(
            wanted or suite.subject.model, prompt=prompt
        )
        return Base(
            label=revision.label,
            suite=suite.with_subject_of(file),
            prompt=old_prompt,
            model=model if same else then.model(name, prompt=old_prompt),
        )

    def _new_run_folder(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        return self.project.folder("state") / "runs" / f"{self.name.replace('/', '-')}-{stamp}"

    def _command(self, options: RunOptions) -> str:
        words = ["llmops", "eval", "run", self.name]
        for name in ("model", "base", "repeat"):
            value = options.get(name)
            if value is not None:
                words += [f"--{name}", str(value)]
        select, limit = options.get("select"), options.get("limit")
        if isinstance(select, str) or select is None:
            from llmops.evals.selection import Selection

            select = Selection.parse(select, limit=limit)
        words += select.words
        if not options.get("use_cache", True):
            words.append("--no-cache")
        return shlex.join(words)


def is_report(base: str) -> bool:
    """Whether a base is the file of a blessed report, and no git revision."""
    return Path(base).suffix == ".json" or Path(base).is_file()


def _blessed(path: Path) -> Path:
    """The file, if it is a report; what is none is told before the run has a folder."""
    from llmops.evals.render.json_reading import read_json

    if not path.is_file():
        raise UsageError(
            f"there is no blessed report {path}",
            hint="`llmops eval bless RUN` makes one; a git revision is named without `.json`",
            where=Where(path),
        )
    try:
        read_json(path)
    except DocumentError as error:
        raise DocumentError(
            error.message, hint="`llmops eval bless RUN` makes one of a run", where=error.where
        ) from error
    return path
