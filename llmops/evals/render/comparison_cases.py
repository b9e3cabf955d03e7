"""The cases that turned, both answers side by side with their words compared."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from itertools import groupby

from llmops.evals.render.comparison_words import TURN_TONES
from llmops.evals.render.escaping import text
from llmops.evals.render.figures import SYMBOLS, as_text, plural, printable, score
from llmops.evals.render.turned_cases import Shown, expected_text, first_of_each, marks, outcome_in
from llmops.evals.results import CaseResult, Comparison, Turn

CASES = 25
"""Cases of every kind that a page shows."""

LONGEST_ANSWER = 4_000
"""Characters of an answer that are shown and compared."""

LONGEST_INPUT = 4_000

_KEPT = 400
"""Characters that are kept of a long beginning which both answers share."""

_TAGS = {"same": "{}", "removed": "<del>{}</del>", "added": "<ins>{}</ins>"}


def cases(comparison: Comparison) -> Iterator[str]:
    """Some cases of every turn, each to be opened; the newly failing ones come first."""
    units = {metric.check: metric.unit for metric in comparison.metrics}
    for turn, found in groupby(first_of_each(comparison, CASES), key=lambda each: each.change.turn):
        count = comparison.turns.get(turn, 0)
        which = f" <small>the first {CASES}</small>" if count > CASES else ""
        yield (
            f'<section class="turned {TURN_TONES[turn]}"><h3>'
            f"{plural(count, 'case')} {turn}{which}</h3>"
        )
        yield from (_case(each, units, opened=at == 0) for at, each in enumerate(found))
        yield "</section>"


def _case(shown: Shown, units: Mapping[str, str], *, opened: bool) -> str:
    change = shown.change
    checks = " ".join(f"<code>{text(each[:60])}</code>" for each in change.checks[:8])
    first = opened and change.turn is Turn.NEWLY_FAILING
    return (
        f'<details class="card"{" open" if first else ""}><summary>'
        f'<b class="id">{text(change.case[:200])}</b> <span class="repeats">'
        f"{_marks(change.base, change.checks)} → {_marks(change.head, change.checks)}</span>"
        f' <span class="blamed">{checks}</span></summary>'
        f'<div class="asked-for">{"".join(_inputs(shown.either))}</div>'
        f'<div class="panes">{_answers(shown, units)}</div></details>'
    )


def _marks(results: tuple[CaseResult, ...], checks: tuple[str, ...]) -> str:
    told = ", ".join(outcome_in(each, checks) for each in results[:12]) or "not run"
    return f'<span role="img" aria-label="{told}">{marks(results, checks)}</span>'


def _inputs(result: CaseResult | None) -> Iterator[str]:
    if result is None:
        return
    for name, given in list(result.inputs.items())[:12]:
        yield _block(text(str(name)[:80]), text(_cut(as_text(given), LONGEST_INPUT)))
    if result.expected is not None:
        yield _block("expected", text(_cut(expected_text(result), LONGEST_INPUT)))


def _answers(shown: Shown, units: Mapping[str, str]) -> str:
    base, head = shown.base, shown.head
    old, new = "", ""
    if base and head and base.output is not None and head.output is not None:
        old, new = _compared(base.output, head.output)
    sides = (("base", base, old), ("head", head, new))
    return "".join(_side(name, result, marked, units) for name, result, marked in sides)


def _side(name: str, result: CaseResult | None, marked: str, units: Mapping[str, str]) -> str:
    if result is None:
        return f'<div><h4>{name}</h4><p class="empty">not run</p></div>'
    if result.output is None:
        why = text(_cut(result.error or "no reason given", LONGEST_INPUT))
        return f'<div><h4>{name}</h4><pre class="problem" dir="auto">{why}</pre></div>'
    answer = marked or text(_cut(result.output, LONGEST_ANSWER))
    # An empty answer is an answer, and is not to look like a missing one.
    answer = answer or '<span class="empty">an empty answer</span>'
    judged = "".join(_judged(result, units))
    return f'<div>{_block(name, answer)}<ul class="verdicts">{judged}</ul></div>'


def _judged(result: CaseResult, units: Mapping[str, str]) -> Iterator[str]:
    for verdict in result.verdicts[:12]:
        rationale = _cut(verdict.score.rationale, 600)
        why = f'<span class="why" dir="auto">{text(rationale)}</span>' if rationale else ""
        yield (
            f'<li><span class="sign {verdict.outcome}" role="img" aria-label="{verdict.outcome}">'
            f"{SYMBOLS[verdict.outcome]}</span><b>{text(verdict.check[:80])}</b>"
            f"<b>{score(verdict.score.value, units.get(verdict.check, ''))}</b>{why}</li>"
        )


def _block(title: str, shown: str) -> str:
    return f'<h4>{title}</h4><pre tabindex="0" dir="auto">{shown}</pre>'


def _compared(old: str, new: str) -> tuple[str, str]:
    """Both answers as HTML, the words that only one of them has marked."""
    from llmops.prompts.comparison.words import diff_words

    shared = _shared_start(old, new)
    skipped = shared - _KEPT if shared > LONGEST_ANSWER // 2 else 0
    lead = f"… {skipped:,} characters that both begin with\n" if skipped else ""
    old, new = (printable(lead + _cut(each[skipped:], LONGEST_ANSWER)) for each in (old, new))
    spans = diff_words(old, new)
    sides = []
    for dropped in ("added", "removed"):
        kept = (span for span in spans if span.change != dropped)
        sides.append("".join(_TAGS[span.change].format(html.escape(span.text)) for span in kept))
    return sides[0], sides[1]


def _shared_start(one: str, other: str) -> int:
    """How many characters both begin with, found by halving: an answer may be very long."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(shown: str, most: int) -> str:
    left = len(shown) - most
    return shown if left <= 0 else f"{shown[:most]}\n… {left:,} more characters"
