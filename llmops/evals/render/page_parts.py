"""The upper half of the page: verdict, tiles, gate and checks, as escaped HTML."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.evals.render.charts import histogram, meter
from llmops.evals.render.escaping import prose, text
from llmops.evals.render.figures import (
    AGGREGATES,
    SYMBOLS,
    Tally,
    check_outcome,
    duration,
    gate_value,
    interval,
    money,
    percent,
    plural,
    score,
    subject_name,
)
from llmops.evals.render.judge_health import judge_health
from llmops.evals.results import CheckSummary, Estimate, Summary

OUTCOME_WORDS = {
    "passed": "passed",
    "failed": "failed",
    "unscored": "unscored",
    "error": "errors",
}


def title(summary: Summary) -> str:
    """The page's title: verdict and suite."""
    outcome = summary.decision.outcome
    return f"{SYMBOLS[outcome]} {text(summary.suite)}: {outcome}"


def overview(summary: Summary, tally: Tally, shown: int) -> dict[str, str]:
    """The parts of the page that come from the summary, by the name of their place."""
    decision = summary.decision
    return {
        "outcome": decision.outcome,
        "symbol": SYMBOLS[decision.outcome],
        "verdict": decision.outcome.capitalize(),
        "suite": text(summary.suite),
        "description": f"<p>{text(summary.description)}</p>" if summary.description else "",
        "reason": prose(decision.reason),
        "subject": text(subject_name(summary)),
        "started": text(summary.started),
        "run": text(summary.run),
        "proportions": _proportions(tally),
        "tiles": "".join(_tiles(summary)),
        "gate": "".join(_gate(summary)),
        "checks": "".join(_check(check, summary) for check in summary.checks),
        "limit": _limit(tally.total, shown),
        "provenance": "".join(_provenance(summary)),
        "command": text(summary.command),
    }


def _proportions(tally: Tally) -> str:
    """One bar with the share of every outcome, and its legend."""
    total = max(tally.total, 1)
    bars, legend, at = "", "", 0.0
    for name, word in OUTCOME_WORDS.items():
        count = tally.counts[name]
        wide = 1000 * count / total
        if count:
            bars += (
                f'<rect class="{name}" x="{at:.2f}" width="{max(wide - 3, 1):.2f}" height="10"/>'
            )
        at += wide
        legend += (
            f'<li class="{name}{"" if count else " none"}"><span class="sign" aria-hidden="true">'
            f"{SYMBOLS[name]}</span> <b>{count:,}</b> {word}</li>"
        )
    return (
        f'<svg class="proportions" viewBox="0 0 1000 10" preserveAspectRatio="none"'
        f' aria-hidden="true">{bars}</svg><ul class="legend">{legend}</ul>'
    )


def _tiles(summary: Summary) -> Iterator[str]:
    usage = summary.usage
    each = f"{summary.repeats} times each" if summary.repeats > 1 else "each once"
    answers = summary.calls + summary.cached
    share = f"{percent(summary.cached / answers)} of the answers" if answers else ""
    rate = f"{answers / summary.seconds:.1f} answers/s" if summary.seconds else ""
    tokens = f"{usage.input_tokens:,} in, {usage.output_tokens:,} out"
    per_thousand = "" if usage.cost is not None else "no price configured"
    if usage.cost is not None and summary.calls:
        per_thousand = f"{money(usage.cost * 1000 / summary.calls)} per 1,000 calls"
    for label, value, note in (
        ("Cases", f"{summary.cases:,}", each),
        ("Model calls", f"{summary.calls:,}", "answered by the model"),
        ("From cache", f"{summary.cached:,}", share),
        ("Tokens", f"{usage.input_tokens + usage.output_tokens:,}", tokens),
        ("Time", duration(summary.seconds), rate),
        ("Cost", money(usage.cost), per_thousand),
    ):
        yield f"<div><dt>{label}</dt><dd>{value}<small>{note}</small></dd></div>"


def _gate(summary: Summary) -> Iterator[str]:
    lines = summary.decision.lines
    if not lines:
        return
    yield '<section aria-labelledby="gate"><h2 id="gate">Gate</h2><ul class="gate card">'
    for line in lines:
        name = AGGREGATES.get(line.aggregate, line.aggregate)
        said = line.outcome == "passed" or line.reason == summary.decision.reason
        why = "" if said else f'<span class="why">{prose(line.reason)}</span>'
        yield (
            f'<li class="{line.outcome}">{_sign(line.outcome)}<span class="what"><b>'
            f"{text(line.check)}</b> {name}</span><span class='value'>"
            f"{gate_value(line, summary)}</span><span class='rule'>{prose(line.rule)}</span>"
            f"{why}</li>"
        )
    yield "</ul></section>"


