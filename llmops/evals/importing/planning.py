"""From imported suites to files: suite, dataset and prompt, all checked before one is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from llmops.core.documents import Parsed, parse_yaml
from llmops.core.errors import DocumentError, UsageError, Where
from llmops.core.files import read_document
from llmops.evals.importing.lm_eval import read_lm_eval_suite
from llmops.evals.importing.promptfoo import read_promptfoo_suites
from llmops.evals.importing.values import ImportedSuite, ImportedSuites
from llmops.evals.suite_file import SuiteFile
from llmops.prompts import PromptRepository
from llmops.prompts.exchange.files import FileChange, planned, refuse_replacing
from llmops.prompts.exchange.importing import plan_import
from llmops.prompts.exchange.promptfoo import CONFIG_NAMES
from llmops.prompts.exchange.reading import read_mapping
from llmops.prompts.exchange.writer import to_yaml

DATA = "data"
"""The folder beside the suites that holds their datasets."""


class Source(StrEnum):
    """Whose evaluation is taken over."""

    PROMPTFOO = "promptfoo"
    LM_EVAL = "lm-eval"

    @classmethod
    def parse(cls, name: str) -> Source:
        """The source of that name; `UsageError` lists them all."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(f"`{each}`" for each in cls)
            raise UsageError(f"no source is named `{name}`", hint=f"known: {known}") from None


def read_suites(
    path: Path,
    *,
    name: str,
    source: Source | None = None,
    into: str | None = None,
    data: Path | None = None,
    leave_out: bool = False,
) -> ImportedSuites:
    """The suites of a config or task; by what it holds, unless `source` says so.

    Raises `DocumentError`, with file and line, for what is broken or cannot be
    taken over. With `leave_out`, checks that cannot are told in `left_out`.
    """
    path = next((path / each for each in CONFIG_NAMES if (path / each).is_file()), path)
    text = read_document(path)
    _refuse_functions(text, path)
    parsed = read_mapping(text, path)
    if (source or _detect(parsed)) is Source.LM_EVAL:
        return read_lm_eval_suite(parsed, name=name, into=into, data=data, leave_out=leave_out)
    if data is not None:
        raise UsageError("`--data` is for tasks of lm-evaluation-harness")
    return read_promptfoo_suites(parsed, name=name, into=into, leave_out=leave_out)


def plan_suites(
    read: ImportedSuites,
    folder: Path,
    prompts: PromptRepository,
    *,
    replace_others: bool = False,
) -> list[FileChange]:
    """What writing the suites into `folder` would do; nothing is touched."""
    changes = plan_import(
        prompts, [suite.prompt for suite in read.suites], replace_others=replace_others
    )
    datasets = _datasets(read.suites)
    for suite in read.suites:
        dataset = datasets[suite.name]
        path = folder / f"{suite.name}.yaml"
        text = _suite_text(suite, f"{DATA}/{dataset}.jsonl", path)
        changes.append(planned(path, text, name=suite.name))
        data = folder / DATA / f"{dataset}.jsonl"
        if all(each.path != data for each in changes):
            changes.append(planned(data, _lines(suite), name=suite.name))
    if not replace_others:
        refuse_replacing(changes, otherwise=", `-o` gives another name")
    return changes


def _datasets(suites: Sequence[ImportedSuite]) -> dict[str, str]:
    """The name of each suite's dataset; suites with the same rows share one."""
    by_rows: dict[str, str] = {}
    return {suite.name: by_rows.setdefault(_lines(suite), suite.name) for suite in suites}


def _suite_text(suite: ImportedSuite, dataset: str, path: Path) -> str:
    section: dict[str, Any] = {
        "path": dataset,
        "inputs": {name: name for name in suite.inputs},
        "expected": "expected" if suite.expected else None,
    }
    data = {
        "version": 1,
        "description": suite.description or None,
        "subject": {"prompt": suite.prompt.name},
        "dataset": {key: value for key, value in section.items() if value is not None},
        "checks": [dict(each) for each in suite.checks],
        "gate": dict(suite.gate) or None,
        "repeat": suite.repeat if suite.repeat > 1 else None,
        "sampling": dict(suite.sampling) or None,
    }
    text = to_yaml({key: value for key, value in data.items() if value is not None})
    parse_yaml(text, path).validate(SuiteFile)
    return text


def _lines(suite: ImportedSuite) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in suite.rows)


def _detect(parsed: Parsed) -> Source:
    if "doc_to_text" in parsed.data or "output_type" in parsed.data:
        return Source.LM_EVAL
    if "prompts" in parsed.data:
        return Source.PROMPTFOO
    raise DocumentError(
        "is neither a promptfoo config (`prompts`) nor a task of lm-evaluation-harness "
        "(`doc_to_text`)",
        hint="a task that includes another one has to be written out",
        where=Where(parsed.path),
    )


def _refuse_functions(text: str, path: Path) -> None:
    """Raise for `!function`, by which a task names Python code."""
    for number, line in enumerate(text.splitlines(), 1):
        if "!function" in line and not line.lstrip().startswith("#"):
            raise DocumentError(
                f"`{line.split(':')[0].strip()}` is made by Python code",
                hint="write what it gives into the data, and name the columns here",
                where=Where(path, number),
            )
