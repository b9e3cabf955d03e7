"""A comparison of two runs as one page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from llmops.core.files import write_text
from llmops.evals.render.comparison_parts import comparison_section
from llmops.evals.render.escaping import prose, text
from llmops.evals.render.figures import SYMBOLS
from llmops.evals.render.frame import page
from llmops.evals.results import Comparison


def write_comparison_html(
    comparison: Comparison, path: Path, *, title: str = "", command: str = ""
) -> None:
    """Write one self-contained page: verdict, forest plot, cases that turned.

    `title` is what was compared, such as the suite; `command` makes the page again.
    """
    write_text(path, comparison_html(comparison, title=title, command=command))


def comparison_html(comparison: Comparison, *, title: str = "", command: str = "") -> str:
    """The page as text."""
    decision = comparison.decision
    name = title or "base and head"
    again = (
        '<section aria-labelledby="ran"><h2 id="ran">What ran</h2><div class="card again">'
        f'<code id="command">{text(command)}</code>'
        '<button type="button" id="copy" hidden>Copy</button></div></section>'
    )
    return page(
        title=f"{SYMBOLS[decision.outcome]} {text(name)}: {decision.outcome}",
        outcome=decision.outcome,
        crumb="comparison",
        main=hero(
            decision.outcome,
            name,
            decision.reason,
            f"<p><code>{text(comparison.base)}</code> → <code>{text(comparison.head)}</code></p>",
        )
        + comparison_section(comparison)
        + (again if command else ""),
    )


def hero(outcome: str, name: str, reason: str, about: str) -> str:
    """The top of a page: the verdict in words; `about` is HTML."""
    return (
        f'<section class="hero card {outcome}" aria-label="Verdict">'
        f'<div class="badge" aria-hidden="true">{SYMBOLS[outcome]}</div><div class="story">'
        f'<p class="verdict">{outcome.capitalize()}</p><h1>{text(name)}</h1>'
        f'<p class="reason">{prose(reason)}</p><div class="about">{about}</div></div></section>'
    )
