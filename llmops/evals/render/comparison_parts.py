"""A comparison of two runs as a part of a page: metrics as a forest plot, costs, notes."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.evals.render.comparison_cases import cases
from llmops.evals.render.comparison_words import (
    CHANGE_SYMBOLS,
    CHANGE_TONES,
    TURN_TONES,
    aggregate_of,
    by_weight,
    changed_by,
    confidence,
    covered,
    effort_change,
    effort_name,
    effort_share,
    effort_value,
    headline,
    headlines,
    interval_of,
    margin_of,
    p_value,
    turned,
    value,
)
from llmops.evals.render.escaping import prose, text
from llmops.evals.render.figures import NOTHING, plural
from llmops.evals.render.forest import forest, interval_row, reaches
from llmops.evals.results import Change, Comparison, Effort, MetricComparison

MOST_METRICS = 200
"""Rows of the table of metrics."""


def comparison_section(comparison: Comparison) -> str:
    """Everything that a comparison found, for a page that has its styles."""
    return "".join(
        [
            '<div class="comparison">',
            verdict_lines(comparison),
            coverage_line(comparison),
            *_metrics(comparison),
            *_efforts(comparison),
            *cases(comparison),
            *_notes(comparison),
            "</div>",
        ]
    )


def verdict_lines(comparison: Comparison) -> str:
    """The metrics that the verdict is about, each with its interval."""
    lines = "".join(
        f'<li class="{CHANGE_TONES[metric.verdict]}">{_sign(metric)}<span><b>{metric.verdict}</b>'
        f" {_name(metric)} {text(headline(metric, comparison))}</span></li>"
        for metric in headlines(comparison)
    )
    return f'<ul class="headlines">{lines}</ul>' if lines else ""


def coverage_line(comparison: Comparison) -> str:
    """How many cases were compared, and how many turned."""
    turns = "".join(
        f'<li class="{TURN_TONES[turn]}"><b>{count:,}</b> {turn}</li>'
        for turn, count in turned(comparison)
    )
    examples = ", ".join(f"<code>{text(each[:80])}</code>" for each in comparison.coverage.examples)
    alone = f'<p class="alone">On one side only: {examples}</p>' if examples else ""
    return f'<ul class="turns"><li>{covered(comparison.coverage)}</li>{turns}</ul>{alone}'


def _metrics(comparison: Comparison) -> Iterator[str]:
    metrics = by_weight(comparison.metrics)[:MOST_METRICS]
    if not metrics:
        return
    scale = reaches(metrics)
    yield (
        '<div class="card"><table class="metrics"><caption class="hidden">The metrics, base against'
        ' head</caption><thead><tr><th scope="col">Metric</th><th scope="col" class="num">Base</th>'
        '<th scope="col" class="num">Head</th><th scope="col" class="plot">Difference, '
        f'{confidence(comparison)} interval</th><th scope="col" class="num">Pairs</th>'
        '<th scope="col" class="num">p</th><th scope="col">Verdict</th></tr></thead><tbody>'
    )
    for metric in metrics:
        yield _metric(metric, scale[metric.unit])
    yield "</tbody></table>"
    left_out = len(comparison.metrics) - len(metrics)
    if left_out > 0:
        yield f'<p class="limit">… and {plural(left_out, "metric")} more in the JSON report.</p>'
    yield (
        '<p class="key"><svg class="forest" viewBox="0 0 60 24" aria-hidden="true">'
        '<rect class="beyond" width="60" height="24"/></svg> more is lost than the margin allows'
        "</p></div>"
    )


def _metric(metric: MetricComparison, reach: float) -> str:
    p = metric.p_value if metric.p_adjusted is None else metric.p_adjusted
    low_high = interval_of(metric)
    method = text(metric.method)
    margin = f"margin {margin_of(metric)}" if metric.margin else ""
    return (
        f'<tr class="{CHANGE_TONES[metric.verdict]}"><th scope="row">{_name(metric)}'
        f"<small>{'' if metric.gates else 'measured only · '}{margin}</small></th>"
        f'<td class="num" data-label="Base">{value(metric.base, metric)}</td>'
        f'<td class="num" data-label="Head">{value(metric.head, metric)}</td>'
        f'<td class="plot">{forest(metric, reach)}<span><b>{changed_by(metric)}</b>'
        f" {low_high}</span></td>"
        f'<td class="num" data-label="Pairs">{metric.pairs:,}{_unjudged(metric)}</td>'
        f'<td class="num" data-label="p" title="{method}">{text(p_value(p))}</td>'
        f'<td class="verdict-cell">{_sign(metric)}<span><b>{metric.verdict}</b>'
        f"<small>{_why(metric)}</small></span></td></tr>"
    )


def _why(metric: MetricComparison) -> str:
    if not metric.reason and metric.verdict is Change.INCONCLUSIVE and metric.needed:
        return f"It would take {plural(metric.needed, 'case')}."
    return prose(metric.reason[:400])


def _unjudged(metric: MetricComparison) -> str:
    return f"<small>{metric.unjudged:,} unjudged</small>" if metric.unjudged else ""


def _name(metric: MetricComparison) -> str:
    of_slice = f" <code>{text(metric.slice[:80])}</code>" if metric.slice else ""
    return f"<b>{text(metric.check[:80])}</b> {aggregate_of(metric)}{of_slice}"


def _sign(metric: MetricComparison) -> str:
    return (
        f'<span class="sign {CHANGE_TONES[metric.verdict]}" aria-hidden="true">'
        f"{CHANGE_SYMBOLS[metric.verdict]}</span>"
    )


def _efforts(comparison: Comparison) -> Iterator[str]:
    if not comparison.effort:
        return
    yield '<h3>What a case costs</h3><div class="efforts">'
    for effort in comparison.effort:
        yield _effort(effort)
    yield "</div>"


def _effort(effort: Effort) -> str:
    change, low_high = effort_change(effort)
    share = effort_share(effort)
    return (
        f'<div class="card"><p>{text(effort_name(effort))}</p><strong>{change}'
        f"{f' <em>{share}</em>' if share else ''}</strong>"
        f"{interval_row(effort.difference)}<p>{low_high or NOTHING}</p>"
        f"<p>{effort_value(effort.base, effort)} → {effort_value(effort.head, effort)}</p></div>"
    )


def _notes(comparison: Comparison) -> Iterator[str]:
    if comparison.notes:
        yield '<ul class="notes">'
        yield from (f"<li>{prose(note[:600])}</li>" for note in comparison.notes[:40])
        yield "</ul>"
