"""Whether a model of the hub can be had, before minutes are spent on a start."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

from llmops.core.errors import NotFound, ServerStartError
from llmops.models.serving.processes import without_passwords

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")

_NOT_THERE = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


def check_hub_model(model: str, *, builtin: Iterable[str]) -> None:
    """Return if `model` is in the local hub cache or the hub has it.

    Raises `NotFound` when the hub does not show it to this user, and
    `ServerStartError` when the hub does not answer. Honours `HF_HOME`,
    `HF_HUB_CACHE`, `HF_HUB_OFFLINE`, `HF_ENDPOINT` and `HF_TOKEN`.
    """
    if is_cached(model):
        return
    known = ", ".join(f"`{each}`" for each in builtin)
    elsewhere = f"without a hub use a folder, a GGUF file, or a built-in model: {known}"
    if os.environ.get("HF_HUB_OFFLINE", "0").lower() in {"1", "true", "yes", "on"}:
        raise ServerStartError(
            f"`{model}` is not in the hub cache, and HF_HUB_OFFLINE forbids fetching it",
            hint=elsewhere,
        )
    import httpx

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    token = os.environ.get("HF_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        reply = httpx.get(
            f"{endpoint}/api/models/{model}", headers=headers, timeout=15, follow_redirects=True
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = without_passwords(str(error)) or type(error).__name__
        raise ServerStartError(
            f"`{model}` cannot be fetched: {without_passwords(endpoint)} does not answer "
            f"({reason})",
            hint=elsewhere,
        ) from None
    if reply.status_code in _NOT_THERE:
        raise NotFound(
            f"the hub shows no model `{model}`",
            hint=f"check the spelling; a private or gated one needs HF_TOKEN; {elsewhere}",
        )
    if reply.status_code >= HTTPStatus.BAD_REQUEST:
        raise ServerStartError(
            f"`{model}` cannot be fetched: the hub answers {reply.status_code}", hint=elsewhere
        )


def is_cached(model: str) -> bool:
    """Whether some revision of `model` lies in the local hub cache."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    snapshots = cache / f"models--{model.replace('/', '--')}" / "snapshots"
    return any(snapshots.glob("*/config.json"))
