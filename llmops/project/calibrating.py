"""Calibrations of a project: found by name, file or suite, measured with its models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llmops.core.errors import NotFound
from llmops.core.files import inside
from llmops.evals.calibration.artifact import Calibration
from llmops.evals.calibration.calibrating import calibrate
from llmops.evals.calibration.file import FOLDER
from llmops.project.project import Project


@dataclass(frozen=True, kw_only=True)
class ProjectCalibration:
    """One calibration file of a project."""

    project: Project
    path: Path

    @property
    def name(self) -> str:
        """What suites call it."""
        return self.path.stem

    @property
    def artifact_path(self) -> Path:
        """Where its result lies, for people to commit."""
        return self.path.with_suffix(".json")

    async def run(
        self,
        *,
        limit: int | None = None,
        use_cache: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Calibration:
        """Measure the judge; nothing is written. Raises as `calibrate` does."""
        from llmops.scorers import build

        services = self.project.services(use_cache=use_cache)
        try:
            return await calibrate(
                self.path,
                root=self.project.root,
                build=partial(build, services=services),
                limit=limit,
                progress=progress,
            )
        finally:
            await services.aclose()


def find_calibrations(project: Project, name: str) -> list[ProjectCalibration]:
    """The calibration of that name or file, or all that a suite of that name asks for.

    Raises `NotFound` with the nearest name, and for a suite that asks for none.
    """
    root = project.folder("evals")
    known = {path.stem: path for path in sorted(root.glob(f"**/{FOLDER}/*.yaml"))}
    as_path = Path(name)
    if name in known:
        paths = [known[name]]
    elif as_path.suffix in (".yaml", ".yml") and FOLDER in as_path.resolve().parts:
        paths = [inside(project.root, as_path)]
    else:
        suites = [suite for suite in project.suites() if suite.name == name]
        if not suites:
            names = [*known, *(suite.name for suite in project.suites())]
            raise NotFound.among("calibration or suite", name, names)
        wanted = suites[0].load().requirements.values()
        paths = list(dict.fromkeys(each.path.with_suffix(".yaml") for each in wanted))
        if not paths:
            raise NotFound(
                f"no check of the suite `{name}` names a calibration",
                hint="a judge's check may say `calibration: NAME`",
            )
    return [ProjectCalibration(project=project, path=path) for path in paths]
