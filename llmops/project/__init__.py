"""COMPOSITION ROOT: `llmops.toml` becomes a `Project`, the one room that knows every room.

It owns configuration, the folders of a project and the wiring of models,
prompts and suites. It never parses a command line and prints nothing.
"""

from llmops.project.config import ProjectConfig
from llmops.project.project import Project, load_project, prompts_project
from llmops.project.suite import ProjectSuite
from llmops.project.sync import run_sync

__all__ = [
    "Project",
    "ProjectConfig",
    "ProjectSuite",
    "load_project",
    "prompts_project",
    "run_sync",
]
