"""Keeping vLLM busy: tokens/s of `llmops eval run` over those of vLLM's own `bench serve`."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import measure, median
from peers import HERE, environment, ours

CONCURRENCY = 8
TOKENS = 32

PROJECT = {
    "llmops.toml": """version = 1
default_model = "served"

[models.served]
model = "hosted_vllm/{model}"
api_base = "{api_base}"
concurrency = 8
""",
    "prompts/busy.prompty": """---
description: A text as it is.
metadata:
  version: 1.0.0
inputs:
  - name: prompt
    kind: string
---
user:
{{{{prompt}}}}
""",
    "evals/busy.yaml": """version: 1
description: Answers of a fixed length.
subject: {{prompt: busy}}
dataset:
  path: ../cases.jsonl
  inputs: {{prompt: prompt}}
checks:
  - {{scorer: length, options: {{unit: characters}}, pass: ">= 1"}}
sampling: {{temperature: 0, max_tokens: {tokens}, extra: {{ignore_eos: true}}}}
concurrency: 8
""",
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """The vLLM server that both sides call, and the Python that has vLLM's own benchmark."""

    api_base: str
    model: str
    python: Path | None

    def weights(self) -> str:
        """The folder or hub name of what it serves, where the tokenizer is found."""
        with urllib.request.urlopen(f"{self.api_base}/models", timeout=30) as response:
            served = json.load(response)["data"]
        return next(str(each["root"]) for each in served if each["id"] == self.model)


@contextlib.contextmanager
def own_server() -> Iterator[Server]:
    """A server of our own on a free port, which nobody else calls; stopped in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    serve = [*ours(), "serve", "--port", port]
    try:
        subprocess.run([*serve, "--detach"], stdout=sys.stderr, check=True)
        told = subprocess.run([*serve, "--status", "--json"], stdout=subprocess.PIPE, check=True)
        (state,) = json.loads(told.stdout)
        yield Server(
            api_base=f"http://127.0.0.1:{port}/v1",
            model=state["name"],
            python=Path(state["python"]),
        )
    finally:
        subprocess.run([*serve, "--stop"], check=True)


def run(
    work: Path, *, repeats: int, requests: int, server: Server, only: Sequence[str] = ()
) -> dict[str, Any]:
    """Both sides in turn on the same requests, the first in each round changing.

    A first round is thrown away: after it the server's prefix cache holds every
    prompt, so that the answers come as fast as they can and the harness has
    the least to hide behind.
    """
    prepare(work, requests, server)
    sides = {name: side for name, side in SIDES.items() if not only or name in only}
    if server.python is None:
        sides.pop("vllm bench serve", None)
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for number in range(repeats + 1):
        names = list(sides) if number % 2 else [*reversed(sides)]
        for name in names:
            rate = sides[name](work, requests, server)
            print(f"  {name}: {rate}", file=sys.stderr)
            if number:
                rates[name].append(rate)
    return {
        "repeats": repeats,
        "requests": requests,
        "tokens_per_request": TOKENS,
        "concurrency": CONCURRENCY,
        "tokens_per_s": {
            name: median(each["tokens_per_s"] for each in found) for name, found in rates.items()
        },
        "ratios": ratios(rates),
        "runs": rates,
    }


def ratios(rates: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Ours over vLLM's own, round by round, with and without the start of our process."""
    pairs = list(zip(rates.get("llmops", ()), rates.get("vllm bench serve", ()), strict=False))
    return {
        key: median(own[key] / its["tokens_per_s"] for own, its in pairs)
        for key in ("tokens_per_s", "tokens_per_s_with_start")
        if pairs
    }


def prepare(work: Path, requests: int, server: Server) -> None:
    """Our project and vLLM's dataset, with the same prompts."""
    shutil.rmtree(work, ignore_errors=True)
    values = {"model": server.model, "api_base": server.api_base, "tokens": TOKENS}
    for name, text in PROJECT.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**values))
    facts = "The harbour of the town was built in 1712 and rebuilt twice after storms. " * 12
    prompts = [f"Note {number}. {facts}\nWrite about note {number}." for number in range(requests)]
    (work / "cases.jsonl").write_text(
        "".join(
            json.dumps({"id": f"case-{number:04}", "prompt": prompt, "output_tokens": TOKENS})
            + "\n"
            for number, prompt in enumerate(prompts)
        )
    )


def evaluated(work: Path, requests: int, server: Server) -> dict[str, float]:  # noqa: ARG001
    """One `llmops eval run`; tokens/s of the run, and of the whole process with its start."""
    report = work / "report.json"
    command = [*ours(), "eval", "run", "busy", "--no-cache", "--json", str(report)]
    cost = measure(command, env=environment(), cwd=work, log=work / "llmops.log")
    summary = json.loads(report.read_text())["summary"]
    tokens = summary["usage"]["output_tokens"]
    if tokens != requests * TOKENS:
        raise SystemExit(f"llmops got {tokens} tokens instead of {requests * TOKENS}")
    return {
        "tokens_per_s": tokens / summary["seconds"],
        "tokens_per_s_with_start": tokens / cost.wall,
        "cpu_s": cost.cpu,
    }


def benched(work: Path, requests: int, server: Server) -> dict[str, float]:
    """One `vllm bench serve`, which times itself without its start."""
    origin = server.api_base.removesuffix("/v1")
    command = [
        *(str(server.python), str(HERE / "tasks" / "vllm_bench.py")),
        *("--backend", "openai-chat", "--base-url", origin, "--endpoint", "/v1/chat/completions"),
        *("--model", server.model, "--tokenizer", server.weights(), "--skip-chat-template"),
        *("--dataset-name", "custom", "--dataset-path", str(work / "cases.jsonl")),
        *("--custom-output-len", str(TOKENS), "--num-prompts", str(requests)),
        *("--disable-shuffle", "--ignore-eos", "--temperature", "0"),
        *("--max-concurrency", str(CONCURRENCY), "--disable-tqdm"),
        *("--save-result", "--result-dir", str(work), "--result-filename", "vllm.json"),
    ]
    cost = measure(command, env=environment(), cwd=work, log=work / "vllm.log")
    found = json.loads((work / "vllm.json").read_text())
    if found["completed"] != requests or found["total_output_tokens"] != requests * TOKENS:
        raise SystemExit(f"vLLM's benchmark did not do its work: see {work / 'vllm.log'}")
    return {
        "tokens_per_s": found["total_output_tokens"] / found["duration"],
        "tokens_per_s_with_start": found["total_output_tokens"] / cost.wall,
        "cpu_s": cost.cpu,
    }


def table(result: dict[str, Any]) -> list[str]:
    told = (
        f"{result['requests']} requests of {result['tokens_per_request']} tokens "
        f"at concurrency {result['concurrency']}, {result['repeats']} alternated repeats."
    )
    lines = [told, "", "| | tokens/s |", "|---|--:|"]
    for name, rate in result["tokens_per_s"].items():
        lines.append(f"| `{name}` | {rate:.0f} |")
    if result["ratios"]:
        run, process = result["ratios"].values()
        lines.append(f"| ratio | {run:.3f} |")
        lines.append(f"| ratio, with the start of our process | {process:.3f} |")
    return lines


SIDES: dict[str, Callable[[Path, int, Server], dict[str, float]]] = {
    "llmops": evaluated,
    "vllm bench serve": benched,
}
