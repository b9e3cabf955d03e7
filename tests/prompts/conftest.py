"""Prompts written on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.prompts import Prompt
from llmops.prompts.prompt import parse_prompt

Make = Callable[..., Prompt]


@pytest.fixture
def make() -> Make:
    """A prompt with a body and the names of string inputs, or whole declarations."""
    return made


def made(body: str, *inputs: str, head: str = "") -> Prompt:
    declared = "".join(
        f"  - {each if '{' in each else f'{{name: {each}, kind: string}}'}\n" for each in inputs
    )
    front = "metadata: {version: 1.0.0}\n" + head + (f"inputs:\n{declared}" if declared else "")
    return parse_prompt(f"---\n{front}---\n{body}", Path("p.prompty"), name="p")
