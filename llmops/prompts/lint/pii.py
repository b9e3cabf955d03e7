"""Personal data in a text: what can be told from its form and its check digits alone.

Names, birth dates, postal addresses and the numbers of passports and licences
are not looked for: without a model, every capital letter would be one. A
pseudonymizer such as Presidio finds those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops.prompts.lint.phones import before, find_phones
from llmops.prompts.lint.placeholders import counts_up
from llmops.prompts.lint.secrets import Hit

_LETTER = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0300-\u036f\u0370-\u052f\u1e00-\u1fff"
"""Of scripts that put spaces between words: elsewhere, the text goes on after the address."""

_EMAIL = re.compile(
    rf"(?<![{_LETTER}0-9_.%+/:-])([{_LETTER}0-9][{_LETTER}0-9._%+'-]{{0,63}})@"
    rf"((?:[{_LETTER}0-9](?:[{_LETTER}0-9-]{{0,61}}[{_LETTER}0-9])?\.)+[{_LETTER}]{{2,24}})"
    rf"(?![{_LETTER}0-9_@-])"
)
_NOBODYS_DOMAIN = re.compile(
    # RFC 2606 and RFC 6761, and what else people write for "some domain".
    r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local)$"
    r"|^(?:your|my|some)?-?(?:company|domain|organization|organisation|email|mail|website)\.\w+$",
    re.IGNORECASE,
)
_NOBODY = re.compile(r"(?:no-?_?reply|do-?_?not-?_?reply|mailer-daemon|git)", re.IGNORECASE)
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "md", "txt", "yaml", "yml"}) | {
    *("js", "ts", "tsx", "jsx", "css", "html", "json")
}
"""What follows the dot of `icon@2x.png`."""

_DIGITS = re.compile(r"[0-9](?:[ ()./-]{0,3}[0-9]){7}")
"""Eight digits, as every number below has them: no text without is looked at closely."""

_CARD = re.compile(
    # In one, or in the groups that are embossed: references and tables hold digits, too.
    r"(?<![\w.+-])(?:[2-6][0-9]{12,18}"
    r"|[2-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,4}(?:\1[0-9]{3})?"
    r"|3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})(?![\w-]|\.[0-9]| [0-9])"
)
_TEST_CARDS = frozenset(
    re.findall(
        "[0-9]+",
        "4111111111111111 4242424242424242 4012888888881881 4222222222222 4000056655665556 "
        "4000000000000002 4000000000003220 4000000000009995 5555555555554444 5105105105105100 "
        "5200828282828210 2223003122003222 2223000048400011 378282246310005 371449635398431 "
        "378734493671000 6011111111111117 6011000990139424 6011000000000012 30569309025904 "
        "38520000023237 3056930009020004 36227206271667 3530111333300000 3566002020360505 "
        "6200000000000005 5454545454545454 4917610000000000 4000000000000000 4263982640269299",
    )
)
"""What payment providers publish for trying out."""

_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}")
_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        "([A-Z]+)([0-9]+)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 "
        "DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 "
        "HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 "
        "MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 "
        "RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 "
        "VA22 VG24 XK20 YE30",
    )
}

_SSN = re.compile(
    r"(?<![\w.-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-]|\.[0-9])"
)
_SSN_BARE = re.compile(
    r"[0-8](?<![\w.-].)[0-9]{2}(?<!000)(?<!666)( ?)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}"
    r"(?![\w-]|\.[0-9])"
)
_SSN_SAID = re.compile(
    r"\b(?:social[ -]security|SSN)(?:[ ](?:number|no\.?|is|was|of|#)){0,2}[ :=#\t\"'`*(]{1,4}$",
    re.IGNORECASE,
)
"""Without dashes, any number of nine digits is one."""

_NO_SSN = frozenset({"123456789", "078051120", "219099999", "457555462"})
"""Printed on specimens and in advertisements."""


def find_personal_data(text: str) -> Iterator[Hit]:
    """Every e-mail address, payment card, IBAN, US social security and phone number in `text`.

    Numbers have to pass their own checks (Luhn, mod 97, issued ranges, calling
    codes); what is reserved for examples is left out.

    >>> [hit.kind for hit in find_personal_data("Ask jane@acme.com or me@example.com.")]
    ['e-mail address']
    """
    if "@" in text:
        yield from _emails(text)
    if not _DIGITS.search(text):
        return
    taken: list[Hit] = []
    for hit in (*_ibans(text), *_cards(text), *find_phones(text), *_ssns(text)):
        overlaps = any(
            hit.start < each.start + len(each.text) and each.start < hit.start + len(hit.text)
            for each in taken
        )
        if not overlaps:
            taken.append(hit)
            yield hit


def _emails(text: str) -> Iterator[Hit]:
    for match in _EMAIL.finditer(text):
        who, domain = match.groups()
        made_up = _NOBODYS_DOMAIN.search(domain) or _NOBODY.fullmatch(who)
        if not made_up and domain.rpartition(".")[2].lower() not in _FILES:
            yield Hit(kind="e-mail address", start=match.start(), text=match[0])


def _cards(text: str) -> Iterator[Hit]:
    for match in _CARD.finditer(text):
        number = re.sub("[ -]", "", match[0])
        made_up = number in _TEST_CARDS or counts_up(number) or len(set(number)) <= 3
        if _issued(number) and luhn(number) and not made_up:
            yield Hit(kind="payment card number", start=match.start(), text=match[0])


def _issued(number: str) -> bool:
    """Whether a card network gives out numbers of this beginning and length."""
    two, three, four = int(number[:2]), int(number[:3]), int(number[:4])
    match len(number):
        case 13:
            return number[0] == "4"
        case 14:
            return two in (36, 38, 39) or 300 <= three <= 305
        case 15:
            return two in (34, 37)
        case 16:
            return (
                number[0] == "4"
                or 51 <= two <= 55
                or 2221 <= four <= 2720
                or 3528 <= four <= 3589
                or four == 6011
                or 644 <= three <= 659
                or two == 62
            )
        case 19:
            return number[0] == "4" or two == 62 or four == 6011
    return False


def luhn(number: str) -> bool:
    """Whether the last digit fits the others (ISO/IEC 7812).

    >>> luhn("4539578763621486"), luhn("4539578763621487")
    (True, False)
    """
    digits = [int(each) for each in reversed(number)]
    doubled = sum(sum(divmod(2 * each, 10)) for each in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0


def _ibans(text: str) -> Iterator[Hit]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match[1])
        if length is None:
            continue
        compact = re.sub("[ -]", "", match[0])[:length]
        if len(compact) == length and iban(compact):
            yield Hit(kind="IBAN", start=match.start(), text=_spelled(match[0], length))


def _spelled(found: str, length: int) -> str:
    """The first `length` characters of `found`, not counting what divides them."""
    end = 0
    while length:
        length -= found[end] not in " -"
        end += 1
    return found[:end]


def iban(compact: str) -> bool:
    """Whether the check digits fit (ISO 13616).

    >>> iban("GB82WEST12345698765432"), iban("GB82WEST12345698765433")
    (True, False)
    """
    return int("".join(str(int(each, 36)) for each in compact[4:] + compact[:4])) % 97 == 1


def _ssns(text: str) -> Iterator[Hit]:
    for match in _SSN.finditer(text):
        if not _specimen(match[0]):
            yield Hit(kind="US social security number", start=match.start(), text=match[0])
    for match in _SSN_BARE.finditer(text):
        if _SSN_SAID.search(before(text, match)) and not _specimen(match[0]):
            yield Hit(kind="US social security number", start=match.start(), text=match[0])


def _specimen(found: str) -> bool:
    number = re.sub("[ -]", "", found)
    return number in _NO_SSN or len(set(number)) <= 2
