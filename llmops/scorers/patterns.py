"""Whether the answer matches a regular expression, in bounded time.

Python's `re` cannot be stopped: one pattern with nested repeats and a hostile
answer of sixty characters hold the process for ever, and the interpreter's
lock with it. The `regex` package understands the same patterns, gives the lock
up while it matches, and stops at a timeout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import regex

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured
from llmops.scorers.references import shown

LONGEST_PATTERN = 10_000
MOST_NODES = 100_000
"""Nodes that a pattern may have once its counted repeats are written out, as the
compiler does; `(?:a{60000}b){60000}` would take all memory."""

_TOKEN = regex.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{(?P<least>\d+)(?:,\d*)?\}|.", regex.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class Regex(Configured):
    """1 when `pattern` is found in the answer (`full`: matches all of it), else 0.

    Patterns are those of Python's `re` (and what the `regex` package adds);
    flags stand inline: `(?m)`, `(?s)`, `(?x)`. A match that takes more than
    `timeout` seconds of CPU time is given up and leaves the case unscored,
    never 0. The score's span is the match.

    >>> Regex(pattern=r"\\b\\d{4}\\b").score(Sample(output="In 1815.")).spans
    ((3, 7),)
    """

    name: ClassVar[str] = "regex"
    default_rule: ClassVar[str | None] = "== 1"
    unit: ClassVar[str] = ""

    pattern: str
    full: bool = False
    ignore_case: bool = False
    timeout: float = 0.5
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= 60:
            raise UsageError("`timeout` of `regex` must lie in (0, 60] seconds")
        object.__setattr__(self, "_compiled", compiled(self.pattern, ignore_case=self.ignore_case))

    def look(self, sample: Sample) -> Score:
        """The score, with the match's place."""
        matches = self._compiled.fullmatch if self.full else self._compiled.search
        try:
            found = matches(sample.output, timeout=self.timeout)
        except TimeoutError:
            return Score.unscored(f"the pattern took more than {self.timeout:g} s on this answer")
        if found is None:
            return Score(value=0.0, rationale=f"no match for {shown(self.pattern)}")
        return Score(value=1.0, rationale=f"matches {shown(found[0])}", spans=(found.span(),))


def compiled(pattern: str, *, ignore_case: bool = False) -> Any:
    """The pattern, compiled; `UsageError` when it is broken, empty or enormous."""
    if not pattern:
        raise UsageError("an empty pattern matches every answer")
    if len(pattern) > LONGEST_PATTERN or written_out(pattern) > MOST_NODES:
        raise UsageError(
            f"the pattern {shown(pattern)} is too large",
            hint=f"at most {LONGEST_PATTERN:,} characters, and {MOST_NODES:,} "
            "once counted repeats such as `{1000}` are written out",
        )
    try:
        return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except regex.error as error:
        raise UsageError(f"the pattern {shown(pattern)} is broken: {error}") from None
    except RecursionError:
        raise UsageError(f"the pattern {shown(pattern)} is nested too deep") from None


def written_out(pattern: str) -> int:
    """How many nodes `pattern` has once its counted repeats are written out.

    >>> written_out("(?:ab){10}c"), written_out("(?:(?:a{100}b){100}c){100}") > 1_000_000
    (51, True)
    """
    open_groups = [0]
    last = 0
    for token in _TOKEN.finditer(pattern):
        if token["least"] is not None:
            least = max(int(token["least"][:9]), 1)
            open_groups[-1] += last * (least - 1)
            last *= least
        elif token[0] == "(":
            open_groups.append(0)
        elif token[0] == ")" and len(open_groups) > 1:
            last = open_groups.pop() + 1
            open_groups[-1] += last
        else:
            last = 1
            open_groups[-1] += 1
    return sum(open_groups)
