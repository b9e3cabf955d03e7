"""Which cases of a suite a selection takes, found in one or two passes over its dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmops.core.errors import UsageError, Where
from llmops.core.files import inside, relative
from llmops.evals.dataset import Case, Dataset, Scan
from llmops.evals.row_schema import DatasetSchema, row_schema
from llmops.evals.selection import Selection, SuiteFacts
from llmops.evals.subject import bind_columns
from llmops.evals.suite import Suite
from llmops.prompts import Prompt
from llmops.prompts.prompt import SUFFIX
from llmops.prompts.refs import PromptRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The cases of one suite that a selection takes."""

    dataset: Dataset
    selects: Callable[[Case], bool]
    """What the selection means in this suite, before limit and shard."""
    scan: Scan
    schema: DatasetSchema | None
    """What every row was held against."""


def choose_cases(suite: Suite, prompt: Prompt, selection: Selection) -> Chosen:
    """What `selection` takes of a suite; it may be nothing.

    Raises `DocumentError` for a dataset that cannot be read, and `UsageError`
    for one that does not fit the prompt.
    """
    schema = row_schema(suite)
    dataset = Dataset(
        inside(suite.root, suite.dataset_path),
        bind_columns(suite, prompt),
        schema.rows if schema else None,
    )
    selects = selection.narrowed(selection.of(facts_of(suite, prompt)), dataset.every())
    scan = dataset.scan(selects, selection.limit, selection.shard)
    return Chosen(dataset=dataset, selects=selects, scan=scan, schema=schema)


def facts_of(suite: Suite, prompt: Prompt) -> SuiteFacts:
    """What a selection can ask of a suite.

    `prompt` may be the subject of another revision: asked for is the prompt
    that the suite names now.
    """
    folder = str(prompt.path).rpartition(f"{prompt.name}{SUFFIX}")[0]
    named = PromptRef.parse(suite.document.data["subject"]["prompt"]).name
    root = suite.root.resolve()
    return SuiteFacts(
        name=suite.name,
        tags=suite.tags,
        paths=(
            relative(suite.path, suite.root),
            relative(suite.dataset_path, root),
            relative(Path(f"{folder}{named}{SUFFIX}"), suite.root),
        ),
    )


def nothing_chosen(suite: Suite, selection: Selection, scan: Scan) -> UsageError:
    """The error for a selection that takes no case of a suite."""
    where = Where(suite.dataset_path)
    if scan.before_shard:
        return UsageError(
            f"shard {selection.shard} holds none of the {scan.before_shard:,} selected cases",
            hint="make fewer shards, or leave this one out: the others hold them all",
            where=where,
        )
    return UsageError(
        f"`{selection}` selects none of the {scan.rows:,} cases",
        hint=f"the ids are in column `{suite.dataset.id}`, the tags in "
        f"`{suite.dataset.tags or 'tags'}`",
        where=where,
    )
