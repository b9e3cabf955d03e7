"""DeepEval under `deepeval test run`: one pytest test a case, each calling the app itself."""

import json
import os
from pathlib import Path

import httpx
import pytest
from deepeval import assert_test
from deepeval.metrics import ExactMatchMetric
from deepeval.test_case import LLMTestCase

template = Path("template.txt").read_text()
rows = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
client = httpx.Client(base_url=os.environ["BENCH_API_BASE"], timeout=60)


@pytest.mark.parametrize("row", rows, ids=lambda row: row["id"])
def test_answer(row: dict[str, str]) -> None:
    prompt = template.replace("{{question}}", row["question"])
    body = {"model": "bench", "messages": [{"role": "user", "content": prompt}], "temperature": 0}
    response = client.post("/chat/completions", json=body)
    output = response.json()["choices"][0]["message"]["content"]
    case = LLMTestCase(
        name=row["id"],
        input=row["question"],
        actual_output=output,
        expected_output=row["expected"],
    )
    assert_test(case, [ExactMatchMetric()], run_async=False)
