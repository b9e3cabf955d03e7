"""What a review says in words, in the comment and on the page alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from llmops.evals.render.figures import one_line, plural
from llmops.review.results import ChangedFile, FileKind, Review, SuiteReview

_RANK = {"failed": 0, "inconclusive": 1, "not run": 2, "passed": 3}


def order(suites: Iterable[SuiteReview]) -> list[SuiteReview]:
    """The worst first, then by name."""
    return sorted(suites, key=lambda each: (_RANK[each.outcome], each.name))


def changed_files(review: Review) -> list[ChangedFile]:
    """What changed besides prompts, which are told by what changed in them."""
    told = {each.name for each in review.prompts.prompts} if review.prompts else set()
    return [
        each
        for each in review.files
        if each.kind is not FileKind.PROMPT or not any(name in each.path for name in told)
    ]


def coverage(review: Review) -> str:
    """What was run of all there is: `ran 37 of 412 cases: those that the change touches`."""
    if not review.suites:
        return ""
    touched = f"{len(review.suites)} of {plural(review.suites_total, 'suite')}"
    if not review.ran:
        return f"The change touches {touched}."
    run = plural(review.cases_run, "case")
    if review.cases_total is not None:
        run = f"{review.cases_run:,} of {plural(review.cases_total, 'case')}"
    return f"Ran {run}: those that the change touches, in {touched}."


def touched_by(suite: SuiteReview, spelled: Callable[[str], str]) -> str:
    """Why a suite was run; `spelled` makes a sentence safe where it stands."""
    if suite.state is not None and not suite.reasons:
        return f"the suite was {suite.state}"
    told = ", ".join(spelled(one_line(each, 160)) for each in suite.reasons[:8])
    more = f" and {len(suite.reasons) - 8} more" if len(suite.reasons) > 8 else ""
    return f"touched by {told}{more}" if told else "asked for"
