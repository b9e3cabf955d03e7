"""Numbers and words as every report spells them."""

from __future__ import annotations

import re

from llmops.core.scoring import Outcome
from llmops.evals.results import CheckSummary, Estimate, GateLine, Summary

SYMBOLS = {
    "passed": "✓",
    "failed": "✗",
    "unscored": "○",
    "error": "!",
    "inconclusive": "?",
}
"""One sign an outcome, so that no report depends on colour."""

NOTHING = "-"
"""What stands where there is no number."""

WORDS = {"passed": "PASSED", "failed": "FAILED", "inconclusive": "INCONCLUSIVE"}

AGGREGATES = {"mean": "mean", "pass_rate": "pass rate"}


_NO_UNIT = re.compile(r"[^\w/% -]")
"""What a unit cannot hold: it is a word that a scorer brings, and stands everywhere unescaped."""


def score(value: float | None, unit: str = "") -> str:
    """A score or a mean of scores, with its unit.

    >>> score(0.4123), score(1.234, "s"), score(0.0412, "s"), score(37.25, "tokens")
    ('0.412', '1.23 s', '41 ms', '37.2 tokens')
    """
    if value is None:
        return NOTHING
    if unit == "s":
        return f"{value * 1000:.0f} ms" if abs(value) < 0.9995 else f"{value:.2f} s"
    if not unit and abs(value) <= 1:
        return f"{value:.3f}"
    unit = _NO_UNIT.sub("", unit)[:20]
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.1f}"
    return f"{text} {unit}" if unit else text


def percent(value: float | None) -> str:
    """A share in percent.

    >>> percent(0.6121)
    '61.2 %'
    """
    return NOTHING if value is None else f"{value * 100:.1f} %"


def interval(estimate: Estimate | None, unit: str = "", *, rate: bool = False) -> str:
    """The 95 % interval of an estimate; empty where there is none.

    >>> interval(Estimate(value=0.5, low=0.41, high=0.59))
    '0.410 to 0.590'
    """
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    if rate:
        return f"{estimate.low * 100:.1f} to {percent(estimate.high)}"
    low, high = score(estimate.low, unit), score(estimate.high, unit)
    shared = high.rpartition(" ")[2]
    if unit and low.endswith(f" {shared}"):
        low = low.removesuffix(f" {shared}")
    return f"{low} to {high}"


def difference(estimate: Estimate | None, unit: str = "", *, rate: bool = False) -> str:
    """How much a value changed, with its sign.

    >>> difference(Estimate(value=-0.031), rate=True), difference(Estimate(value=0.04), "s")
    ('-3.1 points', '+40 ms')
    """
    return NOTHING if estimate is None else _signed(estimate.value, unit, rate=rate)


def difference_interval(estimate: Estimate | None, unit: str = "", *, rate: bool = False) -> str:
    """The interval of a difference, both ends with their sign; empty where there is none.

    >>> difference_interval(Estimate(value=0.0, low=-0.02, high=0.02))
    '-0.020 to +0.020'
    """
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    low, high = _signed(estimate.low, unit, rate=rate), _signed(estimate.high, unit, rate=rate)
    shared = high.rpartition(" ")[2]
    return f"{low.removesuffix(f' {shared}')} to {high}"


def _signed(value: float, unit: str, *, rate: bool) -> str:
    spelled = f"{abs(value) * 100:.1f} points" if rate else score(abs(value), unit)
    if not re.search("[1-9]", spelled.partition(" ")[0]):
        return f"±{spelled}"
    return f"{'+' if value > 0 else '-'}{spelled}"


def duration(seconds: float) -> str:
    """A wall time.

    >>> duration(0.25), duration(41.23), duration(192), duration(3840)
    ('0.2 s', '41.2 s', '3 min 12 s', '1 h 04 min')
    """
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def money(cost: float | None) -> str:
    """A cost in the currency of the configured price.

    >>> money(0.01234), money(12.5)
    ('0.0123', '12.50')
    """
    if cost is None:
        return NOTHING
    return f"{cost:,.2f}" if cost >= 1 or cost == 0 else f"{cost:.3g}"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "case"), plural(1200, "case")
    ('1 case', '1,200 cases')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def gate_value(line: GateLine, summary: Summary) -> str:
    """A gate line's value, spelled as its aggregate asks."""
    if line.aggregate == "pass_rate":
        return percent(line.value)
    return score(line.value, unit_of(line.check, summary))


def unit_of(check: str, summary: Summary) -> str:
    """The unit of a check's scores."""
    return next((each.unit for each in summary.checks if each.name == check), "")


def check_outcome(check: CheckSummary, summary: Summary) -> str | None:
    """How the gate judged a check: its worst line; `None` where the gate does not name it."""
    found = {line.outcome for line in summary.decision.lines if line.check == check.name}
    return next((each for each in ("failed", "inconclusive", "passed") if each in found), None)


def subject_name(summary: Summary) -> str:
    """The subject in a few words: `qa/answer@1.0.0 on hosted_vllm/smollm2-135m`."""
    subject = summary.subject
    prompt = str(subject.get("prompt") or "")
    if prompt and subject.get("prompt_version") and "@" not in prompt:
        prompt = f"{prompt}@{subject['prompt_version']}"
    return " on ".join(each for each in (prompt, str(subject.get("model") or "")) if each)


def case_name(case: str, repeat: int, repeats: int) -> str:
    """A case's stable name; its repeat is told only where there are several.

    >>> case_name("q-1", 0, 1), case_name("q-1", 1, 3)
    ('q-1', 'q-1 [repeat 2]')
    """
    return f"{case} [repeat {repeat + 1}]" if repeats > 1 else case


_UNPRINTABLE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """`text` without what could steer a terminal or turn the reading direction.

    >>> printable("a\\x1b[2Jb")
    'a�[2Jb'
    """
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def one_line(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters.

    >>> one_line("a long\\n  story", 8)
    'a long…'
    """
    joined = " ".join(printable(text[: most * 8]).split())
    return joined if len(joined) <= most else joined[: most - 1].rstrip() + "…" if most else ""


def shorten(text: str, most: int) -> str:
    """`text`, cut at `most` characters with a note of how many are left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n… {len(text) - most:,} more characters"


def as_text(value: object) -> str:
    """Any value of a case as text: a text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    from llmops.evals.render.rows import to_text

    return to_text(value)


class Tally:
    """How many cases had which outcome."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {outcome.value: 0 for outcome in Outcome}

    def add(self, outcome: Outcome) -> None:
        """Count one case."""
        self.counts[outcome] += 1

    @property
    def total(self) -> int:
        """All cases counted."""
        return sum(self.counts.values())
