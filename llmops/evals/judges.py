"""What a run has to know of the judges among its checks, which ask models of their own."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from llmops.core.errors import UsageError
from llmops.evals.dataset import Columns
from llmops.evals.suite import Suite


@runtime_checkable
class Identified(Protocol):
    """A scorer that asks a model, and can say which."""

    async def identity(self) -> str:
        """The endpoint and the weights that answer."""
        ...


def refuse_unfit_judges(suite: Suite, columns: Columns) -> None:
    """Raise for a judge that asks for inputs which no case has, or is not as calibrated.

    Reads files only. `UsageError` names the check's line.
    """
    given = {*columns.inputs, *columns.optional}
    for index, check in enumerate(suite.checks):
        wanted: frozenset[str] = getattr(check.scorer, "needs_inputs", frozenset())
        missing = sorted(wanted - given)
        if missing:
            known = ", ".join(f"`{name}`" for name in sorted(given)) or "none"
            raise UsageError(
                f"the check `{check.name}` asks for the input `{missing[0]}`, and no case has it",
                hint=f"inputs here: {known}; "
                f"`options: {{inputs: {{{missing[0]}: NAME}}}}` takes another one",
                where=suite.where("checks", index),
            )
    verify_judges(suite)


def verify_judges(suite: Suite) -> None:
    """Raise `UsageError` for a judge that is not the one, or not as good, as the suite requires.

    To be asked again after the judges' `warm_up`, when they know how their
    endpoint gives a label.
    """
    for check in suite.checks:
        if check.name in suite.requirements:
            suite.requirements[check.name].verify(check.scorer)


async def judge_identities(suite: Suite) -> dict[str, str]:
    """The endpoint and the weights behind each judge, whose version names the model only."""
    return {
        f"judge of `{check.name}`": str(await check.scorer.identity())
        for check in suite.checks
        if isinstance(check.scorer, Identified)
    }


def calibration_record(suite: Suite, check: str) -> dict[str, Any] | None:
    """What a report says of the calibration of a check's judge; `None` if it names none."""
    requirement = suite.requirements.get(check)
    return requirement.record() if requirement else None
