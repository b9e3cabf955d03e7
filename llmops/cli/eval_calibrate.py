"""`llmops eval calibrate`: measure a judge against people's labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmops.cli.output import emit, emit_json, emit_table, say

if TYPE_CHECKING:
    from llmops.evals.calibration.artifact import Calibration, Figure

NOTES = {
    "agreement": "same label as people",
    "baseline": "agreement of always saying people's commonest label",
    "kappa": "agreement beyond chance: 0 none, 1 full",
    "weighted_kappa": "the same, near misses counting in part",
    "alpha": "Krippendorff, judge and people together",
    "human_alpha": "Krippendorff, people among themselves",
    "auroc": "a good answer scores above a bad one; 0.5 is chance",
    "spearman": "rank correlation with people",
}
EVERY = 100
"""Cases between two lines of progress."""


def calibrate(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A calibration's name or file, or a suite that asks for some."
        ),
    ],
    limit: Annotated[
        int | None,
        typer.Option(min=10, help="Judge the first N cases only; written by --output alone."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the result here instead of beside the file."),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Call the model even where the answer is known.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Measure a judge against people's labels, and write what a suite may require.

    A suite's check that says `calibration: NAME` and `requires: {kappa: ">= 0.6"}` runs only
    with a judge that was measured and is good enough. Commit the result beside its file.
    """
    from llmops.core.files import check_writable
    from llmops.project import load_project, run_sync
    from llmops.project.calibrating import find_calibrations

    found = find_calibrations(load_project(), name)
    if output is not None and len(found) > 1:
        raise typer.BadParameter(f"--output takes one result, and `{name}` has {len(found)}")
    if output is not None:
        check_writable(output)
    results = []
    for each in found:
        result = run_sync(
            each.run(limit=limit, use_cache=not no_cache, progress=_telling(each.name))
        )
        results.append(result)
        if not json:
            _print(result)
        path = output or (each.artifact_path if limit is None else None)
        if path is not None:
            result.write(path)
            say(f"written to {path}; commit it, and suites can require it")
    if json:
        emit_json([result.model_dump(mode="json", by_alias=True) for result in results])


def _telling(name: str) -> Callable[[int, int], None]:
    """A callback that says now and then how far it is."""
    following = EVERY

    def tell(done: int, total: int) -> None:
        nonlocal following
        if done >= following:
            following = done + EVERY
            say(f"{name}: {done} of {total} cases")

    return tell


def _print(result: Calibration) -> None:
    counts, health = result.counts, result.health
    emit(f"{result.name}: {result.judge.scorer} {result.judge.version}")
    emit(f"  {result.judge.made_from['model']}, prompt {result.judge.made_from['prompt'][:60]}")
    emit(
        f"  {counts.rows:,} cases: {counts.scored:,} scored, {counts.unscored:,} unscored, "
        f"{counts.errors:,} errors; {counts.unlabelled:,} without a label to hold them against"
    )
    emit("")
    rows = [
        [name, *_cells(result.figures.get(name)), note]
        for name, note in NOTES.items()
        if result.figures.get(name) is not None
    ]
    bias = result.bias
    rows += [
        [name, *_cells(figure), note]
        for name, figure, note in (
            ("length bias", bias.length, "score follows length at equal label; 0 is none"),
            ("position", bias.first, "preference for what stands first; 0.5 is fair"),
            ("inconsistent", bias.inconsistent, "pairs where the order decides"),
            (
                "same again",
                result.consistency.same_label if result.consistency else None,
                "same label each time it is asked",
            ),
        )
        if figure is not None
    ]
    emit_table(["FIGURE", "VALUE", "95 % INTERVAL", "MEANS"], rows)
    emit("")
    labels = result.confusion.labels
    emit_table(
        ["PEOPLE SAID", *(f"JUDGE {label}" for label in labels)],
        [
            [label, *map(str, counted)]
            for label, counted in zip(labels, result.confusion.counts, strict=True)
        ],
    )
    emit("")
    if health.mass is not None:
        emit(f"probability on the labels: {health.mass:.2f} on average")
    emit(f"unscored for too little of it: {health.low_mass:,}; no label: {health.unparsed:,}")
    if result.threshold is not None:
        expected = result.threshold.cross_validated
        honest = "" if expected is None else f", {expected:.2f} on cases it was not chosen by"
        emit(
            f"best threshold: {result.threshold.score:.3f} (balanced accuracy "
            f"{result.threshold.balanced_accuracy:.2f} where it was chosen{honest})"
        )


def _cells(figure: Figure | None) -> list[str]:
    if figure is None:
        return ["", ""]
    if figure.low is None or figure.high is None:
        return [f"{figure.value:.3f}", "none"]
    return [f"{figure.value:.3f}", f"{figure.low:.3f} to {figure.high:.3f}"]
