"""FACE: fakes that behave like the real thing, and the suites that prove it.

`ScriptedModel` answers from a script; `FaultyEndpoint` is a real HTTP server
that does wrong on request, by the faults in `llmops.testing.faults`;
`ChatModelConformance` holds the tests that every chat model passes, real or
fake. Subclass it for a model of your own. `ScriptedServices` hands a scripted
model to a judge. `InMemoryPromptRegistry` stands for MLflow's registry, and
`PromptRegistryConformance` says what both do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmops.testing.endpoint import FaultyEndpoint as FaultyEndpoint
    from llmops.testing.registry import InMemoryPromptRegistry as InMemoryPromptRegistry
    from llmops.testing.scripted import ScriptedModel as ScriptedModel
    from llmops.testing.services import ScriptedServices as ScriptedServices

__all__ = ["FaultyEndpoint", "InMemoryPromptRegistry", "ScriptedModel", "ScriptedServices"]

_HOMES = {
    "FaultyEndpoint": "llmops.testing.endpoint",
    "InMemoryPromptRegistry": "llmops.testing.registry",
    "ScriptedModel": "llmops.testing.scripted",
    "ScriptedServices": "llmops.testing.services",
}


def __getattr__(name: str) -> Any:
    # On first use, so that `python -m llmops.testing.endpoint` is not loaded twice.
    if name not in _HOMES:
        raise AttributeError(f"module `llmops.testing` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
