"""Which registry is meant, and the adapter for it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from llmops.core.errors import UsageError
from llmops.core.registry import PromptRegistry
from llmops.registry.address import Address
from llmops.registry.mlflow import MlflowPromptRegistry

VARIABLES = ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI")
"""Where MLflow's own commands look, in their order."""


def open_prompt_registry(
    uri: str | None = None,
    *,
    default: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> PromptRegistry:
    """The registry at `uri`, or else that of MLflow's variables, or else at `default`.

    Nothing is looked up before the first question, and nothing is made before
    the first prompt is published. Raises `UsageError` for an address of another
    kind, and where there is none at all.

    >>> open_prompt_registry("postgresql://me:secret@db/mlflow").location
    'postgresql://me:***@db/mlflow'
    """
    variables = os.environ if environ is None else environ
    named = uri or next((variables[name] for name in VARIABLES if variables.get(name)), None)
    chosen = named or default
    if chosen is None:
        raise UsageError(
            "no registry is named",
            hint="give its address, such as `sqlite:///mlflow.db`, or set MLFLOW_TRACKING_URI",
        )
    return MlflowPromptRegistry(Address.parse(chosen))
