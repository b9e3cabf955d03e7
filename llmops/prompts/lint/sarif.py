"""Findings as SARIF 2.1.0, which GitHub and others show at the line of a file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llmops import __version__
from llmops.core.files import relative
from llmops.prompts.lint.findings import RULES, Finding, Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FINGERPRINT = "llmopsLint/v1"
_SECURITY = {"secret": "9.0", "personal-data": "7.5", "untrusted-in-system": "6.0"} | {
    "undelimited-input": "4.0",
    "invisible-character": "5.0",
}
"""Severities from 0 to 10, by which GitHub sorts what is about security."""


def identity(finding: Finding, base: Path) -> str:
    """What makes a finding the same one after an edit elsewhere in the file."""
    return "\0".join((finding.rule, relative(finding.where.path, base), finding.message))


def sarif(
    findings: Iterable[Finding],
    base: Path,
    *,
    rules: Mapping[str, Rule] = RULES,
    identify: Callable[[Finding, Path], str] = identity,
    fingerprint: str = _FINGERPRINT,
) -> dict[str, Any]:
    """One SARIF log; paths are given relative to `base`, the root of the repository.

    `identify` says what makes a finding the same one in the next run; its
    digest is kept under the name `fingerprint`.
    """
    places = {rule: index for index, rule in enumerate(rules)}
    twins: Counter[str] = Counter()
    results = []
    for each in findings:
        content = identify(each, base)
        # A finding keeps its fingerprint when lines above it come and go.
        digest = hashlib.sha256(_bytes(f"{content}\0{twins[content]}")).hexdigest()[:32]
        twins[content] += 1
        results.append(_result(each, places[each.rule], {fingerprint: digest}, base))
    driver = {
        "name": "llmops",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _bytes(text: str) -> bytes:
    """`text` in UTF-8, and the bytes of a file's name that is not as they are on the disk."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file's name holds
        return text.encode("utf-8", "surrogatepass")


def _rule(rule: Rule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": rule.level.value},
    }
    if severity := _SECURITY.get(rule.id):
        described["properties"] = {"tags": ["security"], "security-severity": severity}
    return described


def _result(
    finding: Finding, place: int, fingerprints: Mapping[str, str], base: Path
) -> dict[str, Any]:
    path = relative(finding.where.path, base)
    quoted = quote(_bytes(path))
    uri = f"file://{quoted}" if path.startswith("/") else quoted
    location: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.where.line:
        location["region"] = {"startLine": finding.where.line}
    text = f"{finding.message}. {finding.hint}." if finding.hint else f"{finding.message}."
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": finding.level.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": dict(fingerprints),
    }
    if finding.prompt:
        result["properties"] = {"prompt": finding.prompt}
    return result
