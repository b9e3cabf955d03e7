"""pydantic-evals: a dataset, its task and `EqualsExpected`, as its guide has them.

It has no client of its own; the lean one, httpx, is the best that a user could take.
"""

import json
import os
from pathlib import Path

import httpx
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EqualsExpected

client = httpx.AsyncClient(
    base_url=os.environ["BENCH_API_BASE"], limits=httpx.Limits(max_connections=8), timeout=60
)
template = Path("template.txt").read_text()


async def answer(question: str) -> str:
    prompt = template.replace("{{question}}", question)
    body = {"model": "bench", "messages": [{"role": "user", "content": prompt}], "temperature": 0}
    response = await client.post("/chat/completions", json=body)
    response.raise_for_status()
    return response.json()["choices"][0]["message"]["content"]


rows = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
dataset = Dataset(
    name="bench",
    cases=[
        Case(name=row["id"], inputs=row["question"], expected_output=row["expected"])
        for row in rows
    ],
    evaluators=[EqualsExpected()],
)
report = dataset.evaluate_sync(answer, max_concurrency=8)
report.print()
assert not report.failures
assert len(report.cases) == len(rows)
