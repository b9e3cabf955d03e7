"""Runs a judge over the labelled cases, and keeps numbers only."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, NotFound, ProviderError, UsageError, Where
from llmops.core.files import inside
from llmops.core.scoring import Sample, Score, Scorer
from llmops.evals.calibration.file import CalibrationSource
from llmops.evals.dataset import Case, Columns, Dataset

AT_ONCE = 16
"""Cases in the judge's hands at once; its model's own limits hold besides."""
PATIENCE = 20
"""Cases in a row that the provider may fail, after which it is taken for gone."""

_OUTPUT = "output"
_RATER = "rater {}"
_INPUT = "input {}"


@runtime_checkable
class LabelJudge(Scorer, Protocol):
    """A scorer that chooses among labels, and can be asked again."""

    @property
    def values(self) -> Mapping[str, float]:
        """What each label is worth."""
        ...

    @property
    def made_from(self) -> Mapping[str, str]:
        """What decides on its scores."""
        ...

    async def warm_up(self) -> None:
        """Find out that the model is there."""
        ...

    async def identity(self) -> str:
        """The endpoint and the weights that answer."""
        ...

    async def judge(
        self, sample: Sample, *, repeat: int = 0, temperature: float | None = None
    ) -> Score:
        """The score of a sample."""
        ...


class Labelled(NamedTuple):
    """One case with what each rater said: the worth of a label, or NaN."""

    sample: Sample
    ratings: tuple[float, ...]


@dataclass(kw_only=True)
class Judgements:
    """What came out, a number a case; NaN where the judge gave none."""

    raters: int
    scores: array[float] = field(default_factory=lambda: array("d"))
    ratings: array[float] = field(default_factory=lambda: array("d"))
    """Of the first case all raters, then of the next."""
    lengths: array[float] = field(default_factory=lambda: array("d"))
    """Characters of the judged answers."""
    details: dict[str, array[float]] = field(default_factory=dict)
    """The judge's further numbers, NaN where it told none."""
    errors: int = 0
    usage: Usage = field(default_factory=Usage)
    again: list[tuple[float, ...]] = field(default_factory=list)
    """The scores of each case that was asked several times."""

    def add(self, labelled: Labelled, score: Score | None) -> None:
        """Take one case; a score of `None` is a provider's failure."""
        position = len(self.scores)
        self.scores.append(math.nan if score is None or score.value is None else score.value)
        self.ratings.extend(labelled.ratings)
        self.lengths.append(len(labelled.sample.output))
        self.errors += score is None
        told = score.details if score is not None else {}
        for name in told.keys() - self.details.keys():
            self.details[name] = array("d", [math.nan] * position)
        for name, values in self.details.items():
            values.append(told.get(name, math.nan))
        if score is not None:
            self.usage += score.usage


class LabelledCases:
    """The labelled cases of a calibration, read from their file whenever they are iterated."""

    def __init__(self, source: CalibrationSource, judge: LabelJudge, root: Path):
        section, labels = source.file.dataset, source.file.labels
        self._source = source
        self._values = judge.values
        self._inputs = section.inputs
        self._raters = labels.columns
        wanted: frozenset[str] = getattr(judge, "needs_inputs", frozenset())
        for name in sorted(wanted - section.inputs.keys()):
            raise UsageError(
                f"the judge asks for the input `{name}`, and the dataset names no column for it",
                hint=f"add `inputs: {{{name}: COLUMN}}`",
                where=source.document.where("dataset", "inputs"),
            )
        for word, label in (labels.map or {}).items():
            if label not in self._values:
                raise NotFound.among(
                    "label of the judge",
                    label,
                    self._values,
                    where=source.document.where("labels", "map", word),
                )
        self.path = inside(root, source.path.parent / section.path)
        self._dataset = Dataset(
            self.path,
            Columns(
                id=section.id,
                inputs={
                    _OUTPUT: section.output,
                    **{_INPUT.format(name): column for name, column in section.inputs.items()},
                    **{_RATER.format(column): column for column in labels.columns},
                },
                expected=section.expected,
                contexts=section.contexts,
            ),
        )

    @property
    def raters(self) -> int:
        """How many people labelled."""
        return len(self._raters)

    def scan(self) -> tuple[str, int]:
        """The file's SHA-256 and its rows; `DocumentError` for a row that cannot be used."""
        found = self._dataset.scan(lambda _: True)
        for _ in self.read():
            pass
        return found.sha256, found.rows

    def read(self, limit: int | None = None) -> Iterator[Labelled]:
        """The cases in the file's order."""
        for case in self._dataset.cases(lambda _: True, limit):
            yield self._labelled(case)

    def _labelled(self, case: Case) -> Labelled:
        output = case.inputs[_OUTPUT]
        if not isinstance(output, str):
            raise DocumentError("the judged answer is no text", where=Where(self.path, case.line))
        sample = Sample(
            output=output,
            input={name: case.inputs[_INPUT.format(name)] for name in self._inputs},
            expected=case.expected,
            contexts=case.contexts,
        )
        ratings = [self._rating(case, column) for column in self._raters]
        return Labelled(sample, tuple(ratings))

    def _rating(self, case: Case, column: str) -> float:
        found = case.inputs[_RATER.format(column)]
        if found is None or found == "":
            return math.nan
        word = str(found)
        label = (self._source.file.labels.map or {}).get(word, word)
        if label not in self._values:
            known = ", ".join(f"`{each}`" for each in self._values)
            raise DocumentError(
                f"the label (column `{column}`) is `{word}`, and the judge knows {known}",
                hint="say what it means: `labels: {map: {" + word + ": LABEL}}`",
                where=Where(self.path, case.line),
            )
        return self._values[label]


async def run_judge(
    judge: LabelJudge,
    cases: LabelledCases,
    source: CalibrationSource,
    *,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgements:
    """The judge's scores beside the raters' labels.

    A case that the provider fails on is counted; when it fails on many in a
    row its `ProviderError` is raised, for a figure of the rest would be none
    of the judge.
    """
    found = Judgements(raters=cases.raters)
    failures = 0
    for batch in _batches(cases.read(limit)):
        scores = await asyncio.gather(*(_judged(judge, each.sample) for each in batch))
        for labelled, score in zip(batch, scores, strict=True):
            failures = failures + 1 if isinstance(score, ProviderError) else 0
            if isinstance(score, ProviderError) and failures >= PATIENCE:
                raise score
            found.add(labelled, score if isinstance(score, Score) else None)
        if progress is not None:
            progress(len(found.scores))
    section = source.file.consistency
    if section is not None:
        most = section.items if limit is None else min(limit, section.items)
        for batch in _batches(cases.read(most)):
            for each in batch:
                found.again.append(
                    await _repeated(judge, each.sample, section.repeats, section.temperature)
                )
    return found


async def _judged(judge: LabelJudge, sample: Sample) -> Score | ProviderError:
    try:
        return await judge.judge(sample)
    except ProviderError as error:
        return error


async def _repeated(
    judge: LabelJudge, sample: Sample, repeats: int, temperature: float
) -> tuple[float, ...]:
    """The scores of one case asked several times; of those that were given."""
    scores = await asyncio.gather(
        *(
            judge.judge(sample, repeat=repeat, temperature=temperature)
            for repeat in range(1, repeats + 1)
        ),
        return_exceptions=True,
    )
    given = [each.value for each in scores if isinstance(each, Score)]
    return tuple(value for value in given if value is not None)


def _batches(cases: Iterator[Labelled]) -> Iterator[list[Labelled]]:
    batch: list[Labelled] = []
    for each in cases:
        batch.append(each)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
