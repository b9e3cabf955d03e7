"""A review as one page that needs nothing else: the comment's content, and more of it."""

from __future__ import annotations

import html
from collections.abc import Iterator

from llmops.evals.render.comparison_html import hero
from llmops.evals.render.comparison_parts import comparison_section
from llmops.evals.render.escaping import prose, text
from llmops.evals.render.figures import SYMBOLS, plural
from llmops.evals.render.frame import page
from llmops.evals.render.judge_health import judges
from llmops.prompts.comparison.diff import PromptDiff
from llmops.prompts.comparison.kinds import ChangeKind
from llmops.prompts.comparison.layout import Gap, laid_out, visible
from llmops.prompts.comparison.sentences import counted, titled, verdict, versions
from llmops.prompts.comparison.words import Span
from llmops.review.results import Review, SuiteReview
from llmops.review.words import changed_files, coverage, order, touched_by

MOST_PROMPTS = 200
MOST_FILES = 500
LONGEST_PROMPT = 200_000
"""Characters of a prompt's difference that the page holds."""

_TONES = {
    ChangeKind.BREAKING: "failed",
    ChangeKind.BEHAVIOUR: "inconclusive",
    ChangeKind.COSMETIC: "same",
    ChangeKind.NONE: "same",
}
_TAGS = {"same": "{}", "removed": "<del>{}</del>", "added": "<ins>{}</ins>"}


def as_html(review: Review) -> str:
    """The page as text; it grows with the suites, of which each is bounded."""
    told = review.ran and bool(review.suites)
    outcome = review.outcome if told else "passed"
    word = review.outcome if told else "nothing to run" if not review.suites else "not run"
    about = (
        f"<p><code>{text(review.base)}</code> → <code>{text(review.head)}</code></p>"
        f"<p>{coverage(review)}</p>"
    )
    notes = "".join(f"<li>{prose(each)}</li>" for each in review.notes[:20])
    main = [
        hero(outcome, "Review", review.reason, about),
        f'<ul class="notes">{notes}</ul>' if notes else "",
        *_contents(review),
        *_changes(review),
        *(part for at, suite in enumerate(order(review.suites)) for part in _suite(suite, at)),
        _again(review),
    ]
    return page(
        title=f"{SYMBOLS[outcome]} Review: {word}",
        outcome=outcome,
        crumb="review",
        main="".join(main),
    )


def _contents(review: Review) -> Iterator[str]:
    """One line a suite, where there are several."""
    if len(review.suites) < 2:
        return
    yield '<ul class="contents card">'
    for at, suite in enumerate(order(review.suites)):
        yield (
            f'<li class="{_tone(suite)}">{_sign(suite)}<a href="#suite-{at}">{text(suite.name)}</a>'
            f"<span>{_told(suite)}</span></li>"
        )
    yield "</ul>"


def _changes(review: Review) -> Iterator[str]:
    diffs = review.prompts.prompts if review.prompts else ()
    files = changed_files(review)
    if not diffs and not files:
        return
    yield '<section aria-labelledby="changed"><h2 id="changed">What changed</h2>'
    yield from (_prompt(each) for each in diffs[:MOST_PROMPTS])
    yield _left_out(len(diffs) - MOST_PROMPTS, "prompt")
    if files:
        yield '<ul class="files card">'
        for each in files[:MOST_FILES]:
            yield (
                f"<li><code>{text(each.path)}</code><span>{each.kind}</span><b>{each.state}</b></li>"
            )
        yield "</ul>"
        yield _left_out(len(files) - MOST_FILES, "file")
    yield "</section>"


def _prompt(diff: PromptDiff) -> str:
    reasons = "".join(
        f'<li class="{_TONES[each.kind]}"><b>{each.kind}</b> {prose(visible(each.what))}</li>'
        for each in diff.reasons[:60]
    )
    name = diff.before.name if diff.before else diff.name
    return (
        f'<details class="prompt card {_TONES[diff.kind]}"><summary><b class="id">{text(name)}</b>'
        f'<span class="kind">{text(verdict(diff))}</span> <span>{text(versions(diff))}</span>'
        f'<span class="tokens">tokens {text(counted(diff.tokens))}</span></summary>'
        f'<ul class="reasons">{reasons}</ul>{"".join(_texts(diff))}</details>'
    )


