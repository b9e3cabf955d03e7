"""The real thing: vLLM in its own environment, with the built-in model."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import httpx
import psutil
import pytest

from llmops.models.serving import BUILTIN, find


class Served(Protocol):
    @property
    def api_base(self) -> str: ...

    @property
    def model(self) -> str: ...


def ask(api_base: str, **fields: object) -> httpx.Response:
    body = {
        "model": "smollm2-135m",
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "temperature": 0,
        "seed": 0,
        "max_tokens": 16,
        **fields,
    }
    return httpx.post(f"{api_base}/chat/completions", json=body, timeout=120)


@pytest.mark.vllm
def test_the_built_in_model_answers_and_reports_what_we_turned_on(vllm_server: Served) -> None:
    assert vllm_server.model in BUILTIN
    reply = ask(vllm_server.api_base).json()
    assert "Paris" in reply["choices"][0]["message"]["content"]
    assert reply["metrics"]["time_to_first_token_ms"] > 0
    assert "cached_tokens" in (reply["usage"]["prompt_tokens_details"] or {"cached_tokens": 0})


@pytest.mark.vllm
def test_a_choice_binds(vllm_server: Served) -> None:
    reply = ask(vllm_server.api_base, structured_outputs={"choice": ["amber", "violet"]}).json()
    assert reply["choices"][0]["message"]["content"] in {"amber", "violet"}


@pytest.mark.vllm
def test_a_detached_server_is_warm_is_shown_and_leaves_no_process_behind(
    vllm_server: Served,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = llmops("serve", "--detach", "--port", port, "--max-num-seqs", "1")
    try:
        assert started.returncode == 0, started.stderr
        (server,) = json.loads(llmops("serve", "--status", "--json", "--port", port).stdout)
        assert server["condition"] == "running"
        assert set(server["features"]) >= {"chat", "structured json", "logprobs"}
        assert Path(server["log"]).exists()
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        listens_on = {
            each.laddr.ip
            for each in psutil.net_connections("tcp")
            if each.laddr and each.laddr.port == int(port) and each.status == psutil.CONN_LISTEN
        }
        assert listens_on == {"127.0.0.1"}
        assert "Paris" in ask(server["api_base"]).json()["choices"][0]["message"]["content"]
        found = find(int(port))
        assert found is not None
        assert len(found.state.tree.members()) >= 2
    finally:
        stopped = llmops("serve", "--stop", "--port", port)
    assert stopped.returncode == 0
    assert found.state.tree.members() == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health")


def llmops(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "llmops", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
