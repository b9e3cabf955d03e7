"""A calibration from beginning to end: the file, the judge's answers, the artifact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from llmops.core.errors import LlmopsError, UsageError
from llmops.core.scoring import Scorer
from llmops.evals.calibration.artifact import (
    SCHEMA_NAME,
    Calibration,
    DatasetRecord,
    JudgeRecord,
)
from llmops.evals.calibration.file import CalibrationSource
from llmops.evals.calibration.judging import LabelJudge, LabelledCases, run_judge

BuildScorer = Callable[..., Scorer]
"""`(name, options, *, base)` → the scorer."""


async def calibrate(
    path: Path,
    *,
    root: Path,
    build: BuildScorer,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Measure the judge of the calibration file at `path` against its labels.

    Nothing is written. Raises `UsageError`, with file and line, for whatever is
    wrong in the file, before any call; `ProviderError` when the judge's model
    is not there; `LlmopsError` when it scored no case.
    """
    source = CalibrationSource(path)
    judge = _judge(source, build)
    cases = LabelledCases(source, judge, root)
    sha256, rows = cases.scan()
    total = rows if limit is None else min(limit, rows)
    await judge.warm_up()
    found = await run_judge(
        judge,
        cases,
        source,
        limit=limit,
        progress=None if progress is None else lambda done: progress(done, total),
    )
    from llmops.evals.calibration.figures import figures_of  # loads numpy

    figures = figures_of(found, judge.values, source.file)
    if not figures.counts.scored:
        raise LlmopsError(
            f"the judge scored none of {figures.counts.rows:,} cases: "
            f"{figures.health.low_mass:,} for too little probability on its labels, "
            f"{figures.health.unparsed:,} for an answer that is no label, "
            f"{figures.counts.errors:,} by a failure of the provider",
            hint="look at one answer: `llmops run PROMPT`; a larger model keeps to the labels",
        )
    return Calibration(
        schema=SCHEMA_NAME,
        name=source.name,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        description=" ".join(source.file.description.split()),
        judge=JudgeRecord(
            scorer=judge.name,
            version=judge.version,
            made_from=dict(judge.made_from),
            prompt_version=getattr(judge, "prompt_version", None),
            identity=await judge.identity(),
        ),
        dataset=DatasetRecord(
            path=cases.path.relative_to(root.resolve()).as_posix(), sha256=sha256, rows=rows
        ),
        counts=figures.counts,
        level=figures.level,
        figures=figures.figures,
        confusion=figures.confusion,
        threshold=figures.threshold,
        bias=figures.bias,
        consistency=figures.consistency,
        health=figures.health,
        usage={
            "input_tokens": found.usage.input_tokens,
            "output_tokens": found.usage.output_tokens,
            "cost": found.usage.cost,
        },
    )


def _judge(source: CalibrationSource, build: BuildScorer) -> LabelJudge:
    section = source.file.judge
    where = source.document.where("judge")
    try:
        scorer = build(section.scorer, section.options, base=source.path.parent)
        if not isinstance(scorer, LabelJudge):
            raise UsageError(
                f"`{section.scorer}` is no judge: there is nothing to calibrate",
                hint="name `judge`, `judge_reference`, `judge_pairwise` or `judge_geval`",
            )
    except UsageError as error:
        if error.where is None:
            error.where = where
        raise
    return scorer