def _texts(diff: PromptDiff) -> Iterator[str]:
    left = LONGEST_PROMPT
    changed = [(titled(each), each.spans) for each in diff.messages if each.state != "same"]
    changed += [(f"{each.path} ({each.state})", each.spans) for each in diff.parts]
    for title, spans in changed:
        shown = _lines(spans)
        left -= len(shown)
        if left < 0:
            yield '<p class="limit">The rest of what changed in this prompt is left out.</p>'
            return
        yield f'<h4>{text(title)}</h4><pre class="code" tabindex="0" dir="auto">{shown}</pre>'


def _lines(spans: tuple[Span, ...]) -> str:
    rows = []
    for row in laid_out(spans):
        if isinstance(row, Gap):
            rows.append(f"<i>{row}</i>")
        else:
            rows.append(
                "".join(_TAGS[each.change].format(html.escape(visible(each.text))) for each in row)
            )
    return "\n".join(rows)


def _suite(suite: SuiteReview, at: int) -> Iterator[str]:
    of = f" of {suite.total:,}" if suite.total is not None else ""
    ran = f" · ran {suite.run:,}{of} cases" if suite.run is not None else ""
    times = f", {suite.repeats} times each" if suite.run and suite.repeats > 1 else ""
    touched = touched_by(suite, prose)
    yield (
        f'<section class="suite {_tone(suite)}" id="suite-{at}"><h2>{_sign(suite)} '
        f"{text(suite.name)}</h2><p class='touched'>{touched}{ran}{times}</p>"
    )
    report = suite.report
    if suite.error is not None:
        yield f'<p class="limit">{prose(suite.error[:2000])}</p>'
    elif report is not None:
        yield f'<p class="reason">{prose(report.summary.decision.reason)}</p>'
        yield from _gate(suite)
        if report.comparison is not None:
            yield comparison_section(report.comparison)
        yield from (_judge(*each) for each in judges(report.summary))
    if suite.command:
        yield f'<p class="again-one"><code>{text(suite.command)}</code></p>'
    yield "</section>"


def _gate(suite: SuiteReview) -> Iterator[str]:
    lines = suite.report.summary.decision.lines if suite.report else ()
    shown = [each for each in lines if each.aggregate != "drop" and each.outcome != "passed"]
    if shown:
        yield '<ul class="gate card">'
        for line in shown[:100]:
            yield (
                f'<li class="{line.outcome}"><span class="sign {line.outcome}" aria-hidden="true">'
                f"{SYMBOLS[line.outcome]}</span><span class='what'><b>{text(line.check)}</b> "
                f"{text(line.aggregate)}</span><span class='value'></span>"
                f"<code>{text(line.rule)}</code><span class='why'>{prose(line.reason)}</span></li>"
            )
        yield "</ul>"


def _judge(check: str, health: str) -> str:
    return f'<p class="judge"><b>judge</b> <code>{text(check)}</code> {prose(health)}</p>'


def _again(review: Review) -> str:
    if not review.command:
        return ""
    return (
        '<section aria-labelledby="ran"><h2 id="ran">Run it again</h2><div class="card again">'
        f'<code id="command">{text(review.command)}</code>'
        '<button type="button" id="copy" hidden>Copy</button></div></section>'
    )


def _told(suite: SuiteReview) -> str:
    if suite.error is not None:
        return prose(suite.error[:300])
    return prose(suite.report.summary.decision.reason) if suite.report else suite.outcome


def _tone(suite: SuiteReview) -> str:
    return suite.outcome if suite.outcome in SYMBOLS else "same"


def _sign(suite: SuiteReview) -> str:
    tone = _tone(suite)
    return (
        f'<span class="sign {tone}" role="img" aria-label="{suite.outcome}">'
        f"{SYMBOLS.get(suite.outcome, '·')}</span>"
    )


def _left_out(count: int, noun: str) -> str:
    return f'<p class="limit">… and {plural(count, noun)} more.</p>' if count > 0 else ""
