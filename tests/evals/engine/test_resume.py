"""What survives: kill -9, Ctrl-C, torn lines, two processes, another suite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, ExitCode, ServerFault, UsageError
from llmops.evals.journal import JOURNAL
from llmops.evals.report import load_report
from llmops.testing import ScriptedModel

CHILD = """
import asyncio, os, sys
from pathlib import Path

from llmops.core.errors import LlmopsError
from llmops.evals.runner import run_suite
from llmops.evals.suite import load_suite
from llmops.prompts import PromptRepository
from llmops.testing import ScriptedModel

root, stop_after = Path(sys.argv[1]), int(sys.argv[2])
how = sys.argv[3]
calls = os.open(root / "calls", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


class Model(ScriptedModel):
    async def chat(self, request, use_cache=True):
        for _ in range(len(self.requests) % 5):
            await asyncio.sleep(0)
        reply = await super().chat(request)
        os.write(calls, request.messages[-1].content.encode() + b"\\n")
        return reply


def progress(now):
    if now.done >= stop_after:
        if how == "wait":
            print("ready", flush=True)
            import time; time.sleep(60)
        os.kill(os.getpid(), getattr(__import__("signal"), how))


async def main():
    await run_suite(
        load_suite(root / "evals/qa.yaml", root=root),
        prompt=PromptRepository(root / "prompts").get("ask"),
        model=Model(lambda request: request.messages[-1].content.replace("question", "answer"),
                    name="scripted/same"),
        output=root / "run", command="llmops eval run qa", progress=progress,
        resume=(root / "run").exists(),
    )


async def identity(self):
    return "same"


Model.identity = identity
try:
    asyncio.run(main())
except LlmopsError as error:
    print(error, error.hint, sep="\\n")
    sys.exit(error.exit_code)
"""


def run_child(lab: Any, stop_after: int, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(lab.root), str(stop_after), how],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def journaled(lab: Any) -> list[str]:
    lines = (lab.output / JOURNAL).read_bytes().split(b"\n")[:-1]
    return [data["case"] for data in map(json.loads, lines) if data["type"] == "result"]


def test_kill_9_at_any_moment_loses_only_calls_in_flight(lab: Any) -> None:
    lab.cases(120)
    for stop_after in (1, 40, 77, 119):
        killed = run_child(lab, stop_after, "SIGKILL")
        assert killed.returncode == -signal.SIGKILL
        assert len(journaled(lab)) >= stop_after
    finished = run_child(lab, 10**9, "SIGKILL")
    assert finished.returncode == 0, finished.stderr

    calls = Counter((lab.root / "calls").read_text().splitlines())
    assert len(calls) == 120
    assert sum(calls.values()) - 120 <= 4 * 2 * 8, "repeated: at most what was in flight"
    assert Counter(journaled(lab)) == Counter(f"q{i}" for i in range(120)), "none twice"
    report = load_report(lab.output)
    assert report.summary.decision.exit_code is ExitCode.PASSED
    assert [result.case for result in report.results()] == [f"q{i}" for i in range(120)]


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_ctrl_c_and_sigterm_close_the_journal_and_say_how_to_go_on(lab: Any, how: str) -> None:
    lab.cases(400)
    stopped = run_child(lab, 5, how)
    assert stopped.returncode == 130, stopped.stderr
    safe = len(journaled(lab))
    assert f"stopped by {how}; {safe} of 400 results are safe in {lab.output}" in stopped.stdout
    assert f"go on with `llmops eval run qa --resume {lab.output}`" in stopped.stdout
    assert 5 <= safe < 400
    assert run_child(lab, 10**9, how).returncode == 0


def test_two_processes_cannot_write_one_run(lab: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(lab.root), "2", "wait"],
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "ready\n"
        second = run_child(lab, 10**9, "SIGKILL")
        first.kill()
    assert second.returncode == ExitCode.USAGE
    assert f"another process is writing the run in {lab.output}" in second.stdout


@pytest.mark.anyio
async def test_a_line_that_was_cut_anywhere_is_dropped_and_run_again(lab: Any) -> None:
    await lab.run()
    whole = (lab.output / JOURNAL).read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last, len(whole), 7):
        (lab.output / JOURNAL).write_bytes(whole[:end])
        with pytest.raises(UsageError, match="is not finished"):
            load_report(lab.output)
        model = same_model()
        report = await lab.run(model, resume=True)
        assert len(model.requests) == 1
        assert report.summary.checks[0].passed == 4


@pytest.mark.anyio
async def test_a_run_that_was_killed_within_its_first_line_begins_anew(lab: Any) -> None:
    await lab.run()
    whole = (lab.output / JOURNAL).read_bytes()
    for end in (0, 1, whole.index(b"\n")):
        (lab.output / JOURNAL).write_bytes(whole[:end])
        report = await lab.run(resume=True)
        assert report.summary.checks[0].passed == 4


@pytest.mark.anyio
@pytest.mark.parametrize("damage", [b"garbage\n", b'{"type": "result"}\n', b"[]\n", b"\xff\n"])
async def test_damage_within_the_journal_is_named_with_its_line(lab: Any, damage: bytes) -> None:
    await lab.run()
    path = lab.output / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], damage, *lines[2:]]))
    with pytest.raises(DocumentError, match=r"journal\.jsonl:3: this line of the journal is"):
        load_report(lab.output)
    with pytest.raises(DocumentError, match="damaged"):
        await lab.run(resume=True)


def same_model(script: Any = None) -> ScriptedModel:
    return ScriptedModel(
        script or (lambda request: request.messages[-1].content.replace("question", "answer"))
    )


@pytest.mark.anyio
async def test_errors_are_repeated_and_everything_else_is_not(lab: Any) -> None:
    def flaky(request: Any) -> Any:
        asked = request.messages[-1].content
        return ServerFault("busy") if asked in ("question 1", "question 3") else "answer 0"

    first = await lab.run(same_model(flaky))
    assert first.summary.checks[0].errors == 2
    again = same_model()
    report = await lab.run(again, resume=True)
    assert [r.messages[-1].content for r in again.requests] == ["question 1", "question 3"]
    (check,) = report.summary.checks
    assert (check.passed, check.failed, check.errors) == (3, 1, 0)
    assert report.summary.calls == 4
    assert load_report(lab.output).summary == report.summary


@pytest.mark.anyio
async def test_a_finished_run_is_resumed_without_any_call(lab: Any) -> None:
    before = await lab.run()
    model = same_model()
    after = await lab.run(model, resume=True)
    assert not model.requests
    assert after.summary == before.summary


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda lab: lab.cases(5), "dataset"),
        (lambda lab: lab.suite_file(checks=["exact_match", "squad_exact_match"]), "checks"),
        (lambda lab: lab.suite_file(gate={"unjudged": 0.5}), "gate"),
        (lambda lab: lab.suite_file(sampling={"temperature": 0.5}), "sampling"),
        (lambda lab: lab.suite_file(repeat=2), "repeats"),
        (
            lambda lab: lab.write(
                "prompts/ask.prompty",
                (lab.root / "prompts/ask.prompty").read_text() + "Answer briefly.\n",
            ),
            "prompt",
        ),
    ],
)
async def test_a_run_made_from_something_else_is_not_resumed_and_says_what_differs(
    lab: Any, change: Any, named: str
) -> None:
    await lab.run()
    change(lab)
    with pytest.raises(UsageError, match="was made from something else") as caught:
        await lab.run(resume=True)
    differing = [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]]
    assert named in differing
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.anyio
async def test_another_model_or_selection_is_not_resumed(lab: Any) -> None:
    await lab.run()
    other = ScriptedModel("x", name="scripted/other")
    with pytest.raises(UsageError, match="model: scripted/model then, scripted/other now"):
        await lab.run(other, resume=True)
    with pytest.raises(UsageError, match="selection: all then, q1 now"):
        await lab.run(resume=True, select="q1")


@pytest.mark.anyio
async def test_another_description_is_no_hindrance(lab: Any) -> None:
    model = ScriptedModel(lambda asked: asked.messages[-1].content.replace("question", "answer"))
    await lab.run(model)
    lab.suite_file(description="told better", concurrency=2)
    report = await lab.run(model, resume=True)
    assert (report.summary.cases, report.summary.decision.outcome) == (4, "passed")
    assert len(model.requests) == 4  # those of the first part; nothing was asked again


@pytest.mark.anyio
async def test_a_folder_that_holds_a_run_is_not_written_over(lab: Any) -> None:
    await lab.run()
    with pytest.raises(UsageError, match="holds a run already") as caught:
        await lab.run()
    assert caught.value.hint is not None
    assert f"--resume {lab.output}" in caught.value.hint


@pytest.mark.anyio
async def test_a_folder_without_a_run_cannot_be_resumed(lab: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run that could be resumed"):
        await lab.run(resume=True)
    with pytest.raises(UsageError, match="holds no run"):
        load_report(tmp_path / "nothing")


@pytest.mark.anyio
async def test_a_folder_that_cannot_be_made_is_an_error(lab: Any) -> None:
    lab.write("file", "")
    with pytest.raises(UsageError, match="cannot be a folder: there is a file"):
        await lab.run(output=lab.root / "file" / "run")


@pytest.mark.anyio
async def test_a_full_disk_stops_the_run_and_keeps_the_journal_whole(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.cases(20)
    written = 0
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        nonlocal written
        if data.startswith(b'{"type":"result"'):
            written += 1
            if written > 6:
                return real(descriptor, data[:10])  # as a file system without room does
        return real(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(Exception, match="the disk is full") as caught:
            await lab.run(same_model())
    assert getattr(caught.value, "exit_code", None) is ExitCode.INCONCLUSIVE
    assert len(journaled(lab)) == 6
    report = await lab.run(same_model(), resume=True)
    assert report.summary.checks[0].passed == 20
