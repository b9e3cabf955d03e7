"""Same content, same fingerprint; and what counts as content."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.prompts import Prompt
from llmops.prompts.prompt import parse_prompt

BASE = """---
description: Says hello.
metadata:
  version: 1.0.0
model:
  id: openai/gpt-x
  options:
    maxOutputTokens: 5
inputs:
  - name: who
    kind: string
    description: Who is greeted.
  - name: tone
    kind: string
    default: kind
outputs:
  - name: greeting
    kind: string
---
system:
Be {{ tone }}.

user:
Greet {{ who | upper }}.
"""


def read(text: str) -> Prompt:
    return parse_prompt(text, Path("a.prompty"), name="a")


COSMETIC = {
    "description": ("Says hello.", "Greets."),
    "version": ("1.0.0", "1.0.1"),
    "input description": ("Who is greeted.", "The guest."),
    "tags": ("version: 1.0.0", "version: 1.0.0\n  tags: [x]"),
    "YAML style": ("    maxOutputTokens: 5", "    maxOutputTokens:   5 # five"),
    "template comment": ("Be {{", "{# how #}Be {{"),
    "space in an expression": ("{{ who | upper }}", "{{who|upper}}"),
    "blank lines between messages": (".\n\nuser:\n", ".\n\n\n\nuser:\n\n"),
    "blanks at the end": ("}}.\n", "}}.\n  \n\n"),
    "role line style": ("user:\n", "  user :  \n"),
    "line ends": ("\n", "\r\n"),
}

REAL = {
    "wording": ("Greet", "Welcome"),
    "role": ("user:\n", "developer:\n"),
    "filter": ("upper", "lower"),
    "variable": ("{{ who | upper }}", "{{ tone | upper }}"),
    "default": ("default: kind", "default: harsh"),
    "model": ("openai/gpt-x", "openai/gpt-y"),
    "option": ("maxOutputTokens: 5", "maxOutputTokens: 6"),
    "space within a message": ("Be {{", "Be  {{"),
    "text as code": ("Be {{ tone }}", "Be {% raw %}{{ tone }}{% endraw %}"),
    "indentation": ("Be {{", "  Be {{"),
}

INTERFACE = {
    "input added": ("outputs:", "  - {name: x, kind: string}\noutputs:"),
    "kind": ("name: tone\n    kind: string\n    default: kind", "name: tone\n    kind: integer"),
    "required": ("    default: kind", ""),
    "output": ("name: greeting", "name: hello"),
    "allowed values": ("    default: kind", "    default: kind\n    enumValues: [kind]"),
}


@pytest.mark.parametrize("case", COSMETIC)
def test_what_no_model_sees_leaves_the_fingerprint(case: str) -> None:
    changed = BASE.replace(*COSMETIC[case])
    assert changed != BASE
    assert read(changed).fingerprint == read(BASE).fingerprint


@pytest.mark.parametrize("case", REAL)
def test_what_reaches_the_model_changes_the_fingerprint_and_not_the_interface(case: str) -> None:
    changed = read(BASE.replace(*REAL[case]))
    assert changed.fingerprint != read(BASE).fingerprint
    assert changed.interface_fingerprint == read(BASE).interface_fingerprint


@pytest.mark.parametrize("case", INTERFACE)
def test_what_callers_see_changes_both_fingerprints(case: str) -> None:
    changed = read(BASE.replace(*INTERFACE[case]))
    assert changed.fingerprint != read(BASE).fingerprint
    assert changed.interface_fingerprint != read(BASE).interface_fingerprint


def test_the_order_of_inputs_does_not_matter_and_a_mapping_is_a_list() -> None:
    swapped = BASE.replace(
        BASE[BASE.index("inputs:") : BASE.index("outputs:")],
        "inputs:\n  tone: {default: kind, kind: string}\n  who: {kind: string}\n",
    )
    assert read(swapped).fingerprint == read(BASE).fingerprint


def test_the_fingerprint_is_the_same_on_every_machine() -> None:
    digest = "38e4971a62131a3b0f359f2ffc3f3db86eb87936ad0209d0e1a23f6811ae17f5"
    assert read(BASE).fingerprint == f"sha256:{digest}"
