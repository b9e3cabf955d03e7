"""One answer of an app, checked in the app's own tests as a suite would check it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.core.errors import LlmopsError, UsageError
from llmops.core.scoring import Check, Outcome, Rule, Sample, Score, Scorer

if TYPE_CHECKING:
    from llmops.project.services import ProjectServices


class NotJudged(LlmopsError):
    """A scorer could give no score: the answer is neither good nor bad."""


def assert_score(
    scorer: str | Scorer,
    output: str,
    *,
    passes: str | None = None,
    options: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    expected: Any = None,
    contexts: Sequence[str] = (),
    base: Path | None = None,
) -> Score:
    """The score of an answer, which has to pass.

    `scorer` is one as a suite names it, or an object; `passes` a rule such as
    `>= 0.7`, by default the scorer's own. A judge asks the models of the
    project in which `base` lies. Raises `AssertionError` with the score and its
    rationale, `NotJudged` when there is no score, and `UsageError` for a scorer
    without a rule.

    >>> assert_score("contains", "It is Paris.", expected="Paris").value
    1.0
    >>> assert_score("length", "far too long an answer", passes="<= 3")
    Traceback (most recent call last):
    AssertionError: length is 5, which is not <= 3
    """
    from llmops.project import run_sync

    sample = Sample(
        output=output,
        input=dict(inputs or {}),
        expected=expected,
        contexts=tuple(contexts),
    )
    folder = base or Path.cwd()
    check, score = run_sync(_measured(scorer, options, sample, folder, passes))
    verdict = check.judge(score)
    why = f": {score.rationale}" if score.rationale else ""
    if verdict.outcome is Outcome.UNSCORED:
        raise NotJudged(f"{check.name} gave no score{why}")
    if verdict.outcome is Outcome.FAILED:
        raise AssertionError(f"{check.name} is {score.value:g}, which is not {check.rule}{why}")
    return score


async def _measured(
    scorer: str | Scorer,
    options: Mapping[str, Any] | None,
    sample: Sample,
    folder: Path,
    passes: str | None,
) -> tuple[Check, Score]:
    from llmops.scorers import build, measure

    services = _services(folder) if isinstance(scorer, str) else None
    try:
        built = (
            build(scorer, options, base=folder, services=services)
            if isinstance(scorer, str)
            else scorer
        )
        written = passes or getattr(built, "default_rule", None)
        if not written:
            raise UsageError(
                f"`{built.name}` has no rule of its own", hint='say what passes: `passes=">= 0.5"`'
            )
        warm_up = getattr(built, "warm_up", None)
        if warm_up is not None:
            await warm_up()
        check = Check(name=built.name, scorer=built, rule=Rule.parse(written))
        return check, await measure(built, sample)
    finally:
        if services is not None:
            await services.aclose()


def _services(folder: Path) -> ProjectServices | None:
    """What the project above `folder` has for judges; nothing where there is none."""
    from llmops.project import load_project
    from llmops.project.config import find_config

    try:
        find_config(folder)
    except UsageError:
        return None
    return load_project(folder).services()
