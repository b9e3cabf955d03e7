"""Suites as pytest items, and fixtures for an app's own tests.

It is loaded where it is asked for and nowhere else: no entry point brings it
into the pytest runs of an environment. Either for suites alone, by an
`evals/conftest.py` of one line, so that `pytest evals/` runs them:

    from llmops.testing.pytest_plugin import *

or for a whole test run, by the `conftest.py` beside the root's `pyproject.toml`:

    pytest_plugins = ["llmops.testing.pytest_plugin"]

A suite is run once, when the first of its items is; there is an item for each
check of its gate. An item fails when a threshold is missed, with the gate's
reason; it is an *error* when nothing can be said (provider down, too little
judged, too few cases), as pytest tells a broken set-up from a failed test.
Tests that run against the model call the model: they cost what
`llmops eval run` costs, and answers are cached as there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llmops.project import Project
    from llmops.testing.scripted import ScriptedModel
    from llmops.testing.suite_items import SuiteFile

__all__ = [
    "assert_score",
    "llmops_project",
    "pytest_addoption",
    "pytest_collect_file",
    "scripted_model",
]


_COLLECTED = pytest.StashKey[set[Path]]()
"""The suites that a folder has collected: two conftest files may both bring the plugin."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `llmops eval run` that a test run needs."""
    with suppress(ValueError):  # another conftest file has brought them
        _add_options(parser)


def _add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("llmops", "evaluation suites")
    group.addoption(
        "--llmops-base", metavar="REV", help="Compare suites with a git revision or a report."
    )
    group.addoption(
        "--llmops-limit", metavar="N", type=int, help="Run the first N cases of each suite."
    )
    group.addoption("--llmops-model", metavar="NAME", help="Ask this model instead of the suites'.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """The suite in a YAML file of a project's evals folder."""
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    from llmops.testing.suite_items import SuiteFile, find_suite

    collected = parent.stash.setdefault(_COLLECTED, set())
    suite = find_suite(file_path) if file_path not in collected else None
    if suite is None:
        return None
    collected.add(file_path)
    return SuiteFile.from_parent(parent, path=file_path, suite=suite)


@pytest.fixture(scope="module")
def llmops_project(request: pytest.FixtureRequest) -> Project:
    """The project in which the test lies: its prompts, models and suites."""
    from llmops.project import load_project

    return load_project(request.path.parent)


@pytest.fixture
def scripted_model() -> type[ScriptedModel]:
    """A model that answers from a script: `scripted_model({"France": "Paris"})`."""
    from llmops.testing.scripted import ScriptedModel

    return ScriptedModel


@pytest.fixture
def assert_score(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Checks one answer with a scorer; see `llmops.testing.answers.assert_score`.

    Paths and the project's own scorers are found from the test's folder.
    """
    from functools import partial

    from llmops.testing import answers

    return partial(answers.assert_score, base=request.path.parent)
