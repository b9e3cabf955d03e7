"""A case's parts by the names that Ragas has for them.

`user_input` is the question, `response` the answer, `reference` the expected
text, `retrieved_contexts` the contexts. A conversation and the calls of tools
in it are made from messages as chat APIs spell them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llmops.core.scoring import Sample
from llmops.scorers.references import references

_QUESTIONS = ("question", "query", "user_input", "input")
_CONVERSATIONS = ("conversation", "messages", "history")

Columns = Mapping[str, str | None]
"""The input variable or column of the dataset for a part; `None` where nobody named one."""


class Lacking(Exception):
    """A part that the case does not have; the message says which and what to do."""


def part(name: str, sample: Sample, columns: Columns) -> Any:
    """The part that Ragas calls `name`; raises `Lacking` if the case has none.

    Half a surrogate pair, which JSON lets into a dataset and Ragas' prompts
    do not take, becomes a question mark.
    """
    return _whole(_part(name, sample, columns))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return value


def _part(name: str, sample: Sample, columns: Columns) -> Any:
    match name:
        case "user_input":
            return _question(sample, columns.get("question"))
        case "response":
            return sample.output
        case "reference":
            return _reference(sample.expected)
        case "retrieved_contexts":
            return _some(list(sample.contexts), "contexts")
        case "reference_contexts":
            column = columns.get("reference_contexts")
            found = _column(sample, column) if column else list(sample.contexts)
            return _some([found] if isinstance(found, str) else list(found), "contexts")
        case "conversation":
            return _conversation(sample, columns.get("conversation"))
        case "rubrics":
            return _rubrics(_column(sample, columns.get("rubrics") or "rubrics"))
        case "reference_topics":
            column = columns.get("topics")
            found = _column(sample, column) if column else references(sample.expected)
            return _some(list(references(found)), "topics")
        case "reference_tool_calls":
            calls = _tool_calls(sample.expected)
            if calls is None:
                raise Lacking("the expected value is no list of `{name, args}`")
            return calls
    raise AssertionError(f"nobody knows {name}")  # pragma: no cover


def _some(found: list[Any], what: str) -> list[Any]:
    if not any(str(each).strip() for each in found):
        raise Lacking(f"the case has no {what}")
    return found


def _reference(expected: Any) -> str:
    texts = [text for text in references(expected) if text.strip()]
    if not texts:
        raise Lacking("the expected value holds no text to compare with")
    return texts[0]


def _column(sample: Sample, name: str) -> Any:
    for holder in (sample.input, sample.metadata):
        if holder.get(name) is not None:
            return holder[name]
    raise Lacking(f"the case has neither an input nor metadata named `{name}`")


def _question(sample: Sample, column: str | None) -> str:
    if column is not None:
        return str(_column(sample, column))
    named = [name for name in _QUESTIONS if isinstance(sample.input.get(name), str)]
    texts = named or [name for name, value in sample.input.items() if isinstance(value, str)]
    if len(texts) != 1 and not named:
        known = ", ".join(f"`{name}`" for name in sample.input) or "none"
        raise Lacking(f"which input is the question? Set the option `question` (inputs: {known})")
    question = str(sample.input[texts[0]])
    if not question.strip():
        raise Lacking(f"the input `{texts[0]}` is empty")
    return question


def _conversation(sample: Sample, column: str | None) -> list[Any]:
    """The messages of the case, and the answer as the last of them."""
    name = column or next((each for each in _CONVERSATIONS if each in sample.input), None)
    if name is None:
        messages: Any = [{"role": "user", "content": _question(sample, None)}]
    else:
        messages = _column(sample, name)
    if isinstance(messages, str) or not isinstance(messages, Sequence):
        raise Lacking(f"`{name}` is no list of messages")
    calls = _tool_calls(sample.output)
    answer = {"role": "assistant", "content": "" if calls is not None else sample.output}
    turns = [_message(each) for each in (*messages, answer)]
    if calls is not None:
        turns[-1].tool_calls = calls
    return turns


def _message(message: Any) -> Any:
    from ragas.messages import AIMessage, HumanMessage, ToolMessage

    if not isinstance(message, Mapping) or "role" not in message:
        raise Lacking("a message of the conversation is no `{role, content}`")
    content = str(message.get("content") or "")
    match message["role"]:
        case "assistant":
            calls = _tool_calls(message["tool_calls"]) if message.get("tool_calls") else None
            return AIMessage(content=content, tool_calls=calls)
        case "tool":
            return ToolMessage(content=content)
        case _:
            return HumanMessage(content=content)


def _tool_calls(value: Any) -> list[Any] | None:
    """The calls in a list of `{name, args}`, in OpenAI's spelling, or in a JSON text of either."""
    from ragas.messages import ToolCall

    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, Mapping):
        value = value.get("tool_calls", [value])
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    found = [_tool_call(each) for each in value]
    if None in found:
        return None
    return [ToolCall(name=name, args=args) for name, args in filter(None, found)]


def _tool_call(call: Any) -> tuple[str, dict[str, Any]] | None:
    if not isinstance(call, Mapping):
        return None
    call = call.get("function", call)
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        return None
    args = call.get("args", call.get("arguments", {}))
    if isinstance(args, str):
        try:
            args = json.loads(args)
        except (ValueError, RecursionError):
            return None
    return (call["name"], dict(args)) if isinstance(args, Mapping) else None


def _rubrics(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise Lacking("the case's rubrics are no mapping of `score1_description`, …")
    return {str(key): str(text) for key, text in value.items()}
