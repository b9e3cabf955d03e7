"""Where a prompt's file says its version, and how another one is written there.

Everything around the version stays as its author wrote it: line ends, quotes,
comments and the order of keys.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from llmops.core.errors import UsageError, Where
from llmops.prompts.schema import take_apart
from llmops.prompts.versions import Version

_BYTE_ORDER_MARK = "\ufeff"
_HINT = "write `metadata: {version: 1.0.0}` with the version itself, not a reference to it"


def version_span(source: str, *, path: Path = Path("<prompt>")) -> tuple[int, int]:
    """Where in `source` the version stands, without its quotes: the first character, and the end.

    `path` is what errors call the file. Raises `DocumentError` for a text that
    is no prompt, and `UsageError` for a version that is not written where it
    counts but comes from a YAML alias or a merge key.

    >>> source = "---\\nmetadata: {version: '1.2.0'}\\n---\\nuser:\\nHello!\\n"
    >>> start, end = version_span(source)
    >>> source[start:end]
    '1.2.0'
    """
    text = source.removeprefix(_BYTE_ORDER_MARK)
    parts = take_apart(text, path)
    plain = re.sub(r"\r\n|\r", "\n", text)
    begin = plain.index("\n") + 1
    front = plain[begin : plain.rindex("---", 0, len(plain) - len(parts.body))]
    start, end = _scalar(front, path)
    marked = len(source) - len(text)
    return marked + _raw(text, begin + start), marked + _raw(text, begin + end)


def with_version(source: str, version: str | Version, *, path: Path = Path("<prompt>")) -> str:
    """`source` with another version, and nothing else changed.

    Raises `UsageError` for a text that is no version, or if the version cannot
    be replaced without changing something else.

    >>> with_version("---\\nmetadata: {version: 1.2.0}  # mine\\n---\\nuser:\\nHello!\\n", "2.0.0")
    '---\\nmetadata: {version: 2.0.0}  # mine\\n---\\nuser:\\nHello!\\n'
    """
    wanted = str(Version.parse(str(version)))
    start, end = version_span(source, path=path)
    changed = source[:start] + wanted + source[end:]
    before = take_apart(source.removeprefix(_BYTE_ORDER_MARK), path)
    after = take_apart(changed.removeprefix(_BYTE_ORDER_MARK), path)
    expected = {**before.head.data, "metadata": {**before.head.data["metadata"]}}
    expected["metadata"]["version"] = wanted
    if after.head.data != expected or after.body != before.body:
        raise UsageError(
            f"the version cannot be set to {wanted} without changing something else",
            hint=_HINT,
            where=before.head.where("metadata", "version"),
        )
    return changed


def _scalar(front: str, path: Path) -> tuple[int, int]:
    """The span of the version in the front matter."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    head = yaml.compose(front, Loader=loader)
    metadata = _value(head, "metadata", path)
    found = _value(metadata, "version", path)
    start, end = found.start_mark.index, found.end_mark.index
    # Anchor, tag and quotes belong to the node, and stay; an escaped version
    # (`"1\x2e0.0"`) is not in the text, and nobody needs one.
    at = front.rfind(found.value, start, end)
    if at < 0:
        raise _unwritten(path, found)
    return at, at + len(found.value)


def _value(mapping: Any, name: str, path: Path) -> Any:
    for key, value in mapping.value:
        if key.value == name:
            if value.start_mark.index < key.end_mark.index:  # an alias of what stands above
                raise _unwritten(path, key)
            return value
    raise _unwritten(path, mapping)


def _unwritten(path: Path, node: Any) -> UsageError:
    return UsageError(
        "the version is not written out under `metadata`",
        hint=_HINT,
        where=Where(path, node.start_mark.line + 2),
    )


def _raw(text: str, position: int) -> int:
    """Where the character is in `text` that is at `position` once `\\r\\n` counts as one."""
    pairs = (match.start() for match in re.finditer("\r\n", text))
    return position + sum(at - before < position for before, at in enumerate(pairs))