def _sign(outcome: str) -> str:
    return (
        f'<span class="sign {outcome}" role="img" aria-label="{outcome}">{SYMBOLS[outcome]}</span>'
    )


def _check(check: CheckSummary, summary: Summary) -> str:
    outcome = check_outcome(check, summary)
    thresholds = {
        line.aggregate: line.rule
        for line in summary.decision.lines
        if line.check == check.name and not line.of_slices
    }
    rule = f"<code>{text(check.rule)}</code>" if check.rule else "measured only"
    same = f"{check.scorer}" if check.scorer != check.name else "scorer"
    meters = ""
    if not (_yes_or_no(check) and "mean" not in thresholds):
        meters = _measure("mean", check.mean, check, thresholds.get("mean"))
    if check.pass_rate is not None:
        meters += _measure("pass_rate", check.pass_rate, check, thresholds.get("pass_rate"))
    health = judge_health(check)
    judged = f"<p><small>Judge: {text(health)}</small></p>" if health else ""
    return (
        f'<article class="check card"><header>{_sign(outcome) if outcome else ""}'
        f"<h3>{text(check.name)}</h3><p>{text(same)} v{text(check.version)} · {rule}</p></header>"
        f"{judged}"
        f'<div class="measures">{meters}</div>{_counts(check)}'
        f"<figure>{histogram(check)}<figcaption>{_quantiles(check)}</figcaption></figure></article>"
    )


def _yes_or_no(check: CheckSummary) -> bool:
    """Whether the mean says no more than the pass rate: every score is 0 or 1."""
    mean, rate = check.mean, check.pass_rate
    return mean is not None and rate is not None and abs(mean.value - rate.value) < 1e-9


def _measure(aggregate: str, value: Estimate | None, check: CheckSummary, rule: str | None) -> str:
    rate = aggregate == "pass_rate"
    unit = "" if rate else check.unit
    if value is None:
        return f'<div class="measure"><span>{AGGREGATES[aggregate]}</span> nothing scored</div>'
    number = percent(value.value) if rate else score(value.value, unit)
    low_high = interval(value, unit, rate=rate)
    asked = f' <span class="asked">gate {text(rule)}</span>' if rule else ""
    return (
        f'<div class="measure"><span class="label">{AGGREGATES[aggregate]}</span>'
        f"<strong>{number}</strong>"
        f'<span class="interval">{f"95 %: {low_high}" if low_high else "no interval"}{asked}</span>'
        f"{meter(value, check, rule, rate=rate)}</div>"
    )


def _counts(check: CheckSummary) -> str:
    counts = {
        "passed": check.passed,
        "failed": check.failed,
        "unscored": check.unscored,
        "error": check.errors,
    }
    words = OUTCOME_WORDS | ({} if check.rule else {"passed": "measured"})
    items = "".join(
        f'<li class="{name}{"" if count else " none"}"><span class="sign" aria-hidden="true">'
        f"{SYMBOLS[name]}</span> <b>{count:,}</b> {words[name]}</li>"
        for name, count in counts.items()
        if check.rule or name != "failed"
    )
    return f'<ul class="legend">{items}</ul>'


def _quantiles(check: CheckSummary) -> str:
    names = {"min": "min", "p50": "median", "p95": "p95", "max": "max"}
    return " ".join(
        f"<span>{label} <b>{score(check.quantiles[name], check.unit)}</b></span>"
        for name, label in names.items()
        if name in check.quantiles
    )


def _limit(total: int, shown: int) -> str:
    if shown >= total:
        return ""
    return (
        f'<p class="limit">This page holds {shown:,} of {plural(total, "result")}: '
        "it would grow too large for a browser. Cases that did not pass come first into the room "
        "there is; all of them are in <code>report.json</code> beside this page.</p>"
    )


def _provenance(summary: Summary) -> Iterator[str]:
    for title, facts in (
        ("Subject", summary.subject),
        ("Dataset", summary.dataset),
        ("Environment", summary.environment),
        ("Made from", summary.made_from),
        ("Scorers", {check.name: f"{check.scorer} v{check.version}" for check in summary.checks}),
    ):
        rows = "".join(
            f"<div><dt>{text(key.replace('_', ' '))}</dt><dd>{text(value)}</dd></div>"
            for key, value in facts.items()
            if value is not None
        )
        if rows:
            yield f"<section><h3>{title}</h3><dl>{rows}</dl></section>"
