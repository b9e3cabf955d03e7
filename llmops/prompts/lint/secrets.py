"""Secrets in a text: tokens in a known format, and passwords that something is set to.

Known formats are sure; an assignment counts only when its value is as random
as a generated one. Each format names a literal that every such token holds:
looking for literals is a hundred times cheaper than a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from llmops.prompts.lint.placeholders import entropy, is_placeholder


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something that should not stand in a text, and where in it."""

    kind: str
    start: int
    text: str = field(repr=False)
    mask: str = ""
    """What may be shown of it: the part that every such token begins with."""


@dataclass(frozen=True, slots=True)
class _Format:
    kind: str
    literals: tuple[str, ...]
    pattern: str


def _format(kind: str, literals: str, pattern: str) -> _Format:
    # Not compiled: most folders of prompts hold none of them, ever.
    bounded = rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])"
    return _Format(kind, tuple(literals.split()), bounded)


FORMATS = (
    _format("AWS access key id", "AKIA ASIA", r"A(?:K|S)IA[0-9A-Z]{16}"),
    _format("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _format("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{40,255}"),
    _format("GitLab token", "glpat-", r"glpat-[A-Za-z0-9_-]{20,}"),
    _format("Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,}"),
    _format(
        "OpenAI key",
        "sk-",
        r"sk-(?!ant-)(?:(?:proj|svcacct|admin|or-v1|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,})",
    ),
    _format("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{30,}"),
    _format("Slack token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _format(
        "Slack webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}",
    ),
    _format("Google API key", "AIza", r"AIza[0-9A-Za-z_-]{35}"),
    _format("Google client secret", "GOCSPX-", r"GOCSPX-[0-9A-Za-z_-]{20,}"),
    _format("Stripe key", "_live_", r"[sr]k_live_[0-9A-Za-z]{16,}"),
    _format("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _format("PyPI token", "pypi-", r"pypi-[A-Za-z0-9_-]{50,}"),
    _format(
        "JSON Web Token", "eyJ", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}"
    ),
)

_PRIVATE_KEY = re.compile(
    # Only with key material below: prompts that tell what to look for name the first line.
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s+(?:[\w-]+: [^\n]*\s+)*"
    r"(?=[A-Za-z0-9+/=]{16})(\S+)"
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://([^\s/:@<>\"'`]{1,64}):([^\s/@<>\"'`]{3,128})@[\w.-]+")
_NAMED = ("password", "passwd", "pwd", "secret", "token", "key", "credential")
_SET_TO = re.compile(
    r"(?![A-Za-z])[\"'`]?[ \t]{0,4}(?::=|=>|=|:)[ \t]{0,4}[\"'`]?"
    r"([A-Za-z0-9+/_.~!@#$%^&*?=-]{10,256})"
)
_KEYS = re.compile(r"(?:api|access|secret|auth|private|encryption|signing)[_ -]?$")
_WORD = re.compile("[A-Za-z]*|[0-9]*|[A-Za-z]{1,12}[0-9]{1,4}|v?[0-9]+[a-z]?")
_MASKED = 4
_RANDOM = 3.0
"""Bits a character that a generated value of this length has at least."""


def find_secrets(text: str) -> Iterator[Hit]:
    """Every secret in `text`, without placeholders; one text may be found once by its format.

    >>> [(hit.kind, hit.mask) for hit in find_secrets("key: ghp_" + "a8Kd2mQx7R" * 4)]
    [('GitHub token', 'ghp_')]
    >>> list(find_secrets("api_key = <your key>, token: {{ token }}"))
    []
    """
    taken: list[range] = []
    for hit in _known(text):
        if not any(hit.start in each for each in taken):
            taken.append(range(hit.start, hit.start + len(hit.text)))
            yield hit
    for hit in _assigned(text):
        end = hit.start + len(hit.text)
        if not any(hit.start < each.stop and each.start < end for each in taken):
            yield hit


def _known(text: str) -> Iterator[Hit]:
    for each in FORMATS:
        if any(literal in text for literal in each.literals):
            for match in re.finditer(each.pattern, text):
                if not is_placeholder(match[0]):
                    mask = match[0][:_MASKED]
                    yield Hit(kind=each.kind, start=match.start(), text=match[0], mask=mask)
    if "PRIVATE KEY" in text:
        for match in _PRIVATE_KEY.finditer(text):
            if not is_placeholder(match[1]):
                yield Hit(kind="private key", start=match.start(), text=match[0])
    if "://" in text and "@" in text:
        for match in _URL.finditer(text):
            if not is_placeholder(match[2]) and match[1] != match[2]:
                yield Hit(kind="password in a URL", start=match.start(), text=match[0])


def _assigned(text: str) -> Iterator[Hit]:
    low = text.lower() if len(text.lower()) == len(text) else text
    for name in _NAMED:
        at = low.find(name)
        while at >= 0:
            match = _SET_TO.match(text, at + len(name))
            if match and (name != "key" or _KEYS.search(low, max(0, at - 12), at)):
                value = match[1].rstrip(".!?")
                if _generated(value) and not is_placeholder(value):
                    yield Hit(kind="password or key", start=match.start(1), text=value)
            at = low.find(name, at + 1)


def _generated(value: str) -> bool:
    """Whether no person would name something so: digits or capitals anywhere among letters."""
    if not re.search("[0-9]", value):
        # `aCamelCaseName` changes its case less often than every second letter.
        changes = len(re.findall("[a-z]+|[A-Z]+", value))
        return value.isalpha() and changes > len(value) / 2 and entropy(value) >= _RANDOM
    if not re.search("[A-Za-z]", value):
        return False
    words = re.split(r"[-_./+=&?@:]", value)
    if all(map(_WORD.fullmatch, words)):
        return len(words) == 1 and len(value) >= 16 and entropy(value) >= _RANDOM + 0.5
    return entropy(value) >= _RANDOM
