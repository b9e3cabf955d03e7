"""What only looks like a secret: the stand-ins that people write into examples."""

from __future__ import annotations

import math
import re
from collections import Counter

_WORDS = re.compile(
    r"example|placeholder|change[-_ ]?me|your|dummy|fake|sample|redacted|insert|replace|"
    r"p[a@][s$]{2}w[o0]rd|xxx|\*\*\*|\.\.\.|…|todo|foobar|"
    r"^(?:pass(?:word|wd)?|pwd|secret|token|none|null|undefined|true|false)$",
    re.IGNORECASE,
)
_FILLED_IN = re.compile(r"[<>{}\[\]]|^\$|\$\(|^%\w+%$|environ|getenv|process\.env")
_RUNS = ("0123456789" * 2, "9876543210" * 2, "abcdefghijklmnopqrstuvwxyz")
_FEWEST = 5


def is_placeholder(value: str) -> bool:
    """Whether `value` stands for a secret and is none.

    >>> is_placeholder("<token>"), is_placeholder("sk-xxxxxxxxxxxx"), is_placeholder("$TOKEN")
    (True, True, True)
    >>> is_placeholder("v9Kd2mQx7Rb4")
    False
    """
    if _FILLED_IN.search(value) or _WORDS.search(value):
        return True
    return len(set(value)) < min(_FEWEST, len(value)) or counts_up(value)


def counts_up(value: str, length: int = 8) -> bool:
    """Whether `value` holds a run of so many characters in the order of the keyboard or alphabet.

    >>> counts_up("a-1234567890-b"), counts_up("a-1357924680-b")
    (True, False)
    """
    low = value.lower()
    starts = range(len(low) - length + 1)
    return any(low[at : at + length] in run for at in starts for run in _RUNS)


def entropy(value: str) -> float:
    """Bits a character, by how often each occurs in `value`.

    >>> entropy("aaaa"), entropy("abcd")
    (0.0, 2.0)
    """
    counts = Counter(value).values()
    return sum(count / len(value) * math.log2(len(value) / count) for count in counts)
