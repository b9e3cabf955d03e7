"""The JSON Schema that a suite asks of every row of its dataset."""

from __future__ import annotations

from dataclasses import dataclass

from llmops.core.errors import DocumentError, UsageError, needs
from llmops.core.files import inside
from llmops.core.fingerprint import fingerprint
from llmops.evals.dataset import RowSchema
from llmops.evals.suite import Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSchema:
    """A schema that is ready to look at rows."""

    rows: RowSchema
    fingerprint: str


def row_schema(suite: Suite) -> DatasetSchema | None:
    """The schema that `dataset.schema` names, compiled; `None` where it names none.

    Raises `DocumentError` with file and line for a schema that is missing,
    broken or refers to something outside, `MissingExtra` without the extra
    `jsonschema`.
    """
    named = suite.dataset.row_schema
    if named is None:
        return None
    from llmops.scorers.structure import read_schema

    where = suite.where("dataset", "schema")
    try:
        path = inside(suite.root, suite.path.parent / named)
        schema = read_schema(path)
        with needs("jsonschema"):
            from llmops.scorers.validation import validator
        return DatasetSchema(rows=validator(schema), fingerprint=fingerprint(schema))
    except DocumentError as error:
        raise DocumentError(
            f"the schema `{named}` {error.message}", hint=error.hint, where=error.where or where
        ) from None
    except UsageError as error:
        raise DocumentError(
            f"{error.message} (in `{named}`)", hint=error.hint, where=where
        ) from None
