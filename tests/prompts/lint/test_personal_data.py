"""E-mail addresses and numbers of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.prompts.lint.pii import find_personal_data

from .conftest import Folder

FOUND = {
    "Write to jane.doe@acme.com.": "e-mail address",
    "<jane+news@mail.acme.co.uk>": "e-mail address",
    "Card 4539 5787 6362 1486, please": "payment card number",
    "4539578763621486": "payment card number",
    "3714-496353-98439": None,  # the check digit is wrong
    "IBAN DE44 5001 0517 5407 3249 31": "IBAN",
    "GB33BUKB20201555555555 IS MINE": "IBAN",
    "SSN 536-22-8726": "US social security number",
    "Call +49 30 901820 today": "phone number",
    "+1 (212) 736-5000": "phone number",
    "+44 20 7219 3000": "phone number",
    "tel:+33142764040": "phone number",
    "Call (415) 692-8311 or mail.": "phone number",
    "415-692-8311": "phone number",
    "415.692.8311, any time": "phone number",
    "1-415-692-8311": "phone number",
    '{"phone": "4156928311"}': "phone number",
    "Phone: 020 7219 3000": "phone number",
    "Telefon: 030/90182055": "phone number",
    "Her mobile number is 07911 384256.": "phone number",
    "call me at (07) 5331 0577?": "phone number",
    "Tel. 0049 30 901820": "phone number",
    "SSN: 536228726": "US social security number",
    "My social security number is 536 22 8726.": "US social security number",
    "Schreib an jürgen@bücher.de.": "e-mail address",
    "иван@почта.рф": "e-mail address",
    "请联系jane@acme.com谢谢": "e-mail address",
}
NOBODYS = [
    "jane@example.com, x@mail.example.org, a@b.test, a@host.invalid, root@localhost.localhost",
    "noreply@acme.com, no-reply@acme.com, do-not-reply@acme.com",
    "git@github.com:acme/prompts.git",
    "you@yourcompany.com or name@domain.com",
    "icon@2x.png, support/answer@production, @decorator.name",
    "4111 1111 1111 1111, 4242424242424242, 5555-5555-5555-4444, 378282246310005",
    "4539578763621487",
    "DE44 5001 0517 5407 3249 32",
    "000-12-3456, 666-12-3456, 912-34-5678, 123-00-4567, 123-45-0000, 123-45-6789",
    "+1 212 555 0142, +44 7700 900123, +1 234 567 8900, +49 123 4567890",
    "2024-01-31 12:00:00, 10.1000/182, 978-3-16-148410-0, 3.141592653589793",
    "order 4539578763621486000000001, 1699999999999, 0xdeadbeef12345678",
    "a + 12345678 = b, +12345678, 1+1000000000",
    "2002 45 597 604 12139608",
    "550e8400-e29b-41d4-a716-446655440000",
    "(415) 555-0123, 415-555-0199, 555-0142",
    "115-692-8311, 415-192-8311, 415-911-8311, 411-692-8311, 495-692-8311, 1-800-692-8311",
    "7415-692-8311, 415-692-83112, 415-692-8311-22, 415.692.8311.5, v415.692.8311, x=415-692-8311",
    "Order 415-692-8311, invoice no. 415-692-8311, case ID: 415-692-8311, version 415.692.8311",
    "415-692.8311, 415 692 8311, 4156928311, 222-222-2222, 234-567-8901",
    "020 7219 3000, 030/90182055, 0791138425",
    "call on 01/02/2024 12:00, Tel. 020 7946 0123, phone 0123456789, mobile: 0000000000",
    "telephoned 020 7219 3000 times; recall 0791138425; phone 020 7219 3000 4242 4242",
    "536228726, order 536228726, SSN: 000228726, SSN 123456789, SSN 078051120, SSN 5362287261",
    "jürgen@example.com, müller@firma.example, @bücher.de, name@größe",
]


@pytest.mark.parametrize("text", FOUND)
def test_personal_data_is_found_by_its_kind(text: str) -> None:
    kind = FOUND[text]
    assert [hit.kind for hit in find_personal_data(text)] == ([kind] if kind else [])


@pytest.mark.parametrize("text", NOBODYS)
def test_what_belongs_to_nobody_is_no_finding(text: str) -> None:
    assert list(find_personal_data(text)) == []


def test_the_finding_does_not_quote_the_data(folder: Folder) -> None:
    folder.prompt("user:\nAsk jane.doe@acme.com or +49 30 901820.\n")
    found = folder.lint()
    assert [one.message for one in found] == [
        "e-mail address in the text",
        "phone number in the text",
    ]
    assert {one.where.line for one in found} == {5}


def test_real_prompts_hold_no_personal_data() -> None:
    prompts = [path for path in Path("tests/data/prompts").rglob("*") if path.is_file()]
    assert len(prompts) > 100
    assert [path for path in prompts if any(find_personal_data(path.read_text()))] == []
