"""The part of a run that calls the model: round after round, until it is decided or stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from llmops.core.errors import Interrupted, ProviderError
from llmops.core.scoring import Outcome
from llmops.evals.circuit import Circuit, Patience
from llmops.evals.execution import Execution, Lane, Progress, Work
from llmops.evals.journal import Journal
from llmops.evals.ledger import Settled
from llmops.evals.plan import Plan
from llmops.evals.repeats import (
    Bound,
    Look,
    Next,
    Step,
    at_confidence,
    confidence,
    final_confidence,
    next_step,
)
from llmops.evals.report import blessed_base, build_report, resume_command
from llmops.evals.results import CaseResult, Report
from llmops.evals.scoring import Scoring
from llmops.evals.signals import stop_signal
from llmops.evals.statistics import CONFIDENCE

CALLS_AT_ONCE = 8
"""Where neither the suite nor the model says how many."""


class Rounds:
    """A run over its lanes. What is finished is in the journals, whatever happens."""

    def __init__(
        self,
        plans: Sequence[Plan],
        journals: Sequence[Journal],
        scoring: Scoring,
        output: Path,
        patience: Patience,
    ):
        self._plans = plans
        self._scoring = scoring
        self._output = output
        models = {id(plan.subject.model): plan.subject.model for plan in plans}
        self._circuits = {key: Circuit(model, patience) for key, model in models.items()}
        self._lanes = [
            Lane(
                subject=plan.subject,
                journal=journal,
                circuit=self._circuits[id(plan.subject.model)],
            )
            for plan, journal in zip(plans, journals, strict=True)
        ]
        self._alpha = 1 - plans[0].suite.gate.comparison.confidence
        self.last_error: Exception | None = None

    async def to_the_end(self, progress: Callable[[Progress], None] | None) -> None:
        """Run what is not finished; `ProviderError` or `Interrupted` when it is stopped."""
        execution = Execution(
            lanes=self._lanes,
            scoring=self._scoring,
            concurrency=self._concurrency(),
            progress=progress,
        )
        work = asyncio.create_task(self._rounds(execution))
        deaths = [asyncio.create_task(circuit.broken()) for circuit in self._circuits.values()]
        try:
            with stop_signal() as stop:
                waited: set[asyncio.Future[Any]] = {work, *deaths, stop}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                dead = next((death for death in deaths if death.done()), None)
                if work.done():
                    work.result()
                elif dead is not None:
                    raise self._died(dead.result())
                else:
                    raise self._interrupted(stop.result().name)
        finally:
            self.last_error = execution.last_error
            for task in (work, *deaths):
                task.cancel()
            await asyncio.gather(work, *deaths, return_exceptions=True)

    def report(self, confidence: float | None = None) -> Report:
        """What the journals hold, with head and base compared."""
        head, *others = [lane.journal for lane in self._lanes]
        against: Report | None
        if others:
            (base,) = others
            against = build_report(base.path.parent, base.header, base.ledger)
        else:
            against = blessed_base(self._output, head.header)
        return build_report(
            self._output, head.header, head.ledger, base=against, confidence=confidence
        )

    async def _rounds(self, execution: Execution) -> None:
        if not self._plans[0].auto:
            await execution.run(self._work(range(self._plans[0].repeats)))
            return
        rounds, confirmed = 1, False
        while True:
            self._ask_for(rounds)
            await execution.run(self._work(range(rounds)))
            found = next_step(self._look(rounds, confirmed))
            match found.step:
                case Step.STOP:
                    self._settle(rounds, found)
                    return
                case Step.CONFIRM:
                    again = self._turned(self.report(confidence(rounds, self._alpha)))
                    await execution.run(self._work(range(rounds, rounds + 1), again))
                    confirmed = True
                case Step.GO_ON:
                    rounds, confirmed = rounds + 1, False

    def _work(self, repeats: range, only: Collection[str] | None = None) -> Iterator[Work]:
        """What is open in all lanes, case by case, in turns as to which lane comes first."""
        streams = [
            plan.work(lane, repeats, only)
            for plan, lane in zip(self._plans, self._lanes, strict=True)
        ]
        for number, together in enumerate(zip_longest(*streams)):
            in_turn = together if number % 2 else reversed(together)
            yield from (work for work in in_turn if work is not None)

    def _ask_for(self, rounds: int) -> None:
        for lane in self._lanes:
            lane.journal.ledger.rounds = rounds

    def _look(self, rounds: int, confirmed: bool) -> Look:
        """What there is after a round, at the confidence that this look may use."""
        wanted = confidence(rounds, self._alpha)
        report = self.report(wanted)
        plan = self._plans[0]
        gate = plan.suite.gate
        # As `Gate.decide` has it: otherwise the comparison decides alone.
        alone = report.comparison is None or (gate.written and not plan.untouched)
        summaries = {check.name: check for check in report.summary.checks}
        bounds = []
        for threshold in gate.thresholds if alone else ():
            check = summaries[threshold.check]
            found = check.mean if threshold.aggregate == "mean" else check.pass_rate
            widened = at_confidence(found, wanted, CONFIDENCE) if found else None
            bounds.append(Bound(rule=threshold.rule, estimate=widened))
        turned = self._turned(report)
        return Look(
            rounds=rounds,
            confidence=wanted,
            alpha=self._alpha,
            metrics=report.comparison.metrics if report.comparison else (),
            bounds=bounds,
            turned=len(turned),
            flaky=_flaky(report, turned),
            confirmed=confirmed,
        )

    def _turned(self, report: Report) -> set[str]:
        """The cases that are asked again before anything is concluded from them."""
        if report.comparison is not None:
            return {change.case for change in report.comparison.changes()}
        return {each.case for each in report.results() if each.outcome is Outcome.FAILED}

    def _settle(self, rounds: int, found: Next) -> None:
        level = final_confidence if found.exhausted else confidence
        settled = Settled(rounds=rounds, confidence=level(rounds, self._alpha), why=found.why)
        for lane in self._lanes:
            lane.journal.settle(settled)

    def _concurrency(self) -> int:
        plan = self._plans[0]
        model = getattr(plan.subject.model, "concurrency", CALLS_AT_ONCE)
        return int(plan.suite.concurrency or model)

    def _safe(self) -> str:
        ledgers = [lane.journal.ledger for lane in self._lanes]
        finished = sum(each.finished for each in ledgers)
        wanted = sum(each.wanted for each in ledgers)
        return f"{finished:,} of {wanted:,} results are safe in {self._output}"

    def _resume(self) -> str:
        return resume_command(self._lanes[0].journal.header["command"], self._output)

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


def _flaky(report: Report, turned: Collection[str]) -> int:
    """Of these cases, those whose repeats disagree on one side."""
    if report.comparison is not None:
        return sum(
            _disagree(change.base) or _disagree(change.head)
            for change in report.comparison.changes()
        )
    seen: dict[str, list[CaseResult]] = {}
    for each in report.results():
        if each.case in turned:
            seen.setdefault(each.case, []).append(each)
    return sum(_disagree(results) for results in seen.values())


def _disagree(results: Sequence[CaseResult]) -> bool:
    """Whether repeats of one case on one side were not all judged, or scored, alike."""
    judged = {
        tuple((verdict.outcome, verdict.score.value) for verdict in each.verdicts)
        for each in results
        if each.error is None
    }
    return len(judged) > 1
