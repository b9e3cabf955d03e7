"""Phone numbers in a text, as they are dialled from abroad or at home.

With its country's code, or spelled as in North America, a number tells what it
is; any other one counts only where a word such as "phone" stands just before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.prompts.lint.placeholders import counts_up
from llmops.prompts.lint.secrets import Hit

_PHONE = re.compile(r"(?<![\w.+(/=-])\+[1-9](?:[ ().-]{0,2}[0-9]){7,14}(?![0-9A-WYZa-wyz_])")
_US_PHONE = re.compile(
    # A look behind that comes second is much faster.
    r"[(1-9](?<![\w.+(/=#@:-].)(?<![0-9] .)(?:(?<=1)[ .-](?:\(|(?=[2-9]))|(?<=[(2-9]))"
    r"(?:(?<=\()[2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-]"
    r"|(?<=[2-9])[0-9]{2}([.-])[2-9][0-9]{2}\1"
    r"|(?<=[ .-])[2-9][0-9]{2}([.-])[2-9][0-9]{2}\2)[0-9]{4}"
    r"(?![\w/-]|[.:,][0-9]| [0-9]{3})"
)
_NUMBERED = re.compile(
    r"\b(?:order|invoice|id|case|ticket|ref(?:erence)?|sku|part|serial|model|version|v|release|build"
    r"|isbn|issn|doi|tracking|account|policy|item|article|product|patent|grant|ip|section|rule)"
    r"(?:[ ](?:number|no\.?|is|was|code)){0,2}[ :=#\t\"'`*]{0,4}$",
    re.IGNORECASE,
)
"""Before a number that is no phone's."""

_HOME_PHONE = re.compile(
    r"[(02-9](?<![\w.+/-].)(?:(?:(?<=\()0|(?<=0))[0-9](?:[ ()./-]{0,3}[0-9]){7,12}"
    r"|(?<=[2-9])[0-9]{2} ?[2-9][0-9]{2} ?[0-9]{4})(?![\w-]|[.,:/][0-9]| [0-9]{3})"
)
_CALLED = re.compile(
    r"\b(?:(?:(?:tele|mobile[ ]?|cell[ ]?)?phones?|tel(?:efone?|efono|éfono|efoon|efon)?"
    r"|t[eé]l[eé]phone|mobiles?|mobil|m[oó]vil|handy|cell|fax|call|dial|ring|text|sms|whatsapp"
    r"|hotline)(?:[ ](?:number|nummer|nr|no))?|(?:ruf|telefon|handy|mobil|fax)nummer)\.?"
    r"(?:[ ](?:us|me|him|her|them|is|was|ist|lautet|at|on|under|unter|now|today|the|office)){0,3}"
    r"[ :=#\t\"'`*]{0,4}$",
    re.IGNORECASE,
)
"""What says that a number without a country's code is a phone's."""

_DATE = re.compile(r"[0-9]{2}[./-][0-9]{2}[./-](?:19|20)[0-9]{2}")
_CODES = re.compile(
    # Calling codes of ITU-T E.164.
    r"1|7|2(?:0|7|[1-6]\d|9\d)|3(?:[0-4]|6|9|[578]\d)|4(?:[013-9]|2\d)|5(?:[1-8]|[09]\d)"
    r"|6(?:[0-6]|[7-9]\d)|8(?:[1246]|[0578]\d)|9(?:[0-58]|[679]\d)"
)
_NOBODYS_PHONE = re.compile(
    # Kept free for stories: NANPA's 555-01xx, and Ofcom's drama numbers.
    r"1\d{3}55501\d\d|1\d{3}555\d{4}|44(?:207946|7700900|1632960|8081570|9098790)\d+"
)


def find_phones(text: str) -> Iterator[Hit]:
    """Every phone number in `text`; one that is found in two ways comes twice.

    >>> [hit.text for hit in find_phones("(415) 692-8311, order 415-692-8311, tel. 0911 384256")]
    ['(415) 692-8311', '0911 384256']
    """
    for match in _PHONE.finditer(text):
        if _dialled(_digits(match[0])):
            yield Hit(kind="phone number", start=match.start(), text=match[0])
    for match in _US_PHONE.finditer(text):
        numbered = _NUMBERED.search(before(text, match))
        if _dialled("1" + _digits(match[0])[-10:]) and not numbered:
            yield Hit(kind="phone number", start=match.start(), text=match[0])
    for match in _HOME_PHONE.finditer(text):
        called = _CALLED.search(before(text, match)) and not _DATE.match(match[0])
        if called and _dialled_at_home(_digits(match[0])):
            yield Hit(kind="phone number", start=match.start(), text=match[0])


def _digits(found: str) -> str:
    return re.sub("[^0-9]", "", found)


def _dialled_at_home(number: str) -> bool:
    """Whether somebody could have it, as it is dialled in the country or abroad."""
    if number.startswith("00"):
        return _dialled(number[2:])
    if not number.startswith("0"):
        return _dialled("1" + number)
    # Which country's is not told: it is nobody's if it would be in one.
    return 9 <= len(number) <= 12 and _somebodys("44" + number[1:]) and _somebodys(number)


def _dialled(number: str) -> bool:
    """Whether somebody could have this number, by its calling code and length."""
    code = _CODES.match(number)
    if not code or not _somebodys(number):
        return False
    if code[0] == "1":
        # Without services (N11), what is kept for longer numbers (N9X), and firms' free calls.
        return (
            re.fullmatch("1(?!8([03-8])\\1)[2-9](?!11|9)[0-9]{2}[2-9](?!11)[0-9]{6}", number)
            is not None
        )
    return 9 <= len(number) <= 15


def _somebodys(number: str) -> bool:
    """Whether it is neither kept for stories nor made up."""
    made_up = counts_up(number, 7) or len(set(number)) <= 3
    return not made_up and not _NOBODYS_PHONE.fullmatch(number)


def before(text: str, match: re.Match[str]) -> str:
    """What stands just before `match`, which can say what a number is."""
    return text[max(0, match.start() - 50) : match.start()]
