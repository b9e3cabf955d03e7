"""The dataset of a suite as it was: out of git, or what a pointer in git stands for.

A dataset that is too large for git has a pointer there instead: a Git LFS
pointer in its place, or a `.dvc` file beside it. Their digests say whether the
data is the same; the data of then is there if this machine still has it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llmops.core.documents import parse_yaml
from llmops.core.errors import LlmopsError
from llmops.evals.tracking import LFS_VERSION
from llmops.project.changes.files import FileChanges

_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastData:
    """What is known of a dataset's content at the revision."""

    same: bool = False
    """It is what the working tree has now."""
    content: bytes | None = None
    """The whole file of then; `None` if it is the same, or not on this machine."""
    lacking: str = ""
    """Why there is neither."""


def past_data(files: FileChanges, now: str, then: str, root: Path) -> PastData:
    """The dataset that was at `then`, beside the one that is at `now`; both are paths in git."""
    if now in files.now and files.now[now] == files.then.get(then):
        return PastData(same=True)
    if then in files.then:
        return _from_git(files, then, root / now)
    if f"{then}.dvc" in files.then:
        return _from_dvc(files, now, then, root)
    if root.joinpath(now).exists() and now not in files.now:
        return PastData(lacking="git does not keep it, so whether it changed cannot be told")
    return PastData(lacking="it was not there")


def _from_git(files: FileChanges, then: str, now: Path) -> PastData:
    git = files.tree.git
    blob = files.then[then]
    content = git.blobs([blob]).get(blob)
    if content is None:
        return PastData(lacking="git does not have its content of then in this clone")
    if not content.startswith(LFS_VERSION):
        return PastData(content=content)
    found = _OID.search(content)
    digest = found[1].decode() if found else ""
    if now.is_file() and _digest(now, "sha256") == digest:
        return PastData(same=True)
    kept = git.common_folder / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    return _kept(kept, "Git LFS")


def _from_dvc(files: FileChanges, now: str, then: str, root: Path) -> PastData:
    digest = _dvc_digest(files, f"{then}.dvc")
    path = root / now
    if digest and path.is_file() and _digest(path, "md5") == digest:
        return PastData(same=True)
    return _kept(root / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:], "DVC")


def _dvc_digest(files: FileChanges, path: str) -> str:
    """The MD5 digest that a `.dvc` file of then holds; empty if it holds none of one file."""
    try:
        outs = parse_yaml(files.tree.text(path), files.tree.where(path)).data["outs"]
        found = str(outs[0]["md5"])
    except (LlmopsError, KeyError, IndexError, TypeError):
        return ""
    return found if _MD5.fullmatch(found) else ""


def _kept(path: Path, tool: str) -> PastData:
    if path.is_file():
        return PastData(content=path.read_bytes())
    return PastData(lacking=f"{tool} does not have its content of then on this machine")


def _digest(path: Path, method: Literal["md5", "sha256"]) -> str:
    """The digest by which a tool knows a file; it protects nothing."""
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(method, usedforsecurity=False)
        ).hexdigest()
