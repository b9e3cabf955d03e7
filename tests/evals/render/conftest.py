"""The sample report that every format is tried on."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from llmops.evals.results import Report


def _module(name: str) -> ModuleType:
    """A module of this folder, which is no test and in no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The module `sample_report.py`."""
    return _module("sample_report")


@pytest.fixture(scope="session")
def compared() -> ModuleType:
    """The module `sample_comparison.py`."""
    return _module("sample_comparison")


@pytest.fixture(scope="session")
def sample_report(samples: ModuleType) -> Callable[..., Report]:
    """Makes reports as real runs leave them; `hostile` texts included."""
    made: Callable[..., Report] = samples.sample_report
    return made
