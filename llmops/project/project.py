"""A project: its prompts, models and suites, wired from `llmops.toml`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.core.chat import ChatChunk, ChatReply, ChatRequest, Constraint
from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import inside
from llmops.models.config import ModelConfig
from llmops.project.config import (
    CONFIG_NAME,
    SUITE_SUFFIXES,
    ProjectConfig,
    find_config,
    is_suite_path,
    load_config,
)
from llmops.project.evidence import find_evidence, given_evidence
from llmops.project.revision import ProjectRevision
from llmops.project.services import ProjectServices
from llmops.project.suite import ProjectSuite
from llmops.prompts import Prompt, PromptRepository
from llmops.prompts.locked import Move
from llmops.prompts.release.bundle import PromptBundle
from llmops.prompts.release.promotion import promote
from llmops.prompts.versions import Version

if TYPE_CHECKING:
    from llmops.models import ManagedModel
    from llmops.models.cache import ResponseCache
    from llmops.prompts.lint import Finding


def load_project(path: str | Path | None = None, *, bundle: str | Path | None = None) -> Project:
    """The project of a folder, of an `llmops.toml`, or of the current folder.

    Folders above are searched too. Raises `UsageError` when there is no
    `llmops.toml`, or `DocumentError` with file and line when it is broken.
    Prompts and suites are read when they are asked for.

    With `bundle`, a file that `llmops prompt bundle` made, prompts come from
    there, verified by its digest; then a project file is not needed.
    """
    start = Path(path) if path is not None else Path.cwd()
    packed = PromptBundle(Path(bundle)) if bundle is not None else None
    try:
        config_path = find_config(start)
    except UsageError:
        if packed is None or path is not None:
            raise
        return Project(
            root=start, config=ProjectConfig.model_validate({"version": 1}), bundle=packed
        )
    root = config_path.resolve().parent
    return Project(root=root, config=load_config(config_path), bundle=packed)


def prompts_project() -> Project:
    """The project here; without an `llmops.toml`, one whose prompts are in `prompts`.

    For what needs no more than prompts. Raises `UsageError` if there is
    neither.
    """
    try:
        return load_project()
    except UsageError as error:
        here = Project(root=Path.cwd(), config=ProjectConfig.model_validate({"version": 1}))
        if isinstance(error, DocumentError) or not here.folder("prompts").is_dir():
            raise
        return here


class Project:
    """What a folder with an `llmops.toml` holds; made by `load_project`."""

    def __init__(
        self,
        *,
        root: Path,
        config: ProjectConfig,
        bundle: PromptBundle | None = None,
        prompts: PromptRepository | None = None,
    ):
        self.root = root
        self.config = config
        self.bundle = bundle
        """Where prompts come from, if not from the folder."""
        self._prompts = prompts

    @property
    def prompts(self) -> PromptRepository:
        """The prompt repository."""
        if self._prompts is None:
            self._prompts = PromptRepository(self.folder("prompts"))
        return self._prompts

    def prompt(self, ref: str) -> Prompt:
        """The prompt that a ref names; `NotFound` suggests the nearest."""
        return self.bundle.get(ref) if self.bundle else self.prompts.get(ref)

    def promote(
        self,
        name: str,
        version: str,
        *,
        to: str,
        why: str,
        report: Path | None = None,
        force: bool = False,
    ) -> Move | None:
        """Point an alias to a locked version that a passing evaluation speaks for.

        `report` is that evaluation: a run's folder or its `report.json`; left
        out, the newest one among the project's runs. Gives `None` when the
        alias points there already; raises as `llmops.prompts.release.promote`.
        """
        lock = self.prompts.lock()
        target = lock.version(name, Version.parse(version))
        evidence = None
        if target is not None:
            try:
                evidence = (
                    given_evidence(report, target)
                    if report is not None
                    else find_evidence(self.folder("state") / "runs", target)
                )
            except UsageError as error:
                if not force or isinstance(error, DocumentError):
                    raise
        return promote(self.prompts, name, version, to=to, why=why, evidence=evidence, force=force)

    def model(
        self, name: str | None = None, *, prompt: Prompt | None = None, use_cache: bool = True
    ) -> ManagedModel:
        """A model of `llmops.toml`, or any model by its LiteLLM name (`provider/model`).

        Left out: what the prompt names, else the project's default. Close it
        with `await model.aclose()`.
        """
        from llmops.models import open_model

        config = self.model_config(name, prompt=prompt)
        cached = config.cache and use_cache
        return open_model(config, cache=self._response_cache() if cached else None)

    def model_config(self, name: str | None = None, *, prompt: Prompt | None = None) -> ModelConfig:
        """What is known of a model, named as for `model`."""
        wanted = name or (prompt.model if prompt else None) or self.config.default_model
        if wanted is None:
            raise UsageError(
                "no model is named, and the project has no default",
                hint=f"set `default_model` in {CONFIG_NAME}, or name one with `--model`",
            )
        config = self.config.models.get(wanted)
        if config is None and "/" in wanted:
            config = ModelConfig(model=wanted)
        if config is None:
            raise NotFound.among(
                "model", wanted, self.config.models, where=Where(self.root / CONFIG_NAME)
            )
        return config

    def services(self, *, use_cache: bool = True) -> ProjectServices:
        """What scorers are handed: the project's models and prompts. Close it after use."""
        return ProjectServices(
            open_model=lambda name: self.model(name, use_cache=use_cache), find_prompt=self.prompt
        )

    async def answer(
        self,
        prompt: Prompt,
        inputs: Mapping[str, Any],
        *,
        model: str | None = None,
        use_cache: bool = True,
    ) -> ChatReply:
        """One answer of a model to a rendered prompt.

        Where the prompt declares outputs, the answer is constrained to them.
        """
        chat_model = self.model(model, prompt=prompt)
        try:
            return await chat_model.chat(_request(prompt, inputs), use_cache=use_cache)
        finally:
            await chat_model.aclose()

    async def answer_stream(
        self, prompt: Prompt, inputs: Mapping[str, Any], *, model: str | None = None
    ) -> AsyncIterator[ChatChunk]:
        """The same answer in pieces, as the model writes it; never from the cache."""
        chat_model = self.model(model, prompt=prompt)
        try:
            async for chunk in chat_model.stream(_request(prompt, inputs)):
                yield chunk
        finally:
            await chat_model.aclose()

    def suites(self) -> list[ProjectSuite]:
        """The project's suites, sorted by name."""
        root = self.folder("evals")
        paths = [path for suffix in SUITE_SUFFIXES for path in root.rglob(f"*{suffix}")]
        return sorted(
            (
                ProjectSuite(project=self, path=path)
                for path in paths
                if is_suite_path(path.relative_to(root).as_posix())
            ),
            key=lambda suite: suite.name,
        )

    def suite(self, name: str) -> ProjectSuite:
        """A suite by its name (its path under the evals folder, without suffix) or its path."""
        known: dict[str, ProjectSuite] = {}
        for suite in self.suites():
            if suite.name == name and name in known:
                raise DocumentError(
                    f"is named `{name}`, as {known[name].path.name} is",
                    hint="rename one of the two files",
                    where=Where(suite.path),
                )
            known[suite.name] = suite
        if name in known:
            return known[name]
        as_path = Path(name)
        if as_path.suffix in (".yaml", ".yml") and as_path.exists():
            return ProjectSuite(project=self, path=inside(self.root, as_path))
        raise NotFound.among("suite", name, known)

    def lint(self, names: Iterable[str] | None = None) -> list[Finding]:
        """What is wrong with the prompts, as the project's `[lint]` table has it.

        Prompts that were clean and have not changed since are not looked at again.
        """
        from llmops.prompts.lint import lint_prompts
        from llmops.prompts.lint.memory import LintMemory

        memory = LintMemory(
            self.folder("state") / "cache" / "lint.json",
            root=self.prompts.root,
            settings=[
                self.config.lint.model_dump(),
                self.config.default_model,
                {name: [each.model, each.context] for name, each in self.config.models.items()},
            ],
        )
        return lint_prompts(
            self.prompts, self.config.lint, names, contexts=self.context, memory=memory
        )

    def context(self, model: str | None = None) -> int | None:
        """Tokens that prompt and answer may have together, if `llmops.toml` says it of the model.

        The model is named as a prompt names it; left out, it is the default.
        """
        wanted = model or self.config.default_model
        for name, each in self.config.models.items():
            if wanted in (name, each.model):
                return each.context
        return None

    def at(self, revision: ProjectRevision) -> Project:
        """The project with the prompts and models that it had at a git revision."""
        return Project(root=self.root, config=revision.config, prompts=revision.prompts)

    def folder(self, kind: str) -> Path:
        """The folder of `prompts`, `evals`, `guardrails` or `state`."""
        return inside(self.root, self.root / getattr(self.config.paths, kind))

    def _response_cache(self) -> ResponseCache:
        from llmops.models.cache import ResponseCache

        return ResponseCache(self.folder("state") / "cache" / "responses.sqlite")


def _request(prompt: Prompt, inputs: Mapping[str, Any]) -> ChatRequest:
    schema = prompt.output_schema
    return ChatRequest(
        messages=prompt.render(**inputs),
        sampling=prompt.sampling,
        constraint=Constraint(kind="json", value=schema) if schema else None,
    )
