"""What a version number promises, held against values: no caller and no reader fails by a minor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from llmops.core.errors import UsageError
from llmops.prompts import Prompt
from llmops.prompts.comparison import ChangeKind, classify, compare
from llmops.prompts.prompt import parse_prompt

NAMES = ["a", "b"]
SCALARS: dict[str, list[Any]] = {"string": ["x", "y"], "integer": [1, 2]}
OF_KIND = {"array": ["items"], "object": ["properties"]}


@st.composite
def declarations(
    draw: st.DrawFn, *, named: bool, output: bool = False, depth: int = 2, kind: str | None = None
) -> Any:
    """A declaration out of so few that two of them are often alike."""
    kinds = [*SCALARS, *(["array", "object"] if depth else [])]
    kind = kind or draw(st.sampled_from(kinds))
    made: dict[str, Any] = {"kind": kind}
    if draw(st.integers(0, 3)) == 0:
        made["nullable"] = True
    if kind in SCALARS and draw(st.booleans()):
        made["enumValues"] = draw(st.lists(st.sampled_from(SCALARS[kind]), min_size=1, unique=True))
    if kind == "array" and draw(st.booleans()):
        made["items"] = draw(declarations(named=False, output=output, depth=depth - 1))
    if kind == "object" and draw(st.booleans()):
        made["properties"] = draw(properties(output=output, depth=depth - 1))
    if named:
        need = draw(st.sampled_from(["required", "optional", "default", "required"]))
        if need == "optional":
            made["required"] = False
        elif need == "default" and kind in SCALARS and not output:
            made["default"] = draw(st.sampled_from(made.get("enumValues", SCALARS[kind])))
    return made


def properties(*, output: bool = False, depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    declared = declarations(named=True, output=output, depth=depth)
    return st.dictionaries(st.sampled_from(NAMES), declared, min_size=1)


def value(draw: st.DrawFn, declared: dict[str, Any], *, null: bool) -> Any:
    """A value that fits the declaration."""
    # The schema of an answer lists all values of an `enum`, and null is none of them.
    if declared.get("nullable") and "enumValues" not in declared and draw(st.booleans()):
        return None
    if declared["kind"] in SCALARS:
        return draw(st.sampled_from(declared.get("enumValues", SCALARS[declared["kind"]])))
    if declared["kind"] == "array":
        item = declared.get("items") or draw(declarations(named=False, depth=0))
        return [value(draw, item, null=null) for _ in range(draw(st.integers(0, 2)))]
    return holding(draw, declared.get("properties") or draw(properties(depth=0)), null=null)


def holding(draw: st.DrawFn, declared: dict[str, Any], *, null: bool) -> dict[str, Any]:
    """Values by name; what is optional may be left out, or be null."""
    held = {}
    for name, each in declared.items():
        needed = each.get("required", "default" not in each)
        if needed or draw(st.booleans()):
            held[name] = value(draw, each, null=null)
            if null and not needed and "default" not in each and draw(st.booleans()):
                held[name] = None
    return held


def prompt(**head: Any) -> Prompt:
    front = json.dumps({"metadata": {"version": "1.0.0"}, **head})
    return parse_prompt(f"---\n{front}\n---\nuser:\nHi\n", Path("p.prompty"), name="p")


def edited(draw: st.DrawFn, old: dict[str, Any], *, output: bool, depth: int = 2) -> dict[str, Any]:
    """Declarations with one edit, as people make them."""
    new: dict[str, Any] = json.loads(json.dumps(old))
    name = draw(st.sampled_from([*new]))
    match draw(st.sampled_from([*["detail"] * 6, "put", "remove"])):
        case "detail":
            detail(draw, new[name], named=True, output=output, depth=depth)
        case "put":
            new |= draw(properties(output=output, depth=depth))
        case "remove" if len(new) > 1:
            del new[name]
    return new


def detail(
    draw: st.DrawFn, declared: dict[str, Any], *, named: bool, output: bool, depth: int
) -> None:
    """Give one key of a declaration another value, here or further down."""
    kind = declared["kind"]
    keys = OF_KIND.get(kind, ["enumValues", "default"])
    key = draw(st.sampled_from(["nullable", *(["required"] if named else []), *keys]))
    if key == "properties" and key in declared and draw(st.booleans()):
        declared[key] = edited(draw, declared[key], output=output, depth=depth - 1)
    elif key == "items" and key in declared and draw(st.booleans()):
        detail(draw, declared[key], named=False, output=output, depth=depth - 1)
    else:
        other = draw(declarations(named=named, output=output, depth=depth, kind=kind))
        declared.pop(key, None)
        declared |= {key: other[key]} if key in other else {}


@st.composite
def edits(draw: st.DrawFn, *, output: bool = False) -> tuple[Prompt, Prompt, dict[str, Any]]:
    """Two versions, and values that the old one takes or the new one answers."""
    side = "outputs" if output else "inputs"
    before = draw(properties(output=output))
    after = edited(draw, before, output=output)
    try:
        old, new = prompt(**{side: before}), prompt(**{side: after})
    except UsageError:  # a default beside `required`, or one that is not allowed
        reject()
    return old, new, holding(draw, after if output else before, null=not output)


@settings(max_examples=500)
@given(edits())
def test_what_callers_gave_before_is_taken_after_any_change_that_breaks_nothing(
    edit: tuple[Prompt, Prompt, dict[str, Any]],
) -> None:
    old, new, inputs = edit
    old.accept(inputs)
    if classify(old, new) is not ChangeKind.BREAKING:
        new.accept(inputs)


@settings(max_examples=500)
@given(edits(output=True))
def test_what_the_new_version_answers_a_reader_of_the_old_one_understands(
    edit: tuple[Prompt, Prompt, dict[str, Any]],
) -> None:
    old, new, answer = edit
    assert old.output_schema is not None
    assert new.output_schema is not None
    assert jsonschema.Draft202012Validator(new.output_schema).is_valid(answer)
    if classify(old, new) is not ChangeKind.BREAKING:
        readable = _open(old.output_schema)  # a reader passes over what it does not know
        assert jsonschema.Draft202012Validator(readable).is_valid(answer)


def _open(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _open(value) for key, value in schema.items() if key != "additionalProperties"}
    return [_open(each) for each in schema] if isinstance(schema, list) else schema


@given(edits())
def test_the_kind_is_the_weightiest_reason_and_follows_from_the_fingerprint(
    edit: tuple[Prompt, Prompt, dict[str, Any]],
) -> None:
    old, new, _ = edit
    diff = compare(old, new)
    assert diff.kind is max((each.kind for each in diff.reasons), default=ChangeKind.NONE)
    assert (diff.kind >= ChangeKind.BEHAVIOUR) == (old.fingerprint != new.fingerprint)
