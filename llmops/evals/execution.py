"""Runs the cases: many at once, each journaled as it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from llmops.core.chat import ChatReply, Messages
from llmops.core.errors import LlmopsError, ProviderError
from llmops.core.scoring import Sample
from llmops.evals.circuit import Circuit
from llmops.evals.dataset import Case
from llmops.evals.journal import Journal
from llmops.evals.results import CaseResult
from llmops.evals.scoring import Scoring
from llmops.evals.subject import PromptSubject


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One subject on its way through the cases: a run has one, or two with a base."""

    subject: PromptSubject
    journal: Journal
    circuit: Circuit


class Work(NamedTuple):
    """One case to run once."""

    lane: Lane
    slot: int
    case: Case
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. Results of the parts before it was resumed are in `done`."""

    done: int
    total: int
    failed: int
    errors: int
    rate: float
    """Results a second, since the run began or was resumed."""

    @property
    def seconds_left(self) -> float | None:
        """At this rate; `None` before the first result."""
        return (self.total - self.done) / self.rate if self.rate else None


class Execution:
    """The run of one subject, or of two side by side, over their work."""

    def __init__(
        self,
        *,
        lanes: Sequence[Lane],
        scoring: Scoring,
        concurrency: int,
        progress: Callable[[Progress], None] | None,
    ):
        self._lanes = lanes
        self._scoring = scoring
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._progress = progress
        self._begun = time.monotonic()
        self._ended = 0
        self.last_error: Exception | None = None

    async def run(self, work: Iterator[Work]) -> None:
        """Run all of the work; the first error that is not a case's own ends it.

        There are twice as many workers as calls may be in flight: while an
        answer is scored, the next case is rendered and waiting.
        """
        workers = [asyncio.create_task(self._worker(work)) for _ in range(2 * self._concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*workers, return_exceptions=True)

    async def _worker(self, work: Iterator[Work]) -> None:
        for item in work:
            result, system_fingerprint = await self._case(item)
            elapsed = time.monotonic() - self._begun
            item.lane.journal.record(
                item.slot, result, elapsed=elapsed, system_fingerprint=system_fingerprint
            )
            self._ended += 1
            self._report(elapsed)

    async def _case(self, item: Work) -> tuple[CaseResult, str | None]:
        try:
            messages = item.lane.subject.messages(item.case.inputs)
            async with self._slots:
                reply = await self._call(item.lane, messages, item.repeat)
        except Exception as error:  # the case runner: whatever is raised becomes data
            self.last_error = error
            return self._failed(item, error), None
        await asyncio.sleep(0)  # the call that waited for this slot goes out before the scoring
        return await self._judged(item, reply), reply.system_fingerprint

    async def _call(self, lane: Lane, messages: Messages, repeat: int) -> ChatReply:
        try:
            reply = await lane.subject.answer(messages, repeat)
        except ProviderError as error:
            lane.circuit.failed(error)
            raise
        lane.circuit.answered()
        return reply

    async def _judged(self, item: Work, reply: ChatReply) -> CaseResult:
        case, usage = item.case, reply.usage
        output = _spellable(reply.text)
        sample = Sample(
            output=output,
            input=case.inputs,
            expected=case.expected,
            contexts=case.contexts,
            latency=reply.latency,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
        )
        return _result(
            item,
            output=output,
            verdicts=await self._scoring.judge(sample),
            latency=reply.latency,
            usage=usage,
            finish_reason=reply.finish_reason,
            cached=reply.cached,
            attempts=reply.attempts,
        )

    def _failed(self, item: Work, error: Exception) -> CaseResult:
        message = f"{type(error).__name__}: {error}"
        if isinstance(error, LlmopsError) and error.hint:
            message += f" ({error.hint})"
        verdicts = self._scoring.not_judged("the case gave no output")
        return _result(item, error=message, verdicts=verdicts)

    def _report(self, elapsed: float) -> None:
        if self._progress is None:
            return
        ledgers = [lane.journal.ledger for lane in self._lanes]
        self._progress(
            Progress(
                done=sum(each.wanted - each.missing for each in ledgers),
                total=sum(each.wanted for each in ledgers),
                failed=sum(each.failed for each in ledgers),
                errors=sum(each.errors for each in ledgers),
                rate=self._ended / elapsed if elapsed > 0 else 0.0,
            )
        )


def _result(item: Work, **outcome: Any) -> CaseResult:
    """The result of one case: what went in, and what became of it."""
    case = item.case
    return CaseResult(
        case=case.id,
        repeat=item.repeat,
        inputs=case.inputs,
        expected=case.expected,
        contexts=case.contexts,
        tags=case.tags,
        slices=case.slices,
        counterfactual=case.counterfactual,
        **outcome,
    )


def _spellable(text: str) -> str:
    """`text` without half surrogate pairs, which no file could hold."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()
