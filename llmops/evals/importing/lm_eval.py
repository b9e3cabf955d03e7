"""A task of lm-evaluation-harness as a suite (keys as of lm_eval 0.4.13).

The prompt is `doc_to_text`, asked as a user's message; what is expected,
`doc_to_target`, is worked out for each row now and stands in the dataset. A
multiple choice is taken over where its choices are the same for all rows: the
answer is constrained to one of them, where the harness compares their
log-likelihoods. The harness has no pass mark, so the gate asks that nothing is
lost against a base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, UsageError, Where
from llmops.evals.foreign.values import made_id
from llmops.evals.importing.lm_eval_metrics import read_filters, read_metrics
from llmops.evals.importing.lm_eval_rows import read_documents
from llmops.evals.importing.values import ImportedSuite, ImportedSuites
from llmops.prompts.exchange.languages.jinja import JinjaTemplate, read_jinja
from llmops.prompts.exchange.naming import slug
from llmops.prompts.exchange.values import Draft, Turn
from llmops.prompts.exchange.writer import write_prompt
from llmops.prompts.sandbox import environment

_KNOWN = frozenset(
    {
        *("task", "task_alias", "tag", "metadata", "dataset_path", "dataset_name"),
        *("dataset_kwargs", "training_split", "validation_split", "test_split", "fewshot_split"),
        *("output_type", "doc_to_text", "doc_to_target", "doc_to_choice", "description"),
        *("target_delimiter", "generation_kwargs", "metric_list", "filter_list", "num_fewshot"),
        *("repeats", "should_decontaminate", "doc_to_decontamination_query", "unsafe_code"),
    }
)
_IDS = ("id", "_id", "idx", "question_id", "doc_id")
_OUTPUTS = ("generate_until", "multiple_choice")
_SAMPLING = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k"}
_IGNORED = frozenset({"do_sample", "until", "max_gen_toks"})
_DROP = "<= 0.02"


def read_lm_eval_suite(
    parsed: Parsed, *, name: str, into: str | None, data: Path | None, leave_out: bool
) -> ImportedSuites:
    """The suite of a task.

    `data` is a JSONL file with the rows, for a task whose data is on a hub.
    Raises `DocumentError` for what cannot be taken over; with `leave_out`,
    metrics and filters that cannot are told and left out.
    """
    task = parsed.data
    _refuse_others(parsed)
    left_out: list[str] = []
    filters = read_filters(parsed, leave_out, left_out)
    template = _template(parsed, "doc_to_text", prefix=str(task.get("description") or ""))
    choices = _choices(parsed)
    documents = list(read_documents(parsed, data))
    inputs = tuple(template.kinds)
    rows = tuple(_row(parsed, each, inputs, choices, index) for index, each in documents)
    if not rows:
        raise DocumentError(
            "the data has no rows", where=Where(data) if data else parsed.where("dataset_kwargs")
        )
    _refuse_twins(rows, parsed)
    checks = read_metrics(parsed, choices, filters, leave_out, left_out)
    draft = Draft(
        names=(slug(str(task.get("task") or name)),),
        origin=f"the task `{task.get('task') or name}`",
        where=parsed.where("doc_to_text"),
        turns=(Turn("user", template.pieces),),
        inputs=tuple({"name": each, "kind": kind} for each, kind in template.kinds.items()),
    )
    suite = ImportedSuite(
        name=name,
        description=f"The task `{task.get('task') or name}` of lm-evaluation-harness",
        prompt=write_prompt(draft, _prompt_name(into, draft)),
        rows=rows,
        inputs=inputs,
        checks=tuple(checks),
        gate={"metrics": [{"check": checks[0]["name"], "drop": _DROP}]},
        sampling=_sampling(parsed, choices),
        expected=True,
    )
    return ImportedSuites(suites=(suite,), notes=tuple(_notes(choices)), left_out=tuple(left_out))


def _prompt_name(into: str | None, draft: Draft) -> str:
    if into is None:
        return draft.names[0]
    return f"{into}{draft.names[0]}" if into.endswith("/") else into


def _refuse_others(parsed: Parsed) -> None:
    task = parsed.data
    for key in task:
        if key not in _KNOWN:
            raise DocumentError(
                f"`{key}` cannot be taken over",
                hint="write what it stands for into the task or its data",
                where=parsed.where(key),
            )
    if task.get("num_fewshot"):
        raise DocumentError(
            "examples that the harness draws at run time cannot be taken over",
            hint="set `num_fewshot: 0`, or write the examples into `description`",
            where=parsed.where("num_fewshot"),
        )
    output = task.get("output_type", "generate_until")
    if output not in _OUTPUTS:
        raise DocumentError(
            f"`output_type: {output}` cannot be taken over",
            hint="known are " + " and ".join(f"`{each}`" for each in _OUTPUTS),
            where=parsed.where("output_type"),
        )


def _template(parsed: Parsed, key: str, prefix: str = "") -> JinjaTemplate:
    """A template of the task; the name of a column stands for that column."""
    text = parsed.data.get(key)
    if not isinstance(text, str) or not text:
        raise DocumentError(f"`{key}` is no template", where=parsed.where(key))
    if text.isidentifier():
        text = f"{{{{ {text} }}}}"
    return read_jinja(prefix + text, parsed.where(key))


def _choices(parsed: Parsed) -> tuple[str, ...] | None:
    """The choices, which must be the same for all rows; `None` for a task without."""
    if parsed.data.get("output_type") != "multiple_choice":
        return None
    found = parsed.data.get("doc_to_choice")
    if isinstance(found, list) and all(isinstance(each, str | int) for each in found):
        return tuple(str(each) for each in found)
    raise DocumentError(
        "choices that differ from row to row cannot be taken over",
        hint="list them in the prompt, and let the model answer with a letter",
        where=parsed.where("doc_to_choice"),
    )


def _row(
    parsed: Parsed,
    document: Mapping[str, Any],
    inputs: Sequence[str],
    choices: Sequence[str] | None,
    index: Where,
) -> dict[str, Any]:
    missing = [name for name in inputs if name not in document]
    if missing:
        raise DocumentError(f"has no `{missing[0]}`, which `doc_to_text` needs", where=index)
    key = next((name for name in _IDS if document.get(name) not in (None, "")), None)
    first = next((str(document[name]) for name in inputs), "")
    return {
        "id": str(document[key]) if key else made_id(first, dict(document)),
        **{name: document[name] for name in inputs},
        "expected": _target(parsed, document, choices, index),
    }


def _target(
    parsed: Parsed, document: Mapping[str, Any], choices: Sequence[str] | None, where: Where
) -> Any:
    written = parsed.data.get("doc_to_target")
    if isinstance(written, str) and written in document:
        found: Any = document[written]
    elif isinstance(written, str):
        found = _rendered(written, document, where)
    else:
        found = written
    if choices is None:
        return [str(each) for each in found] if isinstance(found, list) else str(found)
    if str(found) in choices:
        return str(found)
    if str(found).lstrip("-").isdigit() and 0 <= int(found) < len(choices):
        return choices[int(found)]
    raise DocumentError(f"the target `{found}` is none of the choices", where=where)


def _rendered(template: str, document: Mapping[str, Any], where: Where) -> str:
    try:
        return str(environment().from_string(template).render(**document))
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise DocumentError(f"`doc_to_target` cannot be rendered: {error}", where=where) from None


def _refuse_twins(rows: Sequence[Mapping[str, Any]], parsed: Parsed) -> None:
    seen: set[str] = set()
    for row in rows:
        if row["id"] in seen:
            raise DocumentError(
                f"two rows are the case `{row['id']}`",
                hint="give each row an `id` of its own",
                where=parsed.where("dataset_path"),
            )
        seen.add(row["id"])


def _sampling(parsed: Parsed, choices: Sequence[str] | None) -> dict[str, Any]:
    given = parsed.data.get("generation_kwargs") or {}
    if not isinstance(given, Mapping):
        raise DocumentError("is no mapping", where=parsed.where("generation_kwargs"))
    unknown = sorted(set(given) - set(_SAMPLING) - _IGNORED)
    if unknown:
        raise UsageError(
            f"`generation_kwargs.{unknown[0]}` cannot be taken over",
            where=parsed.where("generation_kwargs", unknown[0]),
        )
    sampling = {_SAMPLING[key]: value for key, value in given.items() if key in _SAMPLING}
    if not given.get("do_sample"):
        sampling["temperature"] = 0
    if "max_gen_toks" in given:
        sampling["max_tokens"] = given["max_gen_toks"]
    until = given.get("until")
    if not isinstance(until or [], str | list):
        where = parsed.where("generation_kwargs", "until")
        raise DocumentError("`until` should be a text or a list of texts", where=where)
    stops = [until] if isinstance(until, str) else [each for each in until or () if each]
    if stops and choices is None:
        sampling["stop"] = stops
    if choices is not None:
        sampling["extra"] = {"structured_outputs": {"choice": list(choices)}}
    return sampling


def _notes(choices: Sequence[str] | None) -> Iterator[str]:
    yield (
        "the text is sent as a user's message; the harness sends it bare unless it is given "
        "`--apply_chat_template`"
    )
    yield f"the harness has no pass mark: the gate asks for `drop: {_DROP}` against a base"
    if choices is not None:
        yield (
            "the answer is constrained to the choices, which vLLM can; the harness compares "
            "log-likelihoods, so its numbers are others"
        )
