"""Scores an answer with every check of the suite, without holding up the calls in flight."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from llmops.core.scoring import Check, Outcome, Sample, Score, Verdict

TOO_LONG = 0.02
"""Seconds for which a scorer may keep the event loop."""

IN_A_ROW = 3
"""Times in a row that it may take longer, before it moves to a thread: once is the
loading of its model, or a busy machine."""


class Scoring:
    """The checks of a run. A scorer that fails leaves an error, never a score."""

    def __init__(self, checks: Sequence[Check]):
        self._checks = tuple(checks)
        self._slow_calls = {
            check.name: IN_A_ROW if getattr(check.scorer, "blocking", False) else 0
            for check in checks
        }
        # One thread, so that no scorer ever runs beside itself.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmops-scoring")

    async def warm_up(self) -> None:
        """Let scorers that have a `warm_up` load what they need, before any model is called."""
        for check in self._checks:
            warm_up = getattr(check.scorer, "warm_up", None)
            if warm_up is not None:
                waiting = await self._in_thread(warm_up)
                if inspect.isawaitable(waiting):
                    await waiting

    async def judge(self, sample: Sample) -> tuple[Verdict, ...]:
        """One verdict for each check."""
        return tuple([await self._verdict(check, sample) for check in self._checks])

    def not_judged(self, reason: str) -> tuple[Verdict, ...]:
        """The verdicts on a case that gave no output."""
        return tuple(_error(check, reason) for check in self._checks)

    def close(self) -> None:
        """Let go of the thread; what it is doing is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _verdict(self, check: Check, sample: Sample) -> Verdict:
        try:
            score = await self._score(check, sample)
        except Exception as error:  # part of the case runner: whatever is raised becomes data
            return _error(check, f"{type(error).__name__}: {error}")
        return check.judge(score)

    async def _score(self, check: Check, sample: Sample) -> Score:
        if self._slow_calls[check.name] >= IN_A_ROW:
            found: Any = await self._in_thread(check.scorer.score, sample)
        else:
            begun = time.perf_counter()
            found = check.scorer.score(sample)
            slow = time.perf_counter() - begun > TOO_LONG
            self._slow_calls[check.name] = self._slow_calls[check.name] + 1 if slow else 0
        if inspect.isawaitable(found):
            found = await found
        if isinstance(found, Score):
            return found
        raise TypeError(f"`{check.scorer.name}` returned {type(found).__name__}, not a Score")

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _error(check: Check, reason: str) -> Verdict:
    return Verdict(check=check.name, outcome=Outcome.ERROR, score=Score.unscored(reason))
