"""The prompt repository: file format, references, typed inputs, rendering.

Owns `.prompty` files and everything that turns one into messages. Never calls
a model, and imports nothing of the package but `core`.
"""

from __future__ import annotations

from llmops.prompts.assignments import parse_assignments as parse_assignments
from llmops.prompts.deprecation import PromptDeprecated as PromptDeprecated
from llmops.prompts.inputs import Input as Input
from llmops.prompts.prompt import Prompt as Prompt
from llmops.prompts.prompt import load_prompt as load_prompt
from llmops.prompts.refs import PromptRef as PromptRef
from llmops.prompts.repository import PromptRepository as PromptRepository

__all__ = [
    "Input",
    "Prompt",
    "PromptDeprecated",
    "PromptRef",
    "PromptRepository",
    "load_prompt",
    "parse_assignments",
]
