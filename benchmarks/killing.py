"""`kill -9` at random points of a run: what is lost, and what is asked twice."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers import environment, ours

from llmops.testing import FaultyEndpoint

CONCURRENCY = 8
LATENCY = 0.02
SUITE = """version: 1
subject: {prompt: ask}
dataset: {path: cases.jsonl}
checks: [exact_match]
gate: {metrics: [{check: exact_match, mean: ">= 0.5"}]}
"""
PROMPT = """---
metadata: {version: 1.0.0}
inputs: [{name: question, kind: string}]
---
user:
{{ question }}
"""


def run(work: Path, *, cases: int, kills: int, seed: int = 1) -> dict[str, Any]:
    """Kill a run so many times, finish it, and lay the journal beside the endpoint's own record."""
    folder = work / "project"
    _plant(folder, cases)
    journal = folder / "run" / "journal.jsonl"
    chance = random.Random(seed)
    again = 0
    begun = time.monotonic()
    with _endpoint() as endpoint:
        env = environment() | {
            "LLMOPS_MODELS__LOCAL__API_BASE": endpoint.api_base,
            "LLMOPS_MODELS__LOCAL__MODEL": "hosted_vllm/fake",
        }
        done = 0
        while done < kills:
            safe = _finished(journal)
            asked = len(endpoint.chats)
            process = _start(folder, env, resume=journal.exists())
            share = (cases - len(safe)) // (kills - done)
            wanted = len(safe) + chance.randint(0, max(0, share - CONCURRENCY // 2))
            while process.poll() is None and len(_finished(journal)) < wanted:
                time.sleep(chance.random() * 0.01)
            if process.poll() is not None:  # it came to its end: one round more begins anew
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            done += 1
            again += sum(_case(body) in safe for body in endpoint.chats[asked:])
            assert safe <= _finished(journal), "a result that was safe is gone"
        safe, asked = _finished(journal), len(endpoint.chats)
        last = _start(folder, env, resume=True)
        code = last.wait()
        again += sum(_case(body) in safe for body in endpoint.chats[asked:])
        calls = len(endpoint.chats)
    report = json.loads((folder / "run" / "report.json").read_text())
    lines = Counter(
        json.loads(line)["case"] for line in journal.read_text().splitlines() if '"slot"' in line
    )
    return {
        "cases": cases,
        "kills": done,
        "exit_code": code,
        "results_in_report": len(report["results"]),
        "results_in_journal": sum(lines.values()),
        "results_twice": sum(count > 1 for count in lines.values()),
        "report_agrees": {each["case"] for each in report["results"]} == set(lines),
        "finished_and_asked_again": again,
        "calls": calls,
        "calls_lost_in_flight": calls - cases,
        "most_that_can_be_in_flight": done * CONCURRENCY,
        "seconds": round(time.monotonic() - begun, 1),
    }


def table(result: dict[str, Any]) -> list[str]:
    """The result as a table."""
    lines = ["| | |", "|---|--:|"]
    names = {
        "cases": "cases",
        "kills": "`kill -9` at random points",
        "results_in_report": "results in the report",
        "results_twice": "results that stand twice",
        "finished_and_asked_again": "finished results that were asked again",
        "calls_lost_in_flight": "calls lost in flight",
        "most_that_can_be_in_flight": "calls that were in flight at most",
    }
    lines += [f"| {said} | {result[name]:,} |" for name, said in names.items()]
    agrees = "agree" if result["report_agrees"] else "differ"
    return [*lines, "", f"Report and journal {agrees}; {result['seconds']} s."]


def _plant(folder: Path, cases: int) -> None:
    (folder / "evals").mkdir(parents=True)
    (folder / "prompts").mkdir()
    (folder / "prompts/ask.prompty").write_text(PROMPT)
    (folder / "evals/qa.yaml").write_text(SUITE)
    (folder / "llmops.toml").write_text(
        'version = 1\ndefault_model = "local"\n[models.local]\nmodel = "hosted_vllm/fake"\n'
        f"cache = false\nconcurrency = {CONCURRENCY}\n"
    )
    rows = [{"id": f"q{i}", "question": f"question {i}", "expected": "42"} for i in range(cases)]
    (folder / "evals/cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _start(folder: Path, env: dict[str, str], *, resume: bool) -> subprocess.Popen[bytes]:
    where = ["--resume", "run"] if resume else ["--output", "run"]
    return subprocess.Popen(
        [*ours(), "eval", "run", "qa", *where],
        cwd=folder,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _finished(journal: Path) -> set[str]:
    """The cases whose line is whole."""
    try:
        text = journal.read_bytes()
    except FileNotFoundError:
        return set()
    whole = text[: text.rfind(b"\n") + 1]
    return {json.loads(line)["case"] for line in whole.splitlines() if b'"slot"' in line}


def _case(body: dict[str, Any]) -> str:
    return "q" + str(body["messages"][-1]["content"]).removeprefix("question ")


@contextmanager
def _endpoint() -> Iterator[FaultyEndpoint]:
    """An endpoint in a thread, which keeps every request."""
    ready, stop = threading.Event(), threading.Event()
    found: list[FaultyEndpoint] = []

    async def serve() -> None:
        async with FaultyEndpoint("42", latency=LATENCY) as endpoint:
            found.append(endpoint)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield found[0]
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        sys.stdout.write("\n".join(table(run(Path(temporary), cases=1000, kills=100))))
