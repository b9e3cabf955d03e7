"""Imports Ragas: without its telemetry, and without the thread that it starts for it."""

from __future__ import annotations

import functools
import importlib.util
import os
from types import ModuleType

from llmops.core.errors import MissingExtra, needs


def require() -> None:
    """Raise `MissingExtra` when Ragas is not installed, without importing it."""
    if importlib.util.find_spec("ragas") is None:
        raise MissingExtra("ragas", cause="No module named 'ragas'")


@functools.cache
def collections() -> ModuleType:
    """Ragas' module of metrics; the first time takes about two seconds.

    Raises `MissingExtra` where the import fails, as it does beside a
    langchain-community of another release than the extra asks for.
    """
    # "true" is the one spelling that Ragas knows; it looks once, and remembers.
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    with needs("ragas"):
        import ragas.metrics.collections
        from ragas import _analytics
    # The import started a thread that wakes every second to send what is never collected.
    _analytics._analytics_batcher.shutdown()
    found: ModuleType = ragas.metrics.collections
    return found


def version() -> str:
    """The installed version of Ragas."""
    from importlib.metadata import version as installed

    return installed("ragas")
