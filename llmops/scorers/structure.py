"""Whether the answer is JSON that a schema accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from llmops.core.errors import DocumentError, Where, needs
from llmops.core.files import read_document
from llmops.core.fingerprint import fingerprint
from llmops.core.scoring import Sample, Score
from llmops.scorers.configured import Configured, versioned


@dataclass(frozen=True, kw_only=True)
class JsonSchema(Configured):
    """1 when the answer is one JSON value that `schema` accepts, else 0 with the first reason.

    `schema` is a JSON Schema (draft by its `$schema`, else 2020-12), inline or
    the path of a JSON or YAML file beside the suite; `{}` accepts any JSON.
    References stay inside the schema: nothing is fetched. `format` is a remark,
    as the standard has it by default, and does not fail. With `fenced`, one
    Markdown code fence around the value is taken off first.

    A broken schema, or one that refers to something outside, is a `UsageError`
    when the scorer is built.

    >>> scorer = JsonSchema(schema={"type": "object", "required": ["city"]})
    >>> scorer.score(Sample(output='{"town": "Paris"}')).rationale
    "at the top: 'city' is a required property"
    """

    name: ClassVar[str] = "json_schema"
    default_rule: ClassVar[str | None] = "== 1"
    unit: ClassVar[str] = ""

    schema: Mapping[str, Any] | Path
    fenced: bool = False
    _validator: Any = field(init=False, repr=False, compare=False)
    _digest: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        schema = read_schema(self.schema) if isinstance(self.schema, Path) else dict(self.schema)
        with needs("jsonschema"):
            from llmops.scorers.validation import validator
        object.__setattr__(self, "_validator", validator(schema))
        object.__setattr__(self, "_digest", fingerprint(schema)[: len("sha256:") + 12])

    @property
    def version(self) -> str:
        """The method's version and the schema's digest, wherever its file lies."""
        return versioned(self.method, {"schema": self._digest, "fenced": self.fenced})

    def look(self, sample: Sample) -> Score:
        """The score; its rationale says where the value departs from the schema."""
        try:
            value = _parsed(_unfenced(sample.output) if self.fenced else sample.output)
        except ValueError as error:
            return Score(value=0.0, rationale=f"not JSON: {error}")
        except RecursionError:
            return Score(value=0.0, rationale="not JSON that can be read: nested too deep")
        try:
            reason = self._validator.first_error(value)
        except TimeoutError:
            return Score.unscored("a pattern of the schema took too long on this answer")
        except RecursionError:
            return Score(value=0.0, rationale="nested too deep to be checked")
        return Score(value=0.0, rationale=reason) if reason else Score(value=1.0)


def _parsed(text: str) -> Any:
    if not text.strip():
        raise ValueError("the answer is empty")
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _unfenced(text: str) -> str:
    lines = text.strip().splitlines()
    if len(lines) >= 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1])
    return text


def read_schema(path: Path) -> dict[str, Any]:
    """The schema in a JSON or YAML file; `DocumentError` when it is not one mapping."""
    if path.suffix in (".yaml", ".yml"):
        from llmops.core.documents import load_yaml

        return load_yaml(path).data
    text = read_document(path)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON: {error.msg}", where=Where(path, error.lineno)) from None
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"not JSON that can be read: {error}", where=Where(path)) from None
    if not isinstance(found, dict):
        raise DocumentError("a JSON Schema is a mapping here", where=Where(path))
    return found
