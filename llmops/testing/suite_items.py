"""A suite as a pytest collector: run once, an item for each check of its gate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmops.core.errors import Interrupted, LlmopsError, UsageError
from llmops.core.scoring import Outcome
from llmops.project import ProjectSuite, load_project, run_sync
from llmops.project.suite import RunOptions

if TYPE_CHECKING:
    from llmops.evals.results import CaseResult, Report

SHOWN = 3
"""Failed cases that a failure shows."""

_WORST = ("failed", "inconclusive", "passed")


def find_suite(path: Path) -> ProjectSuite | None:
    """The suite of a project that is this file; `None` if it is none."""
    try:
        project = load_project(path.parent)
    except UsageError:
        return None
    return next((each for each in project.suites() if each.path.samefile(path)), None)


class SuiteFile(pytest.File):
    """One suite."""

    def __init__(self, *, suite: ProjectSuite, **rest: Any):
        super().__init__(**rest)
        self.suite = suite
        self._report: Report | LlmopsError | None = None

    def collect(self) -> Iterator[GateItem]:
        """An item for each check of the gate; a suite that is broken is a collection error."""
        loaded = self.suite.load()
        gate = loaded.gate
        named = [each.check for each in gate.thresholds]
        named += [each.check for each in gate.slices]
        named += [each.check for each in gate.comparison.margins]
        for check in dict.fromkeys(named):
            yield GateItem.from_parent(self, name=check)

    def report(self) -> Report | LlmopsError:
        """The report of the suite's run, made when it is first asked for, or why there is none."""
        if self._report is None:
            try:
                self._report = run_sync(self.suite.run(**self._options()))
            except Interrupted as error:
                raise KeyboardInterrupt(str(error)) from error
            except LlmopsError as error:
                self._report = error
        return self._report

    def repr_failure(  # type: ignore[override]
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """The message of an error of ours, without the code that came upon it."""
        if isinstance(excinfo.value, LlmopsError):
            return _told(excinfo.value)
        return super().repr_failure(excinfo)

    def _options(self) -> RunOptions:
        # Where the suites' own `conftest.py` is found late, pytest knows of no options.
        def given(name: str) -> Any:
            return self.config.getoption(f"--llmops-{name}", default=None)

        return RunOptions(base=given("base"), limit=given("limit"), model=given("model"))


class GateItem(pytest.Item):
    """What the gate asks of one check."""

    parent: SuiteFile

    def setup(self) -> None:
        """Run the suite; what goes wrong here is an error of set-up, not a failed test."""
        report = self.parent.report()
        if isinstance(report, LlmopsError):
            pytest.fail(_told(report), pytrace=False)
        self.add_report_section("setup", "run", str(report.folder))
        outcome, reason = self._judgement(report)
        if outcome == "inconclusive":
            pytest.fail(f"{reason}\nthe run is in {report.folder}", pytrace=False)

    def runtest(self) -> None:
        """Fail if a threshold of the check is missed."""
        report = self.parent.report()
        assert not isinstance(report, LlmopsError)  # noqa: S101 - then its set-up has failed
        outcome, reason = self._judgement(report)
        if outcome == "failed":
            pytest.fail("\n".join([reason, *self._examples(report)]), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item is, and what it is called in reports."""
        return self.path, None, f"{self.parent.suite.name}: {self.name}"

    def _judgement(self, report: Report) -> tuple[str, str]:
        """The worst of what the gate says of this check, and why.

        A decision that no line explains, such as too few cases on both sides,
        holds for every check.
        """
        decision = report.summary.decision
        lines = [line for line in decision.lines if line.check == self.name]
        if all(line.outcome == "passed" for line in decision.lines):
            return decision.outcome, decision.reason
        worst = min((line.outcome for line in lines), key=_WORST.index, default="passed")
        return worst, "\n".join(line.reason for line in lines if line.outcome == worst)

    def _examples(self, report: Report) -> Iterator[str]:
        for result, why in islice(self._failed(report), SHOWN):
            output = " ".join((result.output or "").split())
            yield f"  {result.case}: {output[:120]!r}" + (f" ({why})" if why else "")
        yield f"the run is in {report.folder}"

    def _failed(self, report: Report) -> Iterator[tuple[CaseResult, str]]:
        for result in report.results():
            for verdict in result.verdicts:
                if verdict.check == self.name and verdict.outcome is Outcome.FAILED:
                    yield result, verdict.score.rationale


def _told(error: LlmopsError) -> str:
    return f"{error}\nhint: {error.hint}" if error.hint else str(error)
