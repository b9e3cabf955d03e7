"""promptfoo's assertions as checks with our scorers, one for one.

The rules are those of promptfoo 0.123.1: texts are compared as they are, case
is ignored where the name begins with `i`, `not-` turns an assertion round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llmops.evals.importing.values import Assertion

_NEGATION = "not-"
_MANY = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})
_IGNORED_KEYS = frozenset({"type", "value", "metric", "weight", "threshold", "assert", "config"})
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_ONLY_JS = re.compile(r"\[\^?\]|\\c[A-Za-z]|\(\?<[=!]?$|\\u\{")


class Inexpressible(Exception):
    """An assertion that no scorer here makes in the same way; says why."""


def read_assertion(data: Any, variables: Mapping[str, Any]) -> Iterator[Assertion]:
    """The checks that one assertion of a test becomes; `Inexpressible` if it cannot."""
    if not isinstance(data, Mapping) or not isinstance(data.get("type"), str):
        raise Inexpressible("it has no `type`")
    kind = str(data["type"])
    others = sorted(str(key) for key in set(data) - _IGNORED_KEYS)
    if others:
        raise Inexpressible(f"`{others[0]}` is not known here")
    if kind == "assert-set":
        yield from _set(data, variables)
        return
    if data.get("config"):
        raise Inexpressible("`config` is not known here")
    negated = kind.startswith(_NEGATION)
    plain = kind.removeprefix(_NEGATION)
    value = filled_in(data.get("value"), variables)
    made = _plain(plain, value, data.get("threshold"))
    name = data.get("metric")
    weight = data.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise Inexpressible("its `weight` is no number")
    if weight <= 0:
        raise Inexpressible("a `weight` of 0 never fails")
    if negated and len(made) > 1:
        raise Inexpressible("its negation is not known here")
    for each in made:
        yield Assertion(
            scorer=each.scorer,
            options=each.options,
            rule=_turned(each.rule) if negated else each.rule,
            weight=float(weight),
            name=str(name) if name else None,
        )


def filled_in(value: Any, variables: Mapping[str, Any]) -> Any:
    """`value` with `{{ variable }}` replaced; `Inexpressible` for any other template."""
    if isinstance(value, list):
        return [filled_in(each, variables) for each in value]
    if isinstance(value, Mapping):
        return {key: filled_in(each, variables) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    if value.startswith("file://"):
        raise Inexpressible(f"its value is in a file, `{value}`")
    filled = _VARIABLE.sub(lambda found: _printed(found[1], variables), value)
    if re.search(r"\{\{|\{%|\{#", _VARIABLE.sub("", value)):
        raise Inexpressible(f"its value is a template, `{value}`")
    return filled


def _printed(name: str, variables: Mapping[str, Any]) -> str:
    if name not in variables:
        raise Inexpressible(f"its value needs `{name}`, and the test has no such variable")
    value = variables[name]
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise Inexpressible(f"its value needs `{name}`, which is no text")
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _set(data: Mapping[str, Any], variables: Mapping[str, Any]) -> Iterator[Assertion]:
    if data.get("threshold") is not None or data.get("weight", 1) != 1 or data.get("config"):
        raise Inexpressible("a set of assertions with a threshold or a weight")
    asserted = data.get("assert") or ()
    if not isinstance(asserted, Sequence) or isinstance(asserted, str):
        raise Inexpressible("its `assert` is no list")
    for each in asserted:
        yield from read_assertion(each, variables)


def _plain(kind: str, value: Any, threshold: Any) -> Sequence[Assertion]:
    if kind not in _READERS:
        raise Inexpressible(_WHY.get(kind, "no scorer here does the same"))
    return _READERS[kind](kind, value, threshold)


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise Inexpressible("its value is no text")
    return str(value)


def _equals(_: str, value: Any, __: Any) -> Sequence[Assertion]:
    if isinstance(value, str):
        # Whole, byte for byte: our `exact_match` would compare with the case's expected value.
        options = {"pattern": rf"(?s)\A{re.escape(value)}\Z"} if value else {"pattern": r"\A\Z"}
        return [Assertion(scorer="regex", options=options)]
    if isinstance(value, Mapping | list):
        return [Assertion(scorer="json_schema", options={"schema": {"const": value}})]
    raise Inexpressible("its value is neither a text nor an object")


def _contains(kind: str, value: Any, _: Any) -> Sequence[Assertion]:
    options: dict[str, Any] = {"text": _text(value)}
    return [Assertion(scorer="contains", options=options | _case(kind))]


def _contains_many(kind: str, value: Any, _: Any) -> Sequence[Assertion]:
    texts = _listed(value)
    options: dict[str, Any] = {kind.rpartition("-")[2]: texts}
    return [Assertion(scorer="contains", options=options | _case(kind))]


def _case(kind: str) -> dict[str, Any]:
    return {"ignore_case": True} if kind.startswith("i") else {}


def _listed(value: Any) -> list[str]:
    """The texts of a list, or those that commas divide."""
    if isinstance(value, str):
        if '"' in value:
            raise Inexpressible("its value is a list with quotes")
        value = [each.strip() for each in value.split(",")]
    if not isinstance(value, list) or not value:
        raise Inexpressible("its value is no list of texts")
    return [_text(each) for each in value]


def _starts_with(_: str, value: Any, __: Any) -> Sequence[Assertion]:
    return [Assertion(scorer="regex", options={"pattern": rf"\A{re.escape(_text(value))}"})]


def _regex(_: str, value: Any, __: Any) -> Sequence[Assertion]:
    pattern = _text(value)
    if _ONLY_JS.search(pattern):
        raise Inexpressible("its pattern is JavaScript's own")
    # In JavaScript `\d` and `\w` are ASCII's, and `$` is the very end.
    taken = "(?a)" + _ends(pattern)
    try:
        re.compile(taken)
    except (re.error, OverflowError, RecursionError) as error:
        raise Inexpressible(f"its pattern is broken, or JavaScript's own: {error}") from None
    return [Assertion(scorer="regex", options={"pattern": taken})]


def _ends(pattern: str) -> str:
    """The pattern with each `$` that means the end as Python spells it."""
    parts = re.findall(r"\\.|\[(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    return "".join(r"\Z" if part == "$" else part for part in parts)


def _json(_: str, value: Any, __: Any) -> Sequence[Assertion]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Inexpressible("its schema is a text that is no JSON") from None
    if value is not None and not isinstance(value, Mapping):
        raise Inexpressible("its schema is no object")
    return [Assertion(scorer="json_schema", options={"schema": dict(value or {})})]


def _latency(_: str, __: Any, threshold: Any) -> Sequence[Assertion]:
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise Inexpressible("it has no `threshold`")
    return [Assertion(scorer="latency", rule=f"<= {threshold / 1000:g}")]


def _words(_: str, value: Any, __: Any) -> Sequence[Assertion]:
    if isinstance(value, Mapping):
        bounds = {"min": ">=", "max": "<="}
        if not value or set(value) - set(bounds):
            raise Inexpressible("its value has neither `min` nor `max`, or something else")
        return [
            Assertion(scorer="length", rule=f"{bounds[key]} {_count(bound)}")
            for key, bound in value.items()
        ]
    return [Assertion(scorer="length", rule=f"== {_count(value)}")]


def _count(value: Any) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Inexpressible("its value is no whole number")
    return value


_Reader = Callable[[str, Any, Any], Sequence[Assertion]]

_READERS: dict[str, _Reader] = {
    "equals": _equals,
    "contains": _contains,
    "icontains": _contains,
    **dict.fromkeys(sorted(_MANY), _contains_many),
    "starts-with": _starts_with,
    "regex": _regex,
    "is-json": _json,
    "latency": _latency,
    "word-count": _words,
}

_JUDGED = "a model judges it: write a check with a judge of this project"
_PROGRAM = "a program decides it: write a scorer, and name it as `file.py:function`"
_WHY = {
    **dict.fromkeys(("javascript", "python", "ruby", "webhook"), _PROGRAM),
    **dict.fromkeys(
        (
            *("llm-rubric", "g-eval", "model-graded-closedqa", "model-graded-factuality"),
            *("factuality", "answer-relevance", "context-recall", "context-relevance"),
            *("context-faithfulness", "conversation-relevance", "pi", "search-rubric"),
        ),
        _JUDGED,
    ),
    "similar": "it depends on promptfoo's embedding model: write a check with "
    "`semantic_similarity`, whose numbers are others",
}


def _turned(rule: str) -> str:
    """The rule that holds just where `rule` does not."""
    operator, bound = rule.split(" ", 1)
    turned = {"==": "!=", "<=": ">", ">=": "<"}[operator]
    return "== 0" if rule == "== 1" else f"{turned} {bound}"
