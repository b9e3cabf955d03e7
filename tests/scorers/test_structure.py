"""Patterns and JSON Schemas: what they accept, and that neither can hang or reach out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from llmops.core.errors import DocumentError, UsageError
from llmops.core.scoring import Sample, Score
from llmops.scorers import build

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}


def score(name: str, output: str, **options: Any) -> Score:
    found = build(name, options, base=Path()).score(Sample(output=output))
    assert isinstance(found, Score)
    return found


@pytest.mark.parametrize(
    ("output", "options", "wanted"),
    [
        ("born in 1815", {"pattern": r"\b\d{4}\b"}, 1),
        ("born in 815", {"pattern": r"\b\d{4}\b"}, 0),
        ("YES", {"pattern": "yes|no", "full": True, "ignore_case": True}, 1),
        ("yes!", {"pattern": "yes|no", "full": True}, 0),
        ("no apology", {"pattern": "(?s)^(?!.*sorry)"}, 1),
        ("été", {"pattern": r"^\w{3}$"}, 1),
        ("", {"pattern": "x*"}, 1),
    ],
)
def test_a_regex_is_found_or_not(output: str, options: dict[str, Any], wanted: float) -> None:
    assert score("regex", output, **options).value == wanted


@pytest.mark.parametrize(
    ("pattern", "output"),
    [(r"(a|aa)+$", "a" * 60 + "b"), (r"\s+$", " " * 300_000 + "x"), (r"(a|a)*$", "a" * 40 + "b")],
)
def test_a_pattern_that_explodes_is_given_up_and_unscored(pattern: str, output: str) -> None:
    started = time.process_time()
    found = score("regex", output, pattern=pattern, timeout=0.1)
    assert time.process_time() - started < 2
    assert found.value is None
    assert "took more than 0.1 s" in found.rationale


@pytest.mark.parametrize(
    "pattern",
    ["(unclosed", "*", "", "x" * 10_001, "(?:a{60000}b){60000}", "(" * 3000 + ")" * 3000],
)
def test_a_broken_or_enormous_pattern_is_refused_before_the_run(pattern: str) -> None:
    with pytest.raises(UsageError):
        build("regex", {"pattern": pattern}, base=Path())


@pytest.mark.parametrize(
    ("output", "wanted", "why"),
    [
        ('{"city": "Paris"}', 1, ""),
        (' {"city": "Paris", "people": 2}\n', 1, ""),
        ('{"city": 3}', 0, "at `city`: 3 is not of type 'string'"),
        ('{"people": 3}', 0, "at the top: 'city' is a required property"),
        ('{"city": "P", "x": 1}', 0, "at the top: 'x' is not a property that the schema allows"),
        ('{"city": "Paris"', 0, "not JSON: Expecting ',' delimiter: line 1 column 17 (char 16)"),
        ("Sure! {}", 0, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("", 0, "not JSON: the answer is empty"),
        ('{"city": NaN}', 0, "not JSON: NaN is no JSON value"),
        ("[" * 100_000, 0, "not JSON that can be read: nested too deep"),
        ("9" * 10_000, 0, None),
        ('```json\n{"city": "Paris"}\n```', 0, None),
    ],
)
def test_an_answer_is_json_that_the_schema_accepts_or_scores_0(
    output: str, wanted: float, why: str | None
) -> None:
    found = score("json_schema", output, schema=CITY)
    assert found.value == wanted
    assert why is None or found.rationale == why


def test_a_code_fence_is_taken_off_when_asked() -> None:
    fenced = '```json\n{"city": "Paris"}\n```'
    assert score("json_schema", fenced, schema=CITY, fenced=True).value == 1
    assert score("json_schema", '{"city": "Paris"}', schema=CITY, fenced=True).value == 1


def test_references_within_the_schema_are_followed() -> None:
    schema = {
        "$id": "https://example.com/tree",
        "$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["v"]}},
        "$ref": "#/$defs/node",
        "enum_of_words": {"enum": [{"$ref": "no reference"}]},
    }
    assert score("json_schema", '{"v": 1, "next": {"v": 2}}', schema=schema).value == 1
    assert score("json_schema", '{"v": 1, "next": {}}', schema=schema).value == 0


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"items": {"$ref": "#/$defs/none"}}}},
        {"$schema": "https://example.com/my-draft"},
        {"$schema": 7},
        {"pattern": "(unclosed"},
        {"patternProperties": {"(": {}}},
        {"patternProperties": {"a": {}}, "unevaluatedProperties": False},
    ],
)
def test_a_schema_that_is_broken_or_reaches_out_is_refused_before_the_run(schema: Any) -> None:
    with pytest.raises(UsageError):
        build("json_schema", {"schema": schema}, base=Path())


@pytest.mark.parametrize(
    ("schema", "output"),
    [
        ({"pattern": "(a|aa)+$"}, json.dumps("a" * 60 + "b")),
        ({"patternProperties": {"(a|aa)+$": {}}}, json.dumps({"a" * 60 + "b": 1})),
        (
            {"patternProperties": {"(a|aa)+$": {}}, "additionalProperties": False},
            json.dumps({"a" * 60 + "b": 1}),
        ),
    ],
)
def test_a_schemas_pattern_that_explodes_leaves_the_case_unscored(schema: Any, output: str) -> None:
    found = score("json_schema", output, schema=schema)
    assert found.value is None
    assert "too long" in found.rationale


def test_a_schema_may_lie_in_a_file_beside_the_suite(tmp_path: Path) -> None:
    (tmp_path / "city.json").write_text(json.dumps(CITY))
    (tmp_path / "city.yaml").write_text("type: object\nrequired: [city]\n")
    for name in ("city.json", "city.yaml"):
        scorer = build("json_schema", {"schema": name}, base=tmp_path)
        found = scorer.score(Sample(output='{"city": "Paris"}'))
        assert isinstance(found, Score)
        assert found.value == 1
    inline = build("json_schema", {"schema": CITY}, base=tmp_path)
    from_file = build("json_schema", {"schema": "city.json"}, base=tmp_path)
    assert inline.version == from_file.version


@pytest.mark.parametrize(("text", "line"), [("{\n  nope", 2), ("[1]", None)])
def test_a_broken_schema_file_is_named_with_its_line(
    tmp_path: Path, text: str, line: int | None
) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(DocumentError) as caught:
        build("json_schema", {"schema": "s.json"}, base=tmp_path)
    assert caught.value.where is not None
    assert caught.value.where.line == line


def test_a_schema_file_must_lie_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    project = tmp_path / "project"
    (project / "evals").mkdir(parents=True)
    (project / "llmops.toml").write_text("")
    (project / "inside.json").write_text("{}")
    build("json_schema", {"schema": "../inside.json"}, base=project / "evals")
    with pytest.raises(DocumentError, match="outside of the project"):
        build("json_schema", {"schema": "../../outside.json"}, base=project / "evals")
