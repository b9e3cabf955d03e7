"""The report as one page that needs nothing else: no network, no library, no server.

The summary is written as HTML here; the cases lie in the page as the very
records of `report.json`, and `page.js` makes the table of them. Whatever a
case holds reaches the page as text: here by escaping, there by `textContent`.
The page's policy allows exactly the two inline blocks that belong to it, so
that nothing could be run or fetched even if something slipped through.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import IO

from llmops.core.scoring import Outcome
from llmops.evals.render import write_report
from llmops.evals.render.figures import Tally
from llmops.evals.render.page_parts import favicon, fill, overview, title
from llmops.evals.render.rows import Row, case_record, to_text
from llmops.evals.results import CaseResult, Report, Summary

LARGEST = 20 * 1024 * 1024
"""Characters of cases in one page. Passed cases take at most half of it."""

LONGEST_TEXT = 20_000
"""Characters of one text of a case in the page."""


POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)


def write_html(report: Report, path: Path) -> None:
    """Write one self-contained page; beyond 20 MB of cases it says how many it shows."""
    write_report(report, "html", path)


class HtmlWriter:
    """Writes the cases into the page first, and above all else, since what follows counts them."""

    def __init__(self, summary: Summary, file: IO[str]):
        self._summary = summary
        self._file = file
        self._tally = Tally()
        self._shown = 0
        self._size = 0
        style, script = _asset("page.css"), _asset("page.js")
        head, _, self._rest = _asset("page.html").partition("{{cases}}")
        file.write(
            fill(
                head,
                {
                    "policy": POLICY.format(script=_digest(script), style=_digest(style)),
                    "title": title(summary),
                    "icon": favicon(summary.decision.outcome),
                    "style": style,
                },
            )
        )

    def add(self, row: Row) -> None:
        """Put one case into the page, if there is room."""
        self._tally.add(row.outcome)
        limit = LARGEST // 2 if row.outcome is Outcome.PASSED else LARGEST
        if self._size >= limit:
            return
        text = embedded(row.text if len(row.text) <= LONGEST_TEXT else _shortened(row.result))
        if self._size + len(text) > limit:
            return
        self._file.write(",\n" if self._shown else "\n")
        self._file.write(text)
        self._size += len(text)
        self._shown += 1

    def finish(self) -> None:
        """Write all that a person reads."""
        parts = overview(self._summary, self._tally, self._shown)
        facts = embedded(to_text(self._facts()))
        self._file.write(fill(self._rest, {**parts, "facts": facts, "script": _asset("page.js")}))

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


def embedded(text: str) -> str:
    r"""JSON text that a `script` element can hold: nothing in it can end the element.

    >>> print(embedded('"</script>"'))
    "\u003c/script>"
    """
    return text.replace("<", "\\u003c")


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


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").strip()


def _digest(text: str) -> str:
    """The hash by which a content security policy allows an inline block."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
