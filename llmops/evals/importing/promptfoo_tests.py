"""The tests of a promptfoo config: written in it, or in files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, Where
from llmops.core.files import inside, read_document
from llmops.evals.rows import read_rows
from llmops.prompts.exchange.reading import read_json, read_yaml_value

_ASSERTED = re.compile(r"__expected\d*")
_SPELLED = re.compile(r"(not-)?([a-z][a-z-]*)(?:\(([\d.]+)\))?:\s*(.*)", re.DOTALL)
_TYPES = frozenset(
    {
        *("equals", "contains", "icontains", "contains-any", "contains-all", "icontains-any"),
        *("icontains-all", "starts-with", "regex", "is-json", "similar", "llm-rubric", "latency"),
        *("javascript", "python", "file", "word-count"),
    }
)


def read_tests(parsed: Parsed) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    """Every test, and where it stands; `DocumentError` for one that a program makes."""
    tests = parsed.data.get("tests")
    if tests is None:
        return
    for index, each in enumerate(tests if isinstance(tests, list) else [tests]):
        where = parsed.where("tests", index) if isinstance(tests, list) else parsed.where("tests")
        if isinstance(each, Mapping):
            yield where, each
        elif isinstance(each, str):
            yield from _of_file(each, parsed.path, where)
        else:
            raise DocumentError("is no test", where=where)


def _of_file(named: str, config: Path, where: Where) -> Iterator[tuple[Where, Mapping[str, Any]]]:
    path = config.parent / named.removeprefix("file://")
    suffix = path.suffix.lower()
    if "*" in named or suffix not in (".csv", ".jsonl", ".json", ".yaml", ".yml"):
        raise DocumentError(
            f"tests of `{named}` cannot be read here",
            hint="write them as YAML, JSON, JSON Lines or CSV",
            where=where,
        )
    inside(config.parent, path)
    if suffix == ".csv":
        for row in read_rows(path):
            at = Where(path, row.line)
            yield at, _of_row(row.data, at)
        return
    if suffix == ".jsonl":
        yield from ((Where(path, row.line), row.data) for row in read_rows(path))
        return
    text = read_document(path)
    found = read_json(text, path) if suffix == ".json" else read_yaml_value(text, path)
    for each in found if isinstance(found, list) else [found]:
        if not isinstance(each, Mapping):
            raise DocumentError("expected a list of tests", where=Where(path))
        yield Where(path), each


def _of_row(row: Mapping[str, str], where: Where) -> dict[str, Any]:
    """A row: columns are variables, but for those that begin with two underscores."""
    test: dict[str, Any] = {"vars": {}, "assert": []}
    for name, value in row.items():
        if _ASSERTED.fullmatch(name):
            if value.strip():
                test["assert"].append(_spelled(value.strip(), where))
        elif name == "__description":
            test["description"] = value
        elif name == "__threshold":
            test["threshold"] = _number(value, where) if value.strip() else None
        elif name.startswith("__"):
            raise DocumentError(f"the column `{name}` cannot be taken over", where=where)
        else:
            test["vars"][name] = value
    return {key: value for key, value in test.items() if value is not None}


def _number(text: str, where: Where) -> float:
    try:
        return float(text)
    except ValueError:
        raise DocumentError(f"the threshold `{text}` is no number", where=where) from None


def _spelled(text: str, where: Where) -> dict[str, Any]:
    """The assertion that a cell spells: `contains: Paris`, or a text that is to be equal."""
    if text in ("is-json", "not-is-json"):
        return {"type": text}
    match = _SPELLED.fullmatch(text)
    if match is None or match[2] not in _TYPES:
        return {"type": "equals", "value": text}
    found: dict[str, Any] = {"type": f"{match[1] or ''}{match[2]}", "value": match[4].strip()}
    if match[3]:
        found["threshold"] = _number(match[3], where)
    return found
