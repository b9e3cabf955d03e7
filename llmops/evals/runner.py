"""Runs a suite: everything that can be wrong is found first, then the model is called.

suite, prompt, model ── plan ──→ journal ── execution ──→ report

With a base there are two lanes, each with a prompt, a model and a journal of
its own; their calls are interleaved, so that both meet the same server.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llmops.core.chat import ChatModel
from llmops.core.errors import ProviderError, UsageError
from llmops.core.fingerprint import file_sha256
from llmops.evals.circuit import Patience
from llmops.evals.execution import Progress
from llmops.evals.journal import Journal
from llmops.evals.judges import verify_judges
from llmops.evals.plan import Plan, make_header, make_plan
from llmops.evals.report import BASE, BLESSED, resume_command
from llmops.evals.results import Report, Summary
from llmops.evals.rounds import Rounds
from llmops.evals.scoring import Scoring
from llmops.evals.selection import Selection
from llmops.evals.subject import Checkable
from llmops.evals.suite import Suite
from llmops.prompts import Prompt

__all__ = ["Base", "NewSuite", "Progress", "run_suite"]

ENDPOINT_DEADLINE = 25.0
"""Seconds in which the model must answer before the run begins: with the start of the
process, a dead one is known within 30."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """What a run is compared with: the suite's subject as it was at another revision."""

    label: str
    """What a person calls it: `main (1a2b3c4)`."""
    suite: Suite
    """The suite of the run, with the subject of then: the cases and checks are the same."""
    prompt: Prompt
    model: ChatModel


@dataclass(frozen=True, kw_only=True)
class NewSuite:
    """A base that does not have the suite: there is nothing to lose, and nothing to compare."""

    label: str


async def run_suite(
    suite: Suite,
    *,
    prompt: Prompt,
    model: ChatModel,
    output: Path,
    base: Base | Path | NewSuite | None = None,
    limit: int | None = None,
    select: str | Selection | None = None,
    repeat: int | Literal["auto"] | None = None,
    resume: bool = False,
    use_cache: bool = True,
    progress: Callable[[Progress], None] | None = None,
    command: str = "",
    patience: Patience | None = None,
) -> Report:
    """Run the suite's cases and judge them.

    The journal lies in the folder `output`; with `resume` it must hold one,
    and results there that are not errors are kept. `base` is run beside it on
    the same cases, or is the blessed report of an earlier run; the report then
    says what became better or worse. `select` chooses cases, `limit` takes the
    first of those, `repeat` goes before the suite's own. `command` is what a
    person types to run this again.

    Raises `UsageError` for anything that makes no sense as given, before the
    model is called; `ProviderError` when the model is not there, dies on the
    way or answers no case; `Interrupted` on Ctrl-C and SIGTERM. The journal
    keeps what was finished until then.
    """

    def planned(suite: Suite, prompt: Prompt, model: ChatModel) -> Plan:
        return make_plan(suite, prompt, model, select, limit, repeat, use_cache)

    plans = [planned(suite, prompt, model)]
    if isinstance(base, Base):
        plans.append(_base_plan(base, suite, planned))
    scoring = Scoring(suite.checks)
    try:
        await scoring.warm_up()
        verify_judges(suite)
        for each in {id(plan.subject.model): plan.subject.model for plan in plans}.values():
            if isinstance(each, Checkable):
                await each.check(deadline=ENDPOINT_DEADLINE)
        headers = [await make_header(plan, command) for plan in plans]
        _tell_base(headers, base)
        with ExitStack() as stack:
            journals = _open_journals(stack, output, headers, resume=resume)
            if isinstance(base, Path):
                _keep_blessed(base, output)
            run = Rounds(plans, journals, scoring, output, patience or Patience())
            await run.to_the_end(progress)
            report = run.report()
    finally:
        scoring.close()
    _refuse_no_answers(report.summary, run.last_error, resume_command(command, output))
    return report


def _base_plan(
    base: Base, head: Suite, planned: Callable[[Suite, Prompt, ChatModel], Plan]
) -> Plan:
    """The plan of the base; what does not fit the cases of today is said to be the base's.

    Columns may have got new names since then: the base's prompt is also tried
    with the columns of today.
    """
    try:
        return planned(base.suite, base.prompt, base.model)
    except UsageError as error:
        with suppress(UsageError):
            return planned(replace(base.suite, dataset=head.dataset), base.prompt, base.model)
        error.message = f"{base.label}, the base, cannot be run on these cases: {error.message}"
        error.hint = f"{error.hint}; or run without `--base`" if error.hint else None
        raise


def _tell_base(headers: list[dict[str, Any]], base: Base | Path | NewSuite | None) -> None:
    """Let the run's header say what its base is, and take from the base what is not asked of it."""
    head, *others = headers
    head["base"] = None
    if isinstance(base, Base):
        head["base"] = {"kind": "revision", "label": base.label}
        head["made_from"]["base"] = base.label
    elif isinstance(base, NewSuite):
        head["base"] = {"kind": "none", "label": base.label}
        head["made_from"]["base"] = base.label
        head["gate"] = {**head["gate"], "margins": []}
    elif base is not None:
        head["base"] = {"kind": "file", "label": str(base), "sha256": file_sha256(base)}
        head["made_from"]["base"] = head["base"]["sha256"]
    for other in others:
        other["base"] = None
        other["gate"] = {**other["gate"], "margins": []}


def _open_journals(
    stack: ExitStack, output: Path, headers: Sequence[Mapping[str, Any]], *, resume: bool
) -> list[Journal]:
    """The journals of all lanes; that of a base that was never begun is begun on resume too."""
    journals = []
    for folder, header in zip((output, output / BASE), headers, strict=False):
        begun = resume and (folder == output or folder.exists())
        opened = (Journal.resume if begun else Journal.create)(folder, header)
        journals.append(stack.enter_context(opened))
    return journals


def _keep_blessed(base: Path, output: Path) -> None:
    """Copy the blessed report into the run's folder, which then needs nothing else."""
    folder = output / BASE
    folder.mkdir(exist_ok=True)
    shutil.copyfile(base, folder / BLESSED)


def _refuse_no_answers(summary: Summary, last_error: Exception | None, resume: str) -> None:
    """Raise unless the model, or the cache in its place, has answered at least one case."""
    if summary.calls or summary.cached:
        return
    reason = f"the last one: {type(last_error).__name__}: {last_error}" if last_error else ""
    message = f"not one of {summary.cases * summary.repeats:,} calls was answered; {reason}"
    if isinstance(last_error, ProviderError):
        raise ProviderError(
            message, hint=f"{last_error.hint or 'see the journal'}; then `{resume}`"
        )
    raise UsageError(message, hint="no verdict is given on a run without any answer")
