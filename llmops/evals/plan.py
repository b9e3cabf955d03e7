"""What a run will do, with everything checked that can be without a model."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops import __version__
from llmops.core.chat import ChatModel
from llmops.core.errors import UsageError, Where
from llmops.core.files import inside
from llmops.evals.dataset import Case, Dataset, Scan
from llmops.evals.execution import Work
from llmops.evals.ledger import Ledger
from llmops.evals.report import gate_record
from llmops.evals.selection import Selection
from llmops.evals.subject import PromptSubject, bind_columns
from llmops.evals.suite import Suite
from llmops.prompts import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be run."""

    suite: Suite
    subject: PromptSubject
    dataset: Dataset
    selection: Selection
    limit: int | None
    repeats: int
    scan: Scan

    def work(self, ledger: Ledger) -> Iterator[Work]:
        """What is not finished yet, in the dataset's order, repeats side by side."""
        for position, case in enumerate(self.dataset.cases(self.selection, self.limit)):
            for repeat in range(self.repeats):
                slot = position * self.repeats + repeat
                if not ledger.is_finished(slot):
                    yield Work(slot, case, repeat)


def make_plan(
    suite: Suite,
    prompt: Prompt,
    model: ChatModel,
    select: str | None,
    limit: int | None,
    repeat: int | None,
    use_cache: bool,
) -> Plan:
    """The plan of a run; `UsageError` for whatever can be known to be wrong without a model."""
    for name, value in (("limit", limit), ("repeat", repeat)):
        if value is not None and value < 1:
            raise UsageError(f"`{name}` must be at least 1, not {value}")
    selection = Selection.parse(select)
    subject = PromptSubject(suite, prompt, model, use_cache=use_cache)
    path = inside(suite.root, suite.dataset_path)
    dataset = Dataset(path, bind_columns(suite, prompt))
    scan = dataset.scan(selection, limit)
    if scan.first is None:
        raise UsageError(
            f"`{selection.text}` selects none of the {scan.rows:,} cases",
            hint=f"the ids are in column `{suite.dataset.id}`, the tags in "
            f"`{suite.dataset.tags or 'tags'}`",
            where=Where(path),
        )
    _refuse_blind_checks(suite, scan)
    _render_first(subject, scan.first, path)
    return Plan(
        suite=suite,
        subject=subject,
        dataset=dataset,
        selection=selection,
        limit=limit,
        repeats=repeat or suite.repeat,
        scan=scan,
    )


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
    suite, scan = plan.suite, plan.scan
    subject = await plan.subject.describe()
    checks = [
        {
            "name": check.name,
            "scorer": check.scorer.name,
            "version": check.scorer.version,
            "rule": str(check.rule) if check.rule else None,
            "unit": getattr(check.scorer, "unit", ""),
            "higher_is_better": getattr(check.scorer, "higher_is_better", True),
        }
        for check in suite.checks
    ]
    made_from = {
        "suite": suite.name,
        "dataset": f"sha256:{scan.sha256}",
        "columns": suite.parts["dataset"],
        "checks": suite.parts["checks"],
        "gate": suite.parts["gate"],
        "prompt": f"{subject['prompt']} {subject['prompt_fingerprint']}",
        "model": subject["model"],
        "model identity": subject["model_identity"],
        "sampling": json.dumps(subject["sampling"], sort_keys=True),
        "repeats": str(plan.repeats),
        "selection": plan.selection.text or "all",
        "limit": str(plan.limit or "none"),
        **{f"scorer of `{each['name']}`": f"{each['scorer']} {each['version']}" for each in checks},
    }
    return {
        "suite": suite.name,
        "description": suite.description,
        "command": command,
        "cases": scan.selected,
        "repeats": plan.repeats,
        "subject": subject,
        "dataset": {
            "path": plan.dataset.path.relative_to(suite.root.resolve()).as_posix(),
            "sha256": scan.sha256,
            "rows": scan.rows,
            "selected": scan.selected,
        },
        "checks": checks,
        "gate": gate_record(suite.gate),
        "environment": await _environment(suite.root),
        "made_from": made_from,
    }


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
