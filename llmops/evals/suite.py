"""A suite: what is evaluated, on which cases, how it is checked, and when it passes.

`load_suite` reads `evals/<name>.yaml` and refuses whatever could end in a green
run that means nothing: an unknown key, a check that asserts nothing, a
threshold that no result could miss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from llmops.core.chat import Sampling
from llmops.core.documents import Parsed, load_yaml
from llmops.core.errors import DocumentError, LlmopsError, UsageError, Where
from llmops.core.files import inside
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Check, Rule, Scorer
from llmops.evals.calibration.requirement import Requirement
from llmops.evals.gate import Gate
from llmops.evals.gate_section import read_gate, refuse_settled
from llmops.evals.slices.rules import Slice
from llmops.evals.suite_file import CheckSection, DatasetSection, SubjectSection, SuiteFile

__all__ = ["Suite", "SuiteFile", "load_suite"]

BuildScorer = Callable[..., Scorer]
"""`(name, options, *, base)` → the scorer; `llmops.scorers.build` is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite that is ready to run."""

    name: str
    path: Path
    root: Path
    """The project's folder; nothing that the suite names may lie outside of it."""
    description: str
    tags: tuple[str, ...]
    subject: SubjectSection
    dataset: DatasetSection
    dataset_path: Path
    checks: tuple[Check, ...]
    slices: tuple[Slice, ...]
    gate: Gate
    repeat: int | Literal["auto"]
    concurrency: int | None
    parts: Mapping[str, str]
    """A fingerprint of each part that decides on results; `description`, `tags` and
    `concurrency` do not."""
    overrides: Mapping[str, Any]
    """The sampling settings that the suite makes itself."""
    requirements: Mapping[str, Requirement] = field(default_factory=dict)
    """What checks ask of their judges' calibrations, by the checks' names."""
    document: Parsed = field(repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same model could get another result from this suite."""
        return fingerprint(dict(self.parts))

    def where(self, *keys: str | int) -> Where:
        """The place in the suite's file where the value under `keys` stands."""
        return self.document.where(*keys)

    def with_subject_of(self, other: SuiteFile) -> Suite:
        """This suite with the subject of another revision of it: the same cases and checks.

        The subject is the prompt, the model, how to sample, and which column
        goes into which variable.
        """
        parts = _parts(other)
        return replace(
            self,
            subject=other.subject,
            dataset=self.dataset.model_copy(update={"inputs": other.dataset.inputs}),
            overrides=_overrides(other),
            parts={**self.parts, "subject": parts["subject"], "sampling": parts["sampling"]},
        )

    def sampling(self, prompt: Sampling) -> Sampling:
        """The prompt's sampling with the suite's own settings before it."""
        return replace(prompt, **self.overrides)


def load_suite(
    path: Path, *, root: Path, name: str | None = None, build: BuildScorer | None = None
) -> Suite:
    """The suite in the file at `path`.

    `root` is the project's folder. `name` is by default the path under it
    without suffix and without the first `evals/`. `build` makes the scorers;
    by default `llmops.scorers.build`. Raises `DocumentError` or another
    `UsageError` with file and line for whatever is wrong. The dataset is not
    read yet, it may be missing.
    """
    document = load_yaml(path)
    file = document.validate(SuiteFile)
    checks = _checks(document, file, build or _build_scorer)
    slices = _slices(file)
    return Suite(
        name=name or _name(path, root),
        path=path,
        root=root,
        description=file.description.strip(),
        tags=file.tags,
        subject=file.subject,
        dataset=file.dataset,
        dataset_path=_dataset_path(document, file, root),
        checks=checks,
        requirements=_requirements(document, file, checks, root),
        slices=slices,
        gate=read_gate(document, file, checks, slices),
        repeat=file.repeat,
        concurrency=file.concurrency,
        parts=_parts(file),
        overrides=_overrides(file),
        document=document,
    )


def _build_scorer(name: str, options: Mapping[str, Any], *, base: Path) -> Scorer:
    from llmops.scorers import build  # a project's own scorers are imported with their suite only

    return build(name, options, base=base)


def _name(path: Path, root: Path) -> str:
    resolved, base = path.resolve(), root.resolve()
    shown = resolved.relative_to(base) if resolved.is_relative_to(base) else Path(path.name)
    parts = shown.with_suffix("").parts
    return "/".join(parts[1:] if len(parts) > 1 and parts[0] == "evals" else parts)


def _dataset_path(document: Parsed, file: SuiteFile, root: Path) -> Path:
    key = "path" if file.dataset.path else "probes"
    try:
        return inside(root, document.path.parent / file.dataset.file)
    except DocumentError as error:
        raise DocumentError(
            f"the dataset `{file.dataset.file}` {error.message}",
            hint=error.hint,
            where=document.where("dataset", key),
        ) from None
    except ValueError:  # a NUL character, which no path can hold
        raise DocumentError(
            f"`dataset.{key}` is no path", where=document.where("dataset", key)
        ) from None


def _checks(document: Parsed, file: SuiteFile, build: BuildScorer) -> tuple[Check, ...]:
    named_by_gate = {m.check for m in (file.gate.metrics or () if file.gate else ())}
    checks: dict[str, Check] = {}
    for index, section in enumerate(file.checks):
        where = document.where("checks", index)
        check = _check(document, index, section, build)
        if check.name in checks:
            raise DocumentError(
                f"two checks are named `{check.name}`",
                hint="give one of them another `name`",
                where=where,
            )
        if check.rule is None and not section.measure_only and check.name not in named_by_gate:
            raise DocumentError(
                f"the check `{check.name}` asserts nothing",
                hint='give it `pass: ">= 0.5"`, name it in the gate, or say `measure_only: true`',
                where=where,
            )
        checks[check.name] = check
    return tuple(checks.values())


def _check(document: Parsed, index: int, section: CheckSection, build: BuildScorer) -> Check:
    where = document.where("checks", index)
    if section.measure_only and section.rule is not None:
        raise DocumentError(
            "a check that is `measure_only` cannot have a `pass` rule",
            hint="leave out one of the two",
            where=where,
        )
    try:
        scorer = build(section.scorer, section.options, base=document.path.parent)
        written = section.rule or getattr(scorer, "default_rule", None)
        rule = Rule.parse(written) if written and not section.measure_only else None
        if rule is not None:
            refuse_settled(rule, section.scorer, scorer)
    except UsageError as error:
        if error.where is None:
            error.where = where
        raise
    except LlmopsError:
        raise
    except Exception as error:  # a scorer of somebody else's may raise anything when it is made
        raise DocumentError(
            f"the scorer `{section.scorer}` cannot be made: {type(error).__name__}: {error}",
            where=where,
        ) from error
    return Check(name=section.name or scorer.name, scorer=scorer, rule=rule)


def _requirements(
    document: Parsed, file: SuiteFile, checks: tuple[Check, ...], root: Path
) -> dict[str, Requirement]:
    """What checks ask of their judges' calibrations, by the checks' names."""
    found = {}
    for index, (section, check) in enumerate(zip(file.checks, checks, strict=True)):
        if section.calibration is not None:
            found[check.name] = Requirement.read(
                section.calibration,
                {str(figure): rule for figure, rule in section.requires.items()},
                check=check,
                folder=document.path.parent,
                root=root,
                where=document.where("checks", index, "calibration"),
            )
        elif section.requires:
            raise DocumentError(
                f"the check `{check.name}` requires something of a calibration and names none",
                hint="add `calibration: NAME`; `llmops eval calibrate NAME` makes it",
                where=document.where("checks", index, "requires"),
            )
    return found


def _overrides(file: SuiteFile) -> dict[str, Any]:
    return {key: value for key, value in file.sampling.model_dump().items() if value is not None}


def _slices(file: SuiteFile) -> tuple[Slice, ...]:
    return tuple(
        Slice(
            name=name,
            column=None if section.tags else section.column or name,
            tags=section.tags,
            least=section.least,
        )
        for name, section in file.slices.items()
    )


def _parts(file: SuiteFile) -> dict[str, str]:
    data = file.model_dump(mode="json", by_alias=True)
    return {
        part: fingerprint(data[part])
        for part in ("subject", "dataset", "checks", "slices", "gate", "sampling", "repeat")
    }
