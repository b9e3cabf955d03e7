"""The report as one page that needs nothing else: no network, no library, no server.

The summary is written as HTML here; the cases lie in the page as the very
records of `report.json`, and `page.js` makes the table of them. Whatever a
case holds reaches the page as text: here by escaping, there by `textContent`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from llmops.core.scoring import Outcome
from llmops.evals.render import write_report
from llmops.evals.render.comparison_parts import comparison_section
from llmops.evals.render.escaping import text
from llmops.evals.render.figures import Tally
from llmops.evals.render.frame import REPORT_SCRIPTS, asset, closing, fill, opening
from llmops.evals.render.page_parts import overview, title
from llmops.evals.render.rows import Row, case_record, to_text
from llmops.evals.render.scatter import Scatter
from llmops.evals.render.slice_parts import slices
from llmops.evals.results import CaseResult, Comparison, Report

LARGEST = 20 * 1024 * 1024
"""Characters of cases in one page. Passed cases take at most half of it."""

LONGEST_TEXT = 20_000
"""Characters of one text of a case in the page."""


def write_html(report: Report, path: Path) -> None:
    """Write one self-contained page; beyond 20 MB of cases it says how many it shows."""
    write_report(report, "html", path)


class HtmlWriter:
    """Writes the cases into the page first, and above all else, since what follows counts them."""

    def __init__(self, report: Report, file: IO[str]):
        summary = report.summary
        self._summary = summary
        self._comparison = report.comparison
        self._scatter = Scatter(summary.checks)
        self._file = file
        self._tally = Tally()
        self._shown = 0
        self._size = 0
        outcome = summary.decision.outcome
        file.write(opening(title=title(summary), outcome=outcome, scripts=REPORT_SCRIPTS))
        file.write('<script type="application/json" id="records">[')

    def add(self, row: Row) -> None:
        """Put one case into the page, if there is room."""
        self._tally.add(row.outcome)
        self._scatter.add(row.result)
        limit = LARGEST // 2 if row.outcome is Outcome.PASSED else LARGEST
        if self._size >= limit:
            return
        record = embedded(row.text if len(row.text) <= LONGEST_TEXT else _shortened(row.result))
        if self._size + len(record) > limit:
            return
        self._file.write(",\n" if self._shown else "\n")
        self._file.write(record)
        self._size += len(record)
        self._shown += 1

    def finish(self) -> None:
        """Write all that a person reads."""
        parts = {
            **overview(self._summary, self._tally, self._shown),
            "comparison": _compared(self._comparison) if self._comparison else "",
            "slices": slices(self._summary),
            "scatter": self._scatter.html(),
        }
        facts = embedded(to_text(self._facts()))
        self._file.write('\n]</script>\n<a class="skip" href="#cases">Skip to the cases</a>\n')
        self._file.write(
            closing(
                crumb="evaluation report",
                main=fill(asset("page.html"), parts),
                after=f'<script type="application/json" id="facts">{facts}</script>\n',
                scripts=REPORT_SCRIPTS,
            )
        )

    def _facts(self) -> dict[str, object]:
        """What the script has to know beside the cases."""
        return {
            "repeats": self._summary.repeats,
            "checks": [
                {
                    "name": check.name,
                    "rule": check.rule,
                    "unit": check.unit,
                    "higher": check.higher_is_better,
                }
                for check in self._summary.checks
            ],
        }


def _compared(comparison: Comparison) -> str:
    """The pairwise view: what became of metrics and cases since the base."""
    return (
        '<section aria-labelledby="compared"><h2 id="compared">Against '
        f"{text(comparison.base)}</h2>{comparison_section(comparison)}</section>"
    )


def embedded(json_text: str) -> str:
    r"""JSON text that a `script` element can hold: nothing in it can end the element.

    >>> print(embedded('"</script>"'))
    "\u003c/script>"
    """
    return json_text.replace("<", "\\u003c")


def _shortened(result: CaseResult) -> str:
    """The case's record with every long text cut."""
    return json.dumps(_cut(json.loads(to_text(case_record(result, result.outcome)))))


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}\n… {len(value) - LONGEST_TEXT:,} more in report.json"
    if isinstance(value, dict):
        return {key[:200]: _cut(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cut(each) for each in value]
    return value
