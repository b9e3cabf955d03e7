"""The shared registry: released prompts in a place that other projects read, too.

Owns the adapter to MLflow, for a server or a database of one file; the nouns
and the protocol are in `core.registry`. Knows nothing of prompt files, suites
or projects: what is published is handed to it. Importing it does not import
MLflow, which happens when a registry is first asked for something.
"""

from __future__ import annotations

from llmops.core.registry import PromptRegistry as PromptRegistry
from llmops.core.registry import RegisteredPrompt as RegisteredPrompt
from llmops.registry.opening import open_prompt_registry

__all__ = ["PromptRegistry", "RegisteredPrompt", "open_prompt_registry"]
