"""Scorers from elsewhere: the project's own code, and what installed packages offer.

Two ways to name own code, since they serve two ends. `module:attribute` is an
import as Python does it, for installed packages and for packages in the
project's folder, which is on the import path only while the module is loaded.
`file.py:attribute` is a file beside the suite: nothing else of that name can
come first, and two projects in one process do not share it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from llmops.core import plugins
from llmops.core.errors import LlmopsError, NotFound, UsageError, Where
from llmops.core.files import read_document
from llmops.scorers.options import Folders

_importing = threading.RLock()


@dataclass(frozen=True, slots=True)
class Plugin:
    """What an entry point holds."""

    scorer: Any


def plugin(name: str) -> Plugin | None:
    """The scorer that an installed package offers as `name`; `None` if none does."""
    if name not in plugins.names(plugins.SCORERS):
        return None
    with _told(f"the plugin `{name}`"):
        return Plugin(plugins.load(plugins.SCORERS, name))


def load(reference: str, folders: Folders) -> Any:
    """The object at `module:attribute` or `file.py:attribute`.

    Raises `UsageError` that says which half is wrong, and for code that raises
    while it is imported, on which line.
    """
    module_name, _, attribute = reference.partition(":")
    if not module_name or not attribute:
        raise UsageError(
            f"`{reference}` names no scorer", hint="write `module:attribute` or `file.py:attribute`"
        )
    if module_name.endswith(".py"):
        found: Any = _from_file(module_name, folders)
    else:
        found = _from_module(module_name, folders)
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [each for each in dir(found) if not each.startswith("_")]
            raise NotFound.among(f"attribute of `{module_name}`", part, public)
        found = getattr(found, part)
    return found


def _from_module(name: str, folders: Folders) -> ModuleType:
    root = folders.root or folders.base
    with _told(f"`{name}`"), _importable(root):
        module = importlib.import_module(name)
    own = root.joinpath(*name.split("."))
    loaded = Path(module.__file__).resolve() if module.__file__ else None
    for candidate in (own / "__init__.py", own.with_suffix(".py")):
        if candidate.is_file() and candidate.resolve() != loaded:
            raise UsageError(
                f"`{name}` is {candidate} here, but another module of that name is loaded already",
                hint=f"name the file instead: `{own.name}.py:…`",
            )
    return module


def _from_file(name: str, folders: Folders) -> ModuleType:
    path = folders.file(name)
    source = read_document(path)
    key = hashlib.sha256(f"{path}\0{source}".encode("utf-8", "surrogatepass")).hexdigest()
    unique = f"llmops_project_{path.stem}_{key[:16]}"
    with _told(f"`{name}`"), _importable(*filter(None, (path.parent, folders.root))):
        if unique in sys.modules:
            return sys.modules[unique]
        spec = importlib.util.spec_from_file_location(unique, path)
        if spec is None or spec.loader is None:
            raise UsageError(f"`{name}` is not a Python file")
        module = importlib.util.module_from_spec(spec)
        # Registered first: dataclasses in the file look their module up by name.
        sys.modules[unique] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[unique]
            raise
    return module


@contextmanager
def _importable(*folders: Path) -> Iterator[None]:
    """`folders` at the front of the import path, as for a script that lies in them."""
    with _importing:
        added = [str(folder) for folder in folders]
        sys.path[:0] = added
        importlib.invalidate_caches()
        try:
            yield
        finally:
            for folder in added:
                if folder in sys.path:
                    sys.path.remove(folder)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn whatever foreign code raises while it loads into one message with its line."""
    try:
        yield
    except LlmopsError:
        raise
    except SyntaxError as error:
        where = Where(Path(error.filename), error.lineno) if error.filename else None
        raise UsageError(f"not valid Python: {error.msg}", where=where) from error
    except (Exception, SystemExit) as error:
        # A module may raise anything, and all of it is the author's to mend.
        raise UsageError(
            f"{what} cannot be loaded: {type(error).__name__}: {error}", where=_line(error)
        ) from error


def _line(error: BaseException) -> Where | None:
    """The innermost line of foreign code that `error` came through."""
    standard_library = Path(importlib.__file__).parent.parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        installed = "site-packages" in file.parts
        if not file.is_file() or file == Path(__file__):
            continue
        if installed or not file.is_relative_to(standard_library):
            return Where(file, frame.lineno)
    return None
