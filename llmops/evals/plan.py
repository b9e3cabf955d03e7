"""What a run will do, with everything checked that can be without a model."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from llmops import __version__
from llmops.core.chat import ChatModel
from llmops.core.errors import UsageError, Where
from llmops.evals.choosing import Chosen, choose_cases, nothing_chosen
from llmops.evals.dataset import Case, Scan
from llmops.evals.execution import Lane, Work
from llmops.evals.judges import calibration_record, judge_identities, refuse_unfit_judges
from llmops.evals.repeats import ROUNDS
from llmops.evals.report import gate_record
from llmops.evals.selection import Selection
from llmops.evals.subject import PromptSubject
from llmops.evals.suite import Suite
from llmops.evals.tracking import tracked
from llmops.prompts import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be run."""

    suite: Suite
    subject: PromptSubject
    chosen: Chosen
    selection: Selection
    repeats: int
    """How often each case is asked; of a run that repeats by itself, the most."""
    auto: bool
    """Whether the run repeats by itself, while its verdict is open."""
    untouched: int
    """Cases that the selection leaves out for the only reason that they are as at the base."""
    untouched_in_all: int
    """The same of all shards together."""

    def work(
        self, lane: Lane, repeats: range, only: Container[str] | None = None
    ) -> Iterator[Work]:
        """What is not finished yet, in the dataset's order, repeats side by side.

        `repeats` are those that are asked for now, `only` the ids of the cases;
        left out, it is all of them.
        """
        ledger = lane.journal.ledger
        for position, case in enumerate(self._cases()):
            if only is not None and case.id not in only:
                continue
            for repeat in repeats:
                slot = position * self.repeats + repeat
                if not ledger.is_finished(slot):
                    yield Work(lane, slot, case, repeat)

    def _cases(self) -> Iterator[Case]:
        selection = self.selection
        return self.chosen.dataset.cases(self.chosen.selects, selection.limit, selection.shard)


def make_plan(
    suite: Suite,
    prompt: Prompt,
    model: ChatModel,
    select: str | Selection | None,
    limit: int | None,
    repeat: int | Literal["auto"] | None,
    use_cache: bool,
) -> Plan:
    """The plan of a run; `UsageError` for whatever can be known to be wrong without a model.

    `select` is an expression, or a whole selection with its own limit.
    """
    if repeat not in (None, "auto") and (not isinstance(repeat, int) or repeat < 1):
        raise UsageError(f"`repeat` must be at least 1, or `auto`, not {repeat}")
    selection = select if isinstance(select, Selection) else Selection.parse(select, limit=limit)
    times = repeat or suite.repeat
    if times == "auto" and selection.shard is not None:
        raise UsageError(
            "`repeat: auto` decides on all cases together, and a shard has some of them",
            hint="say how often: `--repeat 3`",
        )
    subject = PromptSubject(suite, prompt, model, use_cache=use_cache)
    chosen = choose_cases(suite, prompt, selection)
    if chosen.scan.first is None:
        raise nothing_chosen(suite, selection, chosen.scan)
    _refuse_blind_checks(suite, chosen.scan)
    _refuse_lacking_fairness(suite, chosen.scan.first)
    refuse_unfit_judges(suite, chosen.dataset.columns)
    _render_first(subject, chosen.scan.first, chosen.dataset.path)
    untouched = _untouched(suite, prompt, selection, chosen.scan)
    return Plan(
        suite=suite,
        subject=subject,
        chosen=chosen,
        selection=selection,
        repeats=ROUNDS if times == "auto" else times,
        auto=times == "auto",
        untouched=untouched.here,
        untouched_in_all=untouched.in_all,
    )


class _Untouched(NamedTuple):
    here: int
    in_all: int
    """Of all shards together."""


def _untouched(suite: Suite, prompt: Prompt, selection: Selection, chosen: Scan) -> _Untouched:
    """How many cases differ from the selected ones in nothing but not having changed."""
    if not selection.asks_for_state or selection.limit or selection.sample:
        return _Untouched(0, 0)
    every = choose_cases(suite, prompt, selection.whatever_changed()).scan
    return _Untouched(every.selected - chosen.selected, every.before_shard - chosen.before_shard)


