"""llmops: prompts, evaluations, guardrails and answers on open models.

    >>> import llmops
    >>> llmops.__version__
    '0.1.0'

Importing the package costs nothing; each public name is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from llmops.core.errors import ExitCode as ExitCode
    from llmops.core.errors import LlmopsError as LlmopsError
    from llmops.project import Project as Project
    from llmops.project import load_project as load_project
    from llmops.project import run_sync as run_sync
    from llmops.scorers import scorer as scorer

_HOMES = {
    "ExitCode": "llmops.core.errors",
    "LlmopsError": "llmops.core.errors",
    "Project": "llmops.project",
    "load_project": "llmops.project",
    "run_sync": "llmops.project",
    "scorer": "llmops.scorers",
}

__all__ = ["ExitCode", "LlmopsError", "Project", "load_project", "run_sync", "scorer"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `llmops` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
