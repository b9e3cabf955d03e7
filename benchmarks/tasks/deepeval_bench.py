"""DeepEval: the app's answers are gathered at concurrency 8, then `evaluate` scores them.

It has no client for the app under test; the lean one, httpx, is the best that a
user could take.
"""

import asyncio
import json
import os
from pathlib import Path

import httpx
from deepeval import evaluate
from deepeval.evaluate.configs import AsyncConfig
from deepeval.metrics import ExactMatchMetric
from deepeval.test_case import LLMTestCase

template = Path("template.txt").read_text()


async def answers(questions: list[str]) -> list[str]:
    places = asyncio.Semaphore(8)
    async with httpx.AsyncClient(
        base_url=os.environ["BENCH_API_BASE"], limits=httpx.Limits(max_connections=8), timeout=60
    ) as client:

        async def answer(question: str) -> str:
            prompt = template.replace("{{question}}", question)
            message = {"role": "user", "content": prompt}
            body = {"model": "bench", "messages": [message], "temperature": 0}
            async with places:
                response = await client.post("/chat/completions", json=body)
            response.raise_for_status()
            return response.json()["choices"][0]["message"]["content"]

        return await asyncio.gather(*map(answer, questions))


rows = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
outputs = asyncio.run(answers([row["question"] for row in rows]))
result = evaluate(
    test_cases=[
        LLMTestCase(
            name=row["id"],
            input=row["question"],
            actual_output=output,
            expected_output=row["expected"],
        )
        for row, output in zip(rows, outputs, strict=True)
    ],
    metrics=[ExactMatchMetric()],
    async_config=AsyncConfig(max_concurrent=8),
)
assert len(result.test_results) == len(rows)
assert all(each.success for each in result.test_results)