def _refuse_blind_checks(suite: Suite, scan: Scan) -> None:
    """Raise for a check that could score no case, since what it needs is nowhere."""
    for index, check in enumerate(suite.checks):
        needs: frozenset[str] = getattr(check.scorer, "needs", frozenset())
        where = suite.where("checks", index)
        if "expected" in needs and not scan.with_expected:
            raise UsageError(
                f"the check `{check.name}` needs something expected, and no case has it",
                hint="name the column: `dataset: {expected: COLUMN}`",
                where=where,
            )
        if "contexts" in needs and not suite.dataset.contexts:
            raise UsageError(
                f"the check `{check.name}` needs contexts, and the dataset names no column",
                hint="name the columns: `dataset: {contexts: [COLUMN]}`",
                where=where,
            )


def _refuse_lacking_fairness(suite: Suite, first: Case) -> None:
    """Raise before any call when the gate asks for a gap that could not be measured here."""
    if first.counterfactual is None and any(rule.gap for rule in suite.gate.slices):
        from llmops.evals.slices.frame import require

        require()


def _render_first(subject: PromptSubject, case: Case, path: Path) -> None:
    """Find out before any call whether the prompt can be rendered at all."""
    try:
        subject.messages(case.inputs)
    except UsageError as error:
        raise UsageError(
            f"the prompt cannot be rendered with case `{case.id}`: {error}",
            hint=error.hint,
            where=Where(path, case.line),
        ) from error


async def make_header(plan: Plan, command: str) -> dict[str, Any]:
    """The first line of the run's journal: all that its report says apart from results."""
    suite, scan = plan.suite, plan.chosen.scan
    subject = await plan.subject.describe()
    checks = [
        {
            "name": check.name,
            "scorer": check.scorer.name,
            "version": check.scorer.version,
            "rule": str(check.rule) if check.rule else None,
            "unit": getattr(check.scorer, "unit", ""),
            "higher_is_better": getattr(check.scorer, "higher_is_better", True),
            "calibration": calibration_record(suite, check.name),
        }
        for check in suite.checks
    ]
    made_from = {
        "suite": suite.name,
        "dataset": f"sha256:{scan.sha256}",
        "columns": suite.parts["dataset"],
        "checks": suite.parts["checks"],
        "slices": suite.parts["slices"],
        "gate": suite.parts["gate"],
        "prompt": f"{subject['prompt']} {subject['prompt_fingerprint']}",
        "model": subject["model"],
        "model identity": subject["model_identity"],
        "sampling": json.dumps(subject["sampling"], sort_keys=True),
        "repeats": "auto" if plan.auto else str(plan.repeats),
        "selection": str(plan.selection) or "all",
        "limit": str(plan.selection.limit or "none"),
        "shard": str(plan.selection.shard or "none"),
        **{f"scorer of `{each['name']}`": f"{each['scorer']} {each['version']}" for each in checks},
        **await judge_identities(suite),
    }
    return {
        "suite": suite.name,
        "description": suite.description,
        "command": command,
        "cases": scan.selected,
        "repeats": plan.repeats,
        "auto": plan.auto,
        "untouched": plan.untouched,
        "shard": plan.selection.shard
        and {
            "cases": scan.before_shard,
            "positions": scan.positions,
            "untouched": plan.untouched_in_all,
        },
        "subject": subject,
        "dataset": {
            "path": plan.chosen.dataset.path.relative_to(suite.root.resolve()).as_posix(),
            "sha256": scan.sha256,
            "rows": scan.rows,
            "selected": scan.selected,
            **_known_of_dataset(plan),
        },
        "checks": checks,
        "slices": [each.name for each in suite.slices],
        "gate": gate_record(suite.gate),
        "environment": await _environment(suite.root),
        "made_from": made_from,
    }


def _known_of_dataset(plan: Plan) -> dict[str, str]:
    """Its schema's fingerprint and what tracks it, where there is either."""
    chosen = plan.chosen
    schema = {"schema": chosen.schema.fingerprint} if chosen.schema else {}
    return {**schema, **tracked(chosen.dataset.path, plan.suite.root, chosen.scan.sha256)}


async def _environment(root: Path) -> dict[str, Any]:
    system = os.uname()
    return {
        "llmops": __version__,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "platform": f"{system.sysname} {system.machine}",
        "git_commit": await _git_commit(root),
    }


async def _git_commit(root: Path) -> str | None:
    """The commit that is checked out; `None` outside of a repository or without git."""
    if not any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents)):
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            "git", "-C", str(root), "rev-parse", "--verify", "HEAD",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        found, _ = await process.communicate()
    except OSError:
        return None
    return found.decode().strip() or None if process.returncode == 0 else None
