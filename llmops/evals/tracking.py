"""Which version of a dataset a file is: as DVC or Git LFS track it, read without either.

DVC names what it tracks by an MD5 digest, in `FILE.dvc`, in the `.dvc` file of
a folder above it, or among the outputs in a `dvc.lock`. Git LFS has a pointer
with a SHA-256 digest in the place of the file in git.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.core.documents import load_yaml
from llmops.core.errors import DocumentError, Where
from llmops.core.files import relative

LFS_VERSION = b"version https://git-lfs.github.com/spec/"
_POINTER_SIZE = 1024
_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DvcOutput:
    """What a DVC file says of one path."""

    path: Path
    file: Path
    """The `.dvc` file or `dvc.lock` that says so."""
    md5: str
    """Ends in `.dir` for a folder."""
    size: int | None
    plain: bool
    """Whether the digest is of the bytes as they are; DVC 2 took texts with Unix line ends."""

    @property
    def pull(self) -> str:
        """The command that brings the file."""
        return f"dvc pull {self.file.name}" if self.file.suffix == ".dvc" else "dvc pull"


def dvc_output(path: Path) -> DvcOutput | None:
    """What DVC says of the file at `path`, or of a folder that it lies in; `None` if nothing.

    Raises `DocumentError` for a DVC file that cannot be read.
    """
    for pointer in _dvc_files(path):
        for output in _outputs(pointer):
            if path == output.path or path.is_relative_to(output.path):
                return output
    return None


def tracked(path: Path, root: Path, sha256: str) -> dict[str, str]:
    """What a report says of where the file is tracked; empty where it is not.

    `dvc_md5` with `dvc_file`, or `lfs_oid`; the latter only while the file is
    the one that the checked-out commit has. Raises `DocumentError` when the
    file is not the one that its DVC file names: a stale file is easily
    overlooked, since git shows no change.
    """
    path = path.resolve()
    output = dvc_output(path)
    if output is not None:
        _refuse_stale(path, output)
        return {"dvc_md5": output.md5, "dvc_file": relative(output.file, root.resolve())}
    oid = lfs_oid(path)
    return {"lfs_oid": f"sha256:{oid}"} if oid == sha256 else {}


def not_pulled(path: Path) -> tuple[str, str] | None:
    """Why there is no file at `path`, and the command that brings it; `None` if DVC knows of none.

    A stage of a `dvc.yaml` may have it as an output that was never made.
    """
    path = path.resolve()
    output = dvc_output(path)
    if output is not None:
        return f"`{output.file.name}` points to it: it was not pulled", output.pull
    own = path.with_name(path.name + ".dvc")
    if own.is_file():
        return f"`{own.name}` stands for it: it was not pulled", f"dvc pull {own.name}"
    for folder in path.parents:
        pipeline = folder / "dvc.yaml"
        if pipeline.is_file():
            for name, stage in _stages(pipeline).items():
                if path in _named(stage, folder):
                    return f"the stage `{name}` of `dvc.yaml` makes it", f"dvc repro {name}"
        if _is_top(folder):
            break
    return None


def lfs_oid(path: Path) -> str | None:
    """The SHA-256 digest of the file in the checked-out commit, if Git LFS keeps it there."""
    if not any((folder / ".git").exists() for folder in path.parents):
        return None
    attribute = _git(path.parent, "check-attr", "-z", "filter", "--", path.name)
    if attribute is None or attribute.split(b"\0")[2:3] != [b"lfs"]:
        return None
    name = f"HEAD:./{path.name}"
    size = _git(path.parent, "cat-file", "-s", name)
    if size is None or int(size) > _POINTER_SIZE:
        return None
    return pointer_oid(_git(path.parent, "cat-file", "blob", name) or b"")


def pointer_oid(text: bytes) -> str | None:
    """The digest in the text of a Git LFS pointer; `None` for any other text.

    >>> pointer_oid(LFS_VERSION + b"v1\\noid sha256:" + b"0" * 64 + b"\\nsize 3\\n")[:4]
    '0000'
    """
    found = _OID.search(text) if text.startswith(LFS_VERSION) else None
    return found[1].decode() if found else None


def _dvc_files(path: Path) -> Iterator[Path]:
    """The DVC files that may speak of `path`, the nearest first, up to the repository's folder."""
    below = path
    for folder in path.parents:
        for candidate in (below.with_name(below.name + ".dvc"), folder / "dvc.lock"):
            if candidate.is_file():
                yield candidate
        if _is_top(folder):
            return
        below = folder


def _is_top(folder: Path) -> bool:
    return any((folder / name).exists() for name in (".git", ".dvc"))


def _stages(file: Path) -> Mapping[str, Mapping[str, Any]]:
    stages = load_yaml(file).data.get("stages")
    if not isinstance(stages, Mapping):
        return {}
    return {str(name): each for name, each in stages.items() if isinstance(each, Mapping)}


def _named(stage: Mapping[str, Any], folder: Path) -> set[Path]:
    """The outputs of a stage, each of which is a path or a path with settings."""
    within = folder / str(stage.get("wdir", "."))
    outs = stage.get("outs")
    names = [
        next(iter(each), "") if isinstance(each, Mapping) else each
        for each in (outs if isinstance(outs, list) else ())
    ]
    return {(within / name).resolve() for name in names if isinstance(name, str) and name}


def _outputs(file: Path) -> Iterator[DvcOutput]:
    stages = list(_stages(file).values()) if file.name == "dvc.lock" else [load_yaml(file).data]
    for holder in stages:
        folder = file.parent / str(holder.get("wdir", "."))
        outs = holder.get("outs")
        for each in outs if isinstance(outs, list) else ():
            if isinstance(each, Mapping) and (output := _output(file, folder, each)):
                yield output


def _output(file: Path, folder: Path, record: Mapping[str, Any]) -> DvcOutput | None:
    path, md5, size = record.get("path"), record.get("md5"), record.get("size")
    if not isinstance(path, str) or not isinstance(md5, str) or not _MD5.fullmatch(md5):
        return None
    return DvcOutput(
        path=(folder / path).resolve(),
        file=file,
        md5=md5,
        size=size if isinstance(size, int) else None,
        plain=record.get("hash") == "md5",
    )


def _refuse_stale(path: Path, output: DvcOutput) -> None:
    """Raise unless the file is the one that was added; of a folder DVC knows the whole only."""
    if output.md5.endswith(".dir"):
        return
    sizes_agree = output.size is None or path.stat().st_size == output.size
    if sizes_agree and output.md5 in _digests(path, output.plain):
        return
    shown = output.file.name
    raise DocumentError(
        f"is not the file that `{shown}` names (md5 {output.md5[:8]}…)",
        hint=f"`{output.pull}` brings that file; `dvc add {path.name}` tracks this one"
        if output.file.suffix == ".dvc"
        else f"`{output.pull}` brings that file; `dvc commit` tracks this one",
        where=Where(path),
    )


def _digests(path: Path, plain: bool) -> set[str]:
    with path.open("rb") as file:
        found = {hashlib.file_digest(file, _md5).hexdigest()}
    if not plain:
        digest = _md5()
        with path.open("rb") as file:
            for line in file:
                digest.update(line.replace(b"\r\n", b"\n"))
        found.add(digest.hexdigest())
    return found


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and a file's own name
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - git is found as a person finds it
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
