"""Which prompts had no finding the last time, so that they need not be looked at again.

Only clean prompts are remembered, by the digests of all their files. Another
configuration, or another build of the linter, begins anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError
from llmops.core.files import write_text
from llmops.core.fingerprint import fingerprint


class LintMemory:
    """Remembers clean prompts in a file that may be deleted any time.

    `settings` is all but the files that a finding depends on, as JSON.
    """

    def __init__(self, path: Path, *, root: Path, settings: Any):
        self._path = path
        self._root = root
        self._key = fingerprint([settings, _linter()])
        self._digests: dict[str, str | None] = {}
        self._before = self._read()
        self._now: dict[str, dict[str, str]] = {}

    def clean(self, name: str) -> bool:
        """Whether the prompt was clean, and all of its files are as they were."""
        files = self._before.get(name)
        if files is None or any(self._digest(path) != digest for path, digest in files.items()):
            return False
        self._now[name] = files
        return True

    def remember(self, name: str, files: Iterable[str]) -> None:
        """That a prompt, which is made of `files`, is clean as it is now."""
        digests = {path: self._digest(path) for path in files}
        found = {path: digest for path, digest in digests.items() if digest is not None}
        if len(found) == len(digests):
            self._now[name] = found

    def save(self, known: Iterable[str]) -> None:
        """Keep what is remembered of the prompts that there are.

        A folder that cannot be written costs the next run its time, and no more.
        """
        names = set(known)
        kept = {name: files for name, files in self._before.items() if name in names}
        now = kept | self._now
        if now == self._before:
            return
        ignore = self._path.parent / ".gitignore"
        try:
            if not ignore.exists():
                write_text(ignore, "# Made by llmops; nothing here belongs into a commit.\n*\n")
            write_text(self._path, json.dumps({"key": self._key, "clean": now}))
        except DocumentError:
            return

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            found = json.loads(self._path.read_bytes())
            clean = found["clean"] if found["key"] == self._key else {}
            return {str(name): dict(files) for name, files in clean.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}

    def _digest(self, path: str) -> str | None:
        if path not in self._digests:
            try:
                content = (self._root / path).read_bytes()
                self._digests[path] = hashlib.sha256(content).hexdigest()
            except OSError:
                self._digests[path] = None
        return self._digests[path]


def _linter() -> list[list[Any]]:
    """What tells one build of the rules, and of what they read prompts with, from another."""
    modules = sorted(Path(__file__).parents[1].rglob("*.py"))
    stats = ((module, module.stat()) for module in modules)
    return [[module.name, stat.st_size, stat.st_mtime_ns] for module, stat in stats]
