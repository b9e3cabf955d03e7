"""Ragas' metrics on a served model: answers that were no use, cases unscored, seconds."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmops.core.chat import ChatReply, ChatRequest, Message, Sampling, Usage
from llmops.core.errors import BadResponse, ContextTooLong, ProviderError
from llmops.core.scoring import Sample
from llmops.project.config import ProjectConfig
from llmops.project.project import Project
from llmops.scorers import build
from llmops.scorers.ragas import package
from llmops.scorers.ragas.catalogue import METRICS

ROOT = Path(__file__).parents[1]
AT_ONCE = 3
STOCK = {"faithfulness": "Faithfulness", "context_recall": "ContextRecall"}
RUBRICS = {f"score{n}_description": text for n, text in enumerate(("wrong", "partly", "right"), 1)}
TOPICS = ["history", "science", "geography", "sport"]


class Watched:
    """The project's model, with what came of each call; nothing is answered from a cache."""

    def __init__(self, model: Any):
        self._model = model
        self.counts: Counter[str] = Counter()
        self.usage = Usage()

    @property
    def name(self) -> str:
        return str(self._model.name)

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.counts["calls"] += 1
        try:
            reply: ChatReply = await self._model.chat(request, use_cache=False)
        except BadResponse:
            self.counts["answers not as asked for"] += 1
            raise
        except ContextTooLong:
            self.counts["prompts too long"] += 1
            raise
        self.usage += reply.usage
        return reply


class Handed:
    """Stands for a project's services, with the watched model only."""

    def __init__(self, model: Watched):
        self._model = model

    def chat_model(self, name: str | None = None) -> Any:  # noqa: ARG002
        return self._model

    def prompt(self, ref: str) -> Any:
        raise NotImplementedError(ref)


def run(*, api_base: str, model: str, cases: int, stock: int) -> dict[str, Any]:
    """All metrics that ask a model on `cases` cases, and Ragas itself on the first `stock`."""
    return asyncio.run(_run(api_base, model, cases, stock))


async def _run(api_base: str, model: str, cases: int, stock: int) -> dict[str, Any]:
    config = ProjectConfig.model_validate(
        {
            "version": 1,
            "default_model": "served",
            "models": {
                "served": {
                    "model": f"hosted_vllm/{model}",
                    "api_base": api_base,
                    "concurrency": AT_ONCE,
                    "timeout": 600,
                }
            },
        }
    )
    managed = Project(root=ROOT, config=config).services(use_cache=False).chat_model()
    watched = Watched(managed)
    try:
        samples = await _samples(managed, cases)
        metrics = {}
        for name in (each for each, metric in METRICS.items() if metric.asks_model):
            metrics[name] = await _ours(name, watched, samples)
            print(name, json.dumps(metrics[name]), flush=True)
        result: dict[str, Any] = {
            "model": model,
            "cases": cases,
            "ragas": package.version(),
            "calls": watched.counts["calls"],
            "answers_not_as_asked_for": watched.counts["answers not as asked for"],
            "prompts_too_long": watched.counts["prompts too long"],
            "output_tokens": watched.usage.output_tokens,
            "metrics": metrics,
        }
        if stock:
            result["stock"] = {
                name: await _stock(kind, api_base, model, samples[:stock])
                for name, kind in STOCK.items()
            }
            result["ours_on_the_same"] = {
                name: sum(metrics[name]["values"][n] is not None for n in range(stock))
                for name in STOCK
            }
        return result
    finally:
        await managed.aclose()


async def _samples(model: Any, cases: int) -> list[Sample]:
    """Questions on passages, with the answer of the served model and the passage in two parts."""
    rows = [json.loads(line) for line in (ROOT / "evals/data/xquad_en.jsonl").open()][:cases]
    found = []
    for row in rows:
        asked = f"{row['passage']}\n\n{row['question']} Answer in one or two sentences."
        request = ChatRequest(
            messages=(Message(role="user", content=asked),), sampling=Sampling(max_tokens=64)
        )
        reply = await model.chat(request, use_cache=False)
        sentences = row["passage"].split(". ")
        middle = (len(sentences) + 1) // 2
        parts = [". ".join(sentences[:middle]), ". ".join(sentences[middle:])]
        found.append(
            Sample(
                output=reply.text.strip() or "I do not know.",
                input={"question": row["question"], "rubrics": RUBRICS},
                expected=row["answers"],
                contexts=tuple(part for part in parts if part),
            )
        )
    return found


