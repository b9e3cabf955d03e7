from __future__ import annotations

from pathlib import Path

import pytest

from llmops.core.errors import DocumentError
from llmops.core.files import inside, replacing, write_text


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as file:
        file.write("half of the new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_mode_of_the_users_umask(tmp_path: Path) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.touch()
    write_text(ours, "text")
    assert ours.stat().st_mode == plain.stat().st_mode


def test_a_path_that_leaves_the_project_is_refused_also_through_a_link(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to(tmp_path)
    assert inside(project, project / "a" / ".." / "b") == project / "b"
    for path in (project / ".." / "secret", project / "link" / "secret"):
        with pytest.raises(DocumentError, match="lies outside of the project"):
            inside(project, path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DocumentError, match="cannot be written"):
        write_text(tmp_path / "file" / "report.json", "text")
