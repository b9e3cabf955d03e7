"""The files of a prompts folder, on disk and in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.core.errors import DocumentError
from llmops.prompts.trees import FolderTree, MemoryTree, NoSuchFile, Tree

FILES = {"a.jinja": "ä\n", "shared/b.jinja": "b"}


@pytest.fixture(params=["folder", "memory"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    if request.param == "memory":
        return MemoryTree(FILES, tmp_path)
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / ".hidden").write_text("")
    return FolderTree(tmp_path)


def test_a_tree_has_texts_by_path(tree: Tree, tmp_path: Path) -> None:
    assert {path: tree.text(path) for path in tree.paths()} == FILES
    assert tree.where("shared/b.jinja") == tmp_path / "shared/b.jinja"


@pytest.mark.parametrize("path", ["shared/c.jinja", "a.jinja/b", "nope/nope"])
def test_what_is_not_there_is_said_with_its_path(tree: Tree, tmp_path: Path, path: str) -> None:
    with pytest.raises(NoSuchFile) as caught:
        tree.text(path)
    assert str(caught.value) == f"{tmp_path / path}: no such file"


def test_a_folder_is_read_once_so_that_a_prompt_is_of_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "a.jinja"
    path.write_text("old")
    tree = FolderTree(tmp_path)
    assert tree.text("a.jinja") == "old"
    path.write_text("new")
    assert tree.text("a.jinja") == "old"
    assert FolderTree(tmp_path).text("a.jinja") == "new"


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    root = tmp_path / "prompts"
    root.mkdir()
    (root / "leak.jinja").symlink_to(outside)
    (root / "loop.jinja").symlink_to(root / "loop.jinja")
    (root / "latin.jinja").write_bytes(b"a\n\xe4")
    (root / "folder.jinja").mkdir()
    for name, message in (
        ("leak", "lies outside of the project"),
        ("loop", "a link that leads to itself|symbolic links"),
        ("latin", "not UTF-8"),
        ("folder", "cannot be read"),
    ):
        with pytest.raises(DocumentError, match=message) as caught:
            FolderTree(root).text(f"{name}.jinja")
        assert caught.value.where is not None
        assert caught.value.where.path == root / f"{name}.jinja"
