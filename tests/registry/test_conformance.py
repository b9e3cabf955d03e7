"""Every registry against the same suite: MLflow on SQLite, and the one in memory."""

from __future__ import annotations

import pytest

from llmops.core.registry import PromptRegistry
from llmops.registry import open_prompt_registry
from llmops.testing.registry import InMemoryPromptRegistry
from llmops.testing.registry_conformance import PromptRegistryConformance


class TestInMemory(PromptRegistryConformance):
    @pytest.fixture
    def registry(self) -> PromptRegistry:
        return InMemoryPromptRegistry()


class TestMlflowOnSqlite(PromptRegistryConformance):
    @pytest.fixture
    def registry(self, mlflow_database: str) -> PromptRegistry:
        return open_prompt_registry(mlflow_database)
