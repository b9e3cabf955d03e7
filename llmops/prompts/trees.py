"""Where the files of a prompts folder come from: a disk, a git revision, a lock, a bundle.

A prompt may be made of several files. Each is named by its path relative to
the prompts folder, written with `/`, so that a prompt reads the same wherever
its files are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from llmops.core.errors import DocumentError, Where
from llmops.core.files import inside, read_document


class NoSuchFile(DocumentError):
    """A tree has no file of that path."""

    def __init__(self, path: Path, *, hint: str | None = None):
        super().__init__("no such file", hint=hint, where=Where(path))


class Tree(Protocol):
    """The files of a prompts folder, wherever they are."""

    def text(self, path: str) -> str:
        """The whole text of a file.

        Raises `NoSuchFile` if it is not there, and `DocumentError` if it
        cannot be read or is not UTF-8.
        """
        ...

    def where(self, path: str) -> Path:
        """What errors call the file, be it there or not."""
        ...

    def paths(self) -> Iterable[str]:
        """The paths of all files, to suggest one; empty where that is not known."""
        ...


class FolderTree:
    """The files below a folder, as they were when each was first asked for."""

    def __init__(self, root: Path):
        self.root = root
        self._texts: dict[str, str] = {}

    def text(self, path: str) -> str:
        """The text of a file; `DocumentError` also for a link that leads out of the folder."""
        known = self._texts.get(path)
        if known is None:
            known = self._texts[path] = self._read(self.where(path))
        return known

    def where(self, path: str) -> Path:
        """The file itself."""
        return self.root / path

    def paths(self) -> list[str]:
        """All files, sorted, without hidden ones."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [
                Path(folder, name).relative_to(self.root).as_posix()
                for name in files
                if not name.startswith(".")
            ]
        return sorted(found)

    def _read(self, path: Path) -> str:
        try:
            inside(self.root, path)
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NoSuchFile(path) from None
        except (OSError, RuntimeError) as error:  # Python before 3.13 finds loops on its own
            reason = getattr(error, "strerror", None) or "a link that leads to itself"
            raise DocumentError(f"cannot be read: {reason}", where=Where(path)) from error
        return read_document(path)


class MemoryTree:
    """Files held in memory, by path; errors call them `shown/path`.

    >>> MemoryTree({"shared/tone.jinja": "Be kind."}, Path("b.bundle")).text("shared/tone.jinja")
    'Be kind.'
    """

    def __init__(self, texts: Mapping[str, str], shown: Path):
        self._texts = dict(texts)
        self._shown = shown

    def text(self, path: str) -> str:
        """The text of a file; `NoSuchFile` if there is none."""
        if path not in self._texts:
            raise NoSuchFile(self.where(path))
        return self._texts[path]

    def where(self, path: str) -> Path:
        """The path below the place that stands for all of them."""
        return self._shown / path

    def paths(self) -> list[str]:
        """All files, sorted."""
        return sorted(self._texts)


class Subtree:
    """A folder of another tree."""

    def __init__(self, tree: Tree, folder: str):
        self._tree = tree
        self._prefix = f"{folder.strip('/')}/" if folder.strip("/.") else ""

    def text(self, path: str) -> str:
        """The text of a file below the folder."""
        return self._tree.text(self._prefix + path)

    def where(self, path: str) -> Path:
        """What the other tree calls the file."""
        return self._tree.where(self._prefix + path)

    def paths(self) -> list[str]:
        """All files below the folder, sorted."""
        return sorted(
            path.removeprefix(self._prefix)
            for path in self._tree.paths()
            if path.startswith(self._prefix)
        )
