"""Secrets in a text: tokens in a known format, and passwords that are set or told.

Known formats are sure; an assignment, or a sentence such as "the password is …",
counts only when its value is as random as a generated one: passwords made of
words are not looked for. Each format names a literal that every such token holds:
looking for literals is a hundred times cheaper than a regular expression.
"""

from __future__ import annotations

import binascii
import math
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

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
    _format("SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}"),
    _format(
        # The storage emulator has one key for everybody.
        "Azure storage key",
        "AccountKey=",
        r"AccountKey=(?!Eby8vdM02xNOcqFlqUwJPLlm)[A-Za-z0-9+/]{40,}={0,2}",
    ),
    _format("Twilio key", "SK", r"SK[0-9a-f]{32}"),
    _format(
        "Shopify token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_([0-9a-fA-F]{32})"
    ),
    _format("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_([0-9a-f]{64})"),
    _format(
        # Not the one that Telegram's own manual shows.
        "Telegram bot token",
        ":AA",
        r"(?!110201543:)[0-9]{8,10}:(AA[A-Za-z0-9_-]{32,35})(?![_-])",
    ),
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
_DISCORD = re.compile(
    # It has no literal of its own; the look behind comes second, which is much faster.
    r"[MNO](?<![\w.-][MNO])[A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6,7}\.([A-Za-z0-9_-]{27,38})(?![\w-])"
)
_AUTHORIZATION = re.compile(
    r"(?<![a-z0-9])(?:(basic)|bearer|(?<=[:=] )token|(?<=[:=] [\"'])token)"
    r"[ \t]+([A-Za-z0-9._~+/-]{8,}={0,2})",
    re.IGNORECASE,
)
_RFC_7617 = "open sesame"

_NAMED = (
    *("password", "passwd", "passphrase", "passwort", "pwd"),
    *("secret", "token", "key", "credential"),
)
_VALUE = r"([A-Za-z0-9+/_.~!@#$%^&*?=-]{8,256})"
_SET_TO = re.compile(
    rf"(?![A-Za-z])[\"'`*]{{0,3}}[ \t]{{0,4}}(?::=|=>|=|:)[ \t*]{{0,4}}[\"'`]?{_VALUE}"
)
_SAID = re.compile(
    r"(?![A-Za-z])[\"'`*]{0,3}(?:[ \t](?:for|of|to|on)(?:[ \t][\w.@'-]{1,40}){1,5}?)?"
    r"[ \t](?:(?:is|was|ist|lautet)(?:[ \t](?:now|still|set[ \t]to))?|set[ \t]to|reads)[ \t:]{1,3}"
    rf"[\"'`*“]{{0,3}}{_VALUE}(?=[\s\"'`”,;:)\]]|$)"
)
_BESIDE = re.compile(rf"[ \t][\"'`“]?{_VALUE}(?=[\s\"'`”,;:)\]]|$)")
"""As in `log in with the password …`."""

_KEYS = re.compile(r"(?:api|access|secret|auth|private|encryption|signing|master)[_ -]?$")
_NO_SECRET = re.compile(
    # A moment, an address of the web or of a contract: as mixed, and public.
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T.*|.*://.*|www\..*|0x[0-9A-Fa-f]{40}",
    re.DOTALL,
)
_SIGNS = re.compile(r"(?=.*[a-z])(?=.*[A-Z])[A-Za-z]+[!@#$%^&*~][A-Za-z!@#$%^&*~]*[A-Za-z]")
_PIECES = re.compile("[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
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
    # Where no letter grows by it: places in one are to be places in the other.
    low = text.lower() if len(text.lower()) == len(text) else text
    taken: list[range] = []
    for hit in chain(_known(text), _authorizations(text, low), _told(text, low)):
        end = hit.start + len(hit.text)
        if not any(hit.start < each.stop and each.start < end for each in taken):
            taken.append(range(hit.start, end))
            yield hit


def _known(text: str) -> Iterator[Hit]:
    for each in FORMATS:
        if any(literal in text for literal in each.literals):
            for match in re.finditer(each.pattern, text):
                if not is_placeholder(match[match.lastindex or 0]):
                    mask = match[0][:_MASKED]
                    yield Hit(kind=each.kind, start=match.start(), text=match[0], mask=mask)
    if "PRIVATE KEY" in text:
        for match in _PRIVATE_KEY.finditer(text):
            if not is_placeholder(match[1]):
                yield Hit(kind="private key", start=match.start(), text=match[0])
    if text.count(".") > 1:
        for match in _DISCORD.finditer(text):
            mixed = re.search("[0-9]", match[0]) and _generated(match[1])
            if mixed and not is_placeholder(match[0]):
                yield Hit(kind="Discord bot token", start=match.start(), text=match[0])
    if "://" in text and "@" in text:
        for match in _URL.finditer(text):
            if not is_placeholder(match[2]) and match[1] != match[2]:
                yield Hit(kind="password in a URL", start=match.start(), text=match[0])


def _authorizations(text: str, low: str) -> Iterator[Hit]:
    """What stands after the name of a scheme in a header of HTTP."""
    if not ("bearer " in low or "basic " in low or "authorization" in low):
        return
    for match in _AUTHORIZATION.finditer(text):
        basic, value = match.groups()
        if _account(value) if basic else _token(value):
            yield Hit(kind="HTTP authorization", start=match.start(2), text=value)


def _token(value: str) -> bool:
    return len(value) >= 16 and _generated(value) and not is_placeholder(value)


def _account(value: str) -> bool:
    """Whether it is a user's name and password in Base64."""
    try:
        user, colon, password = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    real = password not in (user, _RFC_7617) and not is_placeholder(password)
    return bool(user and colon) and f"{user}{password}".isprintable() and len(password) > 4 and real


def _told(text: str, low: str) -> Iterator[Hit]:
    for name in _NAMED:
        at = low.find(name)
        while at >= 0:
            end = at + len(name)
            if name != "key" or _KEYS.search(low, max(0, at - 12), at):
                if match := _SET_TO.match(text, end):
                    value = match[1].rstrip(".!?")
                    secret = _mixed(value) or (len(value) >= 10 and _generated(value))
                else:
                    beside = _BESIDE.match(text, end) if name[0] == "p" else None
                    match = _SAID.match(text, end) or beside
                    value = match[1].rstrip(".!?*") if match else ""
                    secret = _mixed(value)
                if match and secret and not is_placeholder(value):
                    yield Hit(kind="password or key", start=match.start(1), text=value)
            at = low.find(name, at + 1)


def _mixed(value: str) -> bool:
    """Whether letters and digits take turns as in no word, name, version or date."""
    generated = _generated(value) or _SIGNS.search(value)
    if len(value) < 8 or _NO_SECRET.fullmatch(value) or not generated:
        return False
    pieces = _PIECES.findall(value)
    return len(pieces) >= 4 and sum(map(len, pieces)) < 3 * len(pieces)


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
    return entropy(value) >= min(_RANDOM, math.log2(len(value)) - 0.5)
