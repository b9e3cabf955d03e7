"""One sentence on a judge: how it was measured, and how its answers could be read."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.evals.render.figures import money, percent, plural
from llmops.evals.results import CheckSummary, Summary

AGREEMENTS = ("kappa", "weighted_kappa", "alpha", "auroc", "agreement")
"""Figures of a calibration, the one to name first; what the suite requires comes before."""


def judge_health(check: CheckSummary) -> str:
    """What is known of the judge behind a check; empty for a scorer that asks no model."""
    return "; ".join(_told(check)) if is_judge(check) else ""


def judges(summary: Summary) -> Iterator[tuple[str, str]]:
    """Each judge's check with the sentence on it."""
    for check in summary.checks:
        if is_judge(check):
            yield check.name, judge_health(check)


def is_judge(check: CheckSummary) -> bool:
    """Whether a model was asked for labels."""
    return "unparsed" in check.details or check.calibration is not None


def _told(check: CheckSummary) -> Iterator[str]:
    yield _calibrated(check)
    if (mass := check.details.get("mass")) is not None:
        yield f"{percent(mass)} of the probability on its labels"
    yield f"{check.unscored:,} unscored"
    if (unparsed := check.details.get("unparsed")) is not None:
        yield f"{percent(unparsed)} of the answers no label"
    if (turned := check.details.get("inconsistent")) is not None:
        yield f"the order decided {percent(turned)} of the pairs"
    tokens = check.usage.input_tokens + check.usage.output_tokens
    if tokens:
        cost = check.usage.cost
        yield plural(tokens, "token") + ("" if cost is None else f", cost {money(cost)}")


def _calibrated(check: CheckSummary) -> str:
    found = check.calibration
    if found is None:
        return "not calibrated against people"
    figures = found["figures"]
    named = [*found["requires"], *AGREEMENTS]
    name = next((each for each in named if figures.get(each)), None)
    if name is None:
        return f"calibration `{found['name']}` tells nothing"
    value, low, high = figures[name]
    within = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    return (
        f"{name.replace('_', ' ')} {value:.2f}{within} against people, "
        f"{plural(found['cases'], 'case')}"
    )
