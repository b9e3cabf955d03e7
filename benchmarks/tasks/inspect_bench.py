"""Inspect: a task with its own dataset reader, prompt solver, model client and `exact` scorer."""

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate, prompt_template


@task
def bench() -> Task:
    template = Path("template.txt").read_text().replace("{{question}}", "{prompt}")
    return Task(
        dataset=json_dataset(
            "cases.jsonl", FieldSpec(input="question", target="expected", id="id")
        ),
        solver=[prompt_template(template), generate(temperature=0)],
        scorer=exact(),
    )