async def _ours(name: str, watched: Watched, samples: Sequence[Sample]) -> dict[str, Any]:
    options = {"topics": "topics"} if name == "topic_adherence" else {}
    scorer: Any = build(f"ragas.{name}", options, base=ROOT, services=Handed(watched))
    turn = asyncio.Semaphore(AT_ONCE)
    before, begun = Counter(watched.counts), time.perf_counter()

    async def one(sample: Sample) -> Any:
        if name == "topic_adherence":
            sample = Sample(output=sample.output, input={**sample.input, "topics": TOPICS})
        async with turn:
            try:
                return await scorer.score(sample)
            except ProviderError as error:
                return error

    scores = await asyncio.gather(*(one(sample) for sample in samples))
    counts = watched.counts - before
    values = [getattr(score, "value", None) for score in scores]
    return {
        "calls": counts["calls"],
        "answers_not_as_asked_for": counts["answers not as asked for"],
        "prompts_too_long": counts["prompts too long"],
        "scored": sum(value is not None for value in values),
        "errors": sum(isinstance(score, ProviderError) for score in scores),
        "why_unscored": dict(
            Counter(
                score.rationale[:90]
                for score in scores
                if not isinstance(score, ProviderError) and score.value is None
            )
        ),
        "seconds": round(time.perf_counter() - begun, 1),
        "values": values,
    }


async def _stock(kind: str, api_base: str, model: str, samples: Sequence[Sample]) -> dict[str, Any]:
    """Ragas itself, as its documentation says to use it with an OpenAI-compatible server."""
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    collections = package.collections()
    from openai import AsyncOpenAI
    from ragas.llms import llm_factory

    client = AsyncOpenAI(base_url=api_base, api_key="none", timeout=600)
    metric = getattr(collections, kind)(llm=llm_factory(model, client=client))
    scored, why, begun = 0, Counter[str](), time.perf_counter()
    for sample in samples:
        given = {
            "user_input": sample.input["question"],
            "retrieved_contexts": list(sample.contexts),
            **(
                {"response": sample.output}
                if kind == "Faithfulness"
                else {"reference": sample.expected[0]}
            ),
        }
        try:
            value = float((await metric.ascore(**given)).value)
        except Exception as error:
            why[type(error).__name__] += 1
            continue
        scored += value == value
        why["NaN"] += value != value
    await client.close()
    return {
        "cases": len(samples),
        "scored": scored,
        "why_unscored": dict(+why),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def table(result: dict[str, Any]) -> list[str]:
    summary = (
        f"Ragas {result['ragas']} on `{result['model']}`, {result['cases']} cases: "
        f"{result['calls']:,} calls, {result['answers_not_as_asked_for']} answers that were not "
        f"as asked for, {result['prompts_too_long']} prompts too long."
    )
    lines = [
        summary,
        "",
        "| metric | calls | not as asked for | scored | unscored | s |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, row in result["metrics"].items():
        lines.append(
            f"| `ragas.{name}` | {row['calls']} | {row['answers_not_as_asked_for']} | "
            f"{row['scored']} | {len(row['values']) - row['scored']} | {row['seconds']:g} |"
        )
    for name, row in result.get("stock", {}).items():
        ours = result["ours_on_the_same"][name]
        why = ", ".join(f"{why} {count}" for why, count in row["why_unscored"].items())
        lines += ["", f"`{name}` on the first {row['cases']}: {ours} scored here, "]
        lines[-1] += f"{row['scored']} by Ragas with its own client ({why or 'none failed'})."
    return lines
