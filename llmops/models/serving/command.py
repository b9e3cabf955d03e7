"""The command line and the environment of a vLLM server."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmops.core.errors import UsageError
from llmops.models.serving.environment import Runtime
from llmops.models.serving.processes import clean_environment
from llmops.models.serving.state import HOST

MAX_MODEL_LEN = 2048
MAX_NUM_SEQS = 8
"""Defaults on a CPU, where memory and cores are few; on a GPU vLLM decides."""

FEW_CORES = 8
"""Up to so many cores, all of vLLM's engine runs in one process.

vLLM keeps one core for itself and binds a worker process to the others. Of two
cores that leaves one to compute: sharing both made the same 48 requests take
16 s in place of 27 s, and the start 20 s in place of 37 s.
"""

_OURS = {
    "--host": "the server listens on 127.0.0.1 only",
    "--port": "give --port to llmops",
    "--model": "give --model to llmops",
    "--served-model-name": "give --name to llmops",
    "--api-key": "set VLLM_API_KEY, so that the key shows in no process list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a server shall be like."""

    name: str
    port: int
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    extra: tuple[str, ...] = ()
    """Further arguments for vLLM; they win over ours."""


def arguments(runtime: Runtime, source: str, wanted: Wanted) -> list[str]:
    """The words that start the server."""
    if runtime.server_module:
        words = ["-m", "vllm.entrypoints.openai.api_server", "--model", source]
    else:
        words = ["-m", "vllm.entrypoints.cli.main", "serve", source]
    words += ["--served-model-name", wanted.name, "--host", HOST, "--port", str(wanted.port)]
    # Replies carry the server's own timings and what its prefix cache spared,
    # and sampling is what the request says, not the model's own default.
    words += ["--enable-per-request-metrics", "--enable-prompt-tokens-details"]
    words += ["--generation-config", "vllm"]
    length, sequences = wanted.max_model_len, wanted.max_num_seqs
    if runtime.cpu:
        # Compiling takes minutes on a CPU.
        words += ["--dtype", "bfloat16", "--enforce-eager"]
        length = length or min(MAX_MODEL_LEN, context_of(source) or MAX_MODEL_LEN)
        sequences = sequences or MAX_NUM_SEQS
        if _one_process(wanted.extra):
            words += ["--distributed-executor-backend", "uni"]
    if length:
        words += ["--max-model-len", str(length)]
    if sequences:
        words += ["--max-num-seqs", str(sequences)]
    return [str(runtime.python), *words, *wanted.extra]


def environment(runtime: Runtime, source: str, extra: Sequence[str] = ()) -> dict[str, str]:
    """The server's environment; what the user has set for vLLM stays."""
    settings: dict[str, str] = {}
    if runtime.cpu:
        settings["VLLM_CPU_KVCACHE_SPACE"] = "1"
        if _one_process(extra):
            settings["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
            settings["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
            settings["OMP_NUM_THREADS"] = str(cores())
            # By default a thread that waits for another spins. With anything
            # else at work on the cores, such as the program that asks, that
            # made 48 requests cost 116 CPU-seconds in place of 30.
            settings["OMP_WAIT_POLICY"] = "PASSIVE"
    forced = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if Path(source).is_absolute():
        forced["HF_HUB_OFFLINE"] = "1"
    return {**settings, **clean_environment(), **forced}


def check_extra(extra: Sequence[str]) -> None:
    """Refuse arguments for vLLM that would work against ours; `UsageError`."""
    for word in extra:
        flag = word.partition("=")[0].replace("_", "-")
        if flag in _OURS:
            raise UsageError(f"`{flag}` cannot be handed on to vLLM", hint=_OURS[flag])


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def context_of(source: str) -> int | None:
    """The longest context of a model in a folder, in tokens, if its configuration says."""
    try:
        config: Mapping[str, object] = json.loads((Path(source) / "config.json").read_bytes())
        length = config["max_position_embeddings"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return length if isinstance(length, int) else None


def _one_process(extra: Sequence[str]) -> bool:
    """Whether one process shall hold the engine: few cores, and the user arranged nothing else."""
    arranged = "parallel-size" in " ".join(extra).replace("_", "-") or any(
        word.startswith("--distributed-executor-backend") for word in extra
    )
    by_environment = {"VLLM_CPU_OMP_THREADS_BIND", "OMP_NUM_THREADS"} & set(os.environ)
    return cores() <= FEW_CORES and not arranged and not by_environment
