"""A `report.json` as a `Report` again, its cases read one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops.core.chat import Usage
from llmops.core.errors import DocumentError, ExitCode, Where
from llmops.core.scoring import Outcome, Score, Verdict
from llmops.evals.render.json_schema import SCHEMA_NAME
from llmops.evals.results import (
    CaseResult,
    CheckSummary,
    Decision,
    Estimate,
    GateLine,
    Report,
    Summary,
)

BLOCK = 1 << 16


def read_json(path: Path) -> Report:
    """The report in `path`, however the JSON is laid out.

    Only the summary is held; the cases are read from the file whenever they
    are iterated. Raises `DocumentError` for a file that is no report, or one
    of another schema.
    """
    head: dict[str, Any] = {}
    try:
        with _Scanner(path) as scanner:
            for key in scanner:
                if key == "results":
                    break
                head[key] = scanner.value()
        if head.get("schema") != SCHEMA_NAME:
            raise _broken(path, f"its schema is not `{SCHEMA_NAME}`")
        summary = _summary(head["summary"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(path, _said(error)) from error
    return Report(summary=summary, results=lambda: _results(path))


def _results(path: Path) -> Iterator[CaseResult]:
    try:
        with _Scanner(path) as scanner:
            for key in scanner:
                if key == "results":
                    for record in scanner.items():
                        yield _case(record)
                else:
                    scanner.value()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(path, _said(error)) from error


def _said(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _broken(path: Path, reason: str) -> DocumentError:
    return DocumentError(
        f"not a report of this program: {reason}",
        hint="name the `report.json` that a run wrote",
        where=Where(path),
    )


class _Scanner:
    """Reads the values of one JSON object in the order of the file, in bounded memory."""

    def __init__(self, path: Path):
        self._path = path
        self._decode = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def __enter__(self) -> _Scanner:
        try:
            self._file = self._path.open(encoding="utf-8")
        except OSError as error:
            raise DocumentError(
                f"cannot be read: {error.strerror}", where=Where(self._path)
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        """Each key; its value is to be read before the next key is asked for."""
        self._expect("{")
        if self._peek() == "}":
            return
        while True:
            yield self.value()
            if self._expect(",}") == "}":
                return

    def value(self) -> Any:
        """The next value, or the next key with its colon."""
        if self._peek() == ":":
            self._at += 1
            self._peek()
        size = BLOCK
        while True:
            try:
                found, end = self._decode(self._text, self._at)
                # A number may go on in the next block.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return found
            except json.JSONDecodeError:
                if self._ended:
                    raise
            self._more(size)
            size *= 2

    def items(self) -> Iterator[Any]:
        """The items of the list that comes next."""
        self._peek()
        self._at += self._text.startswith(":", self._at)
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._expect(",]") == "]":
                return

    def _expect(self, any_of: str) -> str:
        found = self._peek()
        if not found or found not in any_of:
            raise ValueError(f"expected one of {any_of!r}, found {found or 'the end'!r}")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                return ""
            self._more(BLOCK)

    def _more(self, size: int) -> None:
        block = self._file.read(size)
        self._ended = not block
        self._text = self._text[self._at :] + block
        self._at = 0


def _case(data: dict[str, Any]) -> CaseResult:
    return CaseResult(
        case=data["case"],
        repeat=data["repeat"],
        inputs=data["inputs"],
        expected=data["expected"],
        contexts=tuple(data["contexts"]),
        tags=tuple(data["tags"]),
        output=data["output"],
        error=data["error"],
        verdicts=tuple(
            Verdict(
                check=each["check"],
                outcome=Outcome(each["outcome"]),
                score=Score(
                    value=each["value"],
                    rationale=each["rationale"],
                    spans=tuple((start, end) for start, end in each["spans"]),
                ),
            )
            for each in data["verdicts"]
        ),
        latency=data["latency"],
        usage=Usage(**data["usage"]),
        finish_reason=data["finish_reason"],
        cached=data["cached"],
        attempts=data["attempts"],
    )


def _summary(data: dict[str, Any]) -> Summary:
    decision = data["decision"]
    return Summary(
        **{
            **data,
            "usage": Usage(**data["usage"]),
            "checks": tuple(_check(each) for each in data["checks"]),
            "decision": Decision(
                outcome=decision["outcome"],
                exit_code=ExitCode(decision["exit_code"]),
                reason=decision["reason"],
                lines=tuple(GateLine(**line) for line in decision["lines"]),
            ),
        }
    )


def _check(data: dict[str, Any]) -> CheckSummary:
    return CheckSummary(
        **{
            **data,
            "mean": Estimate(**data["mean"]) if data["mean"] else None,
            "pass_rate": Estimate(**data["pass_rate"]) if data["pass_rate"] else None,
            "histogram": tuple((low, high, count) for low, high, count in data["histogram"]),
        }
    )
