"""Runs a suite: everything that can be wrong is found first, then the model is called.

suite, prompt, model ── plan ──→ journal ── execution ──→ report
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmops.core.chat import ChatModel
from llmops.core.errors import Interrupted, ProviderError, UsageError
from llmops.evals.circuit import Circuit, Patience
from llmops.evals.execution import Execution, Progress
from llmops.evals.journal import Journal
from llmops.evals.plan import Plan, make_header, make_plan
from llmops.evals.report import build_report, resume_command
from llmops.evals.results import Report, Summary
from llmops.evals.scoring import Scoring
from llmops.evals.signals import stop_signal
from llmops.evals.subject import Checkable
from llmops.evals.suite import Suite
from llmops.prompts import Prompt

__all__ = ["Progress", "run_suite"]

CONCURRENCY = 8
"""Calls at once where neither the suite nor the model says how many."""

ENDPOINT_DEADLINE = 25.0
"""Seconds in which the model must answer before the run begins: with the start of the
process, a dead one is known within 30."""


async def run_suite(
    suite: Suite,
    *,
    prompt: Prompt,
    model: ChatModel,
    output: Path,
    limit: int | None = None,
    select: str | None = None,
    repeat: int | None = None,
    resume: bool = False,
    use_cache: bool = True,
    progress: Callable[[Progress], None] | None = None,
    command: str = "",
    patience: Patience | None = None,
) -> Report:
    """Run the suite's cases and judge them.

    The journal lies in the folder `output`; with `resume` it must hold one,
    and results there that are not errors are kept. `select` chooses cases,
    `limit` takes the first of those, `repeat` goes before the suite's own.
    `command` is what a person types to run this again.

    Raises `UsageError` for anything that makes no sense as given, before the
    model is called; `ProviderError` when the model is not there, dies on the
    way or answers no case; `Interrupted` on Ctrl-C and SIGTERM. The journal
    keeps what was finished until then.
    """
    plan = make_plan(suite, prompt, model, select, limit, repeat, use_cache)
    scoring = Scoring(suite.checks)
    try:
        await scoring.warm_up()
        if isinstance(model, Checkable):
            await model.check(deadline=ENDPOINT_DEADLINE)
        header = await make_header(plan, command)
        open_journal = Journal.resume if resume else Journal.create
        with open_journal(output, header) as journal:
            run = _Run(plan, scoring, journal, output, patience or Patience())
            await run.to_the_end(progress)
            report = build_report(output, journal.header, journal.ledger)
    finally:
        scoring.close()
    _refuse_no_answers(report.summary, run.last_error, resume_command(command, output))
    return report


class _Run:
    """The part of a run that calls the model, until its end or whatever stops it."""

    def __init__(
        self, plan: Plan, scoring: Scoring, journal: Journal, output: Path, patience: Patience
    ):
        self._plan = plan
        self._scoring = scoring
        self._journal = journal
        self._output = output
        self._circuit = Circuit(plan.subject.model, patience)
        self.last_error: Exception | None = None

    async def to_the_end(self, progress: Callable[[Progress], None] | None) -> None:
        """Run what is not finished; `ProviderError` or `Interrupted` when it is stopped."""
        execution = Execution(
            subject=self._plan.subject,
            scoring=self._scoring,
            journal=self._journal,
            circuit=self._circuit,
            concurrency=self._concurrency(),
            progress=progress,
        )
        work = asyncio.create_task(execution.run(self._plan.work(self._journal.ledger)))
        death = asyncio.create_task(self._circuit.broken())
        try:
            with stop_signal() as stop:
                waited: set[asyncio.Future[Any]] = {work, death, stop}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
                elif death.done():
                    raise self._died(death.result())
                else:
                    raise self._interrupted(stop.result().name)
        finally:
            self.last_error = execution.last_error
            for task in (work, death):
                task.cancel()
            await asyncio.gather(work, death, return_exceptions=True)

    def _concurrency(self) -> int:
        model = getattr(self._plan.subject.model, "concurrency", CONCURRENCY)
        return int(self._plan.suite.concurrency or model)

    def _safe(self) -> str:
        ledger = self._journal.ledger
        return f"{ledger.finished:,} of {ledger.slots:,} results are safe in {self._output}"

    def _resume(self) -> str:
        return resume_command(self._journal.header["command"], self._output)

    def _died(self, error: ProviderError) -> ProviderError:
        hint = f"go on with `{self._resume()}`"
        return type(error)(
            f"{error.message}; {self._safe()}",
            hint=f"{error.hint}; then {hint}" if error.hint else hint,
            status=error.status,
        )

    def _interrupted(self, signal: str) -> Interrupted:
        return Interrupted(
            f"stopped by {signal}; {self._safe()}", hint=f"go on with `{self._resume()}`"
        )


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
