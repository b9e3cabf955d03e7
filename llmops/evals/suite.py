"""A suite: what is evaluated, on which cases, how it is checked, and when it passes.

`load_suite` reads `evals/<name>.yaml` and refuses whatever could end in a green
run that means nothing: an unknown key, a check that asserts nothing, a
threshold that no result could miss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmops.core.chat import Sampling
from llmops.core.documents import Parsed, load_yaml
from llmops.core.errors import DocumentError, LlmopsError, NotFound, UsageError, Where
from llmops.core.files import inside
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Check, Rule, Scorer
from llmops.evals.gate import Gate, Threshold, settlement
from llmops.evals.suite_file import (
    UNJUDGED,
    CheckSection,
    DatasetSection,
    MetricSection,
    SubjectSection,
    SuiteFile,
)

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
    gate: Gate
    repeat: int
    concurrency: int | None
    parts: Mapping[str, str]
    """A fingerprint of each part that decides on results; `description`, `tags` and
    `concurrency` do not."""
    overrides: Mapping[str, Any]
    """The sampling settings that the suite makes itself."""
    document: Parsed = field(repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same model could get another result from this suite."""
        return fingerprint(dict(self.parts))

    def where(self, *keys: str | int) -> Where:
        """The place in the suite's file where the value under `keys` stands."""
        return self.document.where(*keys)

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
    overrides = {
        key: value for key, value in file.sampling.model_dump().items() if value is not None
    }
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
        gate=_gate(document, file, checks),
        repeat=file.repeat,
        concurrency=file.concurrency,
        parts=_parts(file),
        overrides=overrides,
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
    try:
        return inside(root, document.path.parent / file.dataset.path)
    except DocumentError as error:
        raise DocumentError(
            f"the dataset `{file.dataset.path}` {error.message}",
            hint=error.hint,
            where=document.where("dataset", "path"),
        ) from None
    except ValueError:  # a NUL character, which no path can hold
        raise DocumentError(
            "`dataset.path` is no path", where=document.where("dataset", "path")
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
            _refuse_settled(rule, section.scorer, scorer)
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


def _refuse_settled(rule: Rule, name: str, scorer: Scorer) -> None:
    """Raise for a rule that every score of a built-in scorer keeps, or none."""
    from llmops.scorers import BUILT_IN  # of others the range is not known

    unit = getattr(scorer, "unit", "")
    outcome = settlement(rule, 0.0, math.inf if unit else 1.0)
    if name in BUILT_IN and outcome is not None:
        found = "always holds" if outcome else "can never hold"
        span = "is never below 0" if unit else "lies between 0 and 1"
        raise UsageError(
            f"`{rule}` {found}: `{name}` {span}",
            hint="say `measure_only: true` to only look at it"
            if outcome
            else "95 % is written 0.95",
        )


def _gate(document: Parsed, file: SuiteFile, checks: tuple[Check, ...]) -> Gate:
    unjudged = file.gate.unjudged if file.gate else UNJUDGED
    if file.gate and file.gate.metrics:
        known = {check.name: check for check in checks}
        scorers = {check.name: each.scorer for check, each in zip(checks, file.checks, strict=True)}
        thresholds = [
            threshold
            for index, metric in enumerate(file.gate.metrics)
            for threshold in _thresholds(document, index, metric, known, scorers)
        ]
        return Gate(unjudged=unjudged, thresholds=tuple(thresholds))
    ruled = [check for check in checks if check.rule is not None]
    if not ruled:
        raise DocumentError(
            "no check has a pass rule, and there is no gate: the suite asserts nothing",
            hint="add a gate with a threshold, or a `pass` rule",
            where=document.where("checks"),
        )
    every = Rule("==", 1.0)
    return Gate(
        unjudged=unjudged,
        thresholds=tuple(
            Threshold(check=check.name, aggregate="pass_rate", rule=every) for check in ruled
        ),
    )


def _thresholds(
    document: Parsed,
    index: int,
    metric: MetricSection,
    known: Mapping[str, Check],
    scorers: Mapping[str, str],
) -> list[Threshold]:
    where = document.where("gate", "metrics", index)
    if metric.check not in known:
        raise NotFound.among(
            "check", metric.check, known, where=document.where("gate", "metrics", index, "check")
        )
    if metric.mean is None and metric.pass_rate is None:
        raise DocumentError(
            "a metric of the gate needs `mean` or `pass_rate`",
            hint=f'write {{check: {metric.check}, mean: ">= 0.5"}}',
            where=where,
        )
    thresholds = []
    try:
        if metric.mean is not None:
            check = known[metric.check]
            thresholds.append(Threshold.on(check, "mean", metric.mean))
            _refuse_settled(thresholds[-1].rule, scorers[check.name], check.scorer)
        if metric.pass_rate is not None:
            thresholds.append(Threshold.on(known[metric.check], "pass_rate", metric.pass_rate))
    except UsageError as error:
        error.where = where
        raise
    return thresholds


def _parts(file: SuiteFile) -> dict[str, str]:
    data = file.model_dump(mode="json", by_alias=True)
    return {
        part: fingerprint(data[part])
        for part in ("subject", "dataset", "checks", "gate", "sampling", "repeat")
    }
