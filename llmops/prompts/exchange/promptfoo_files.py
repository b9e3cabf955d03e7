"""The prompts that a promptfoo config names: texts, and files in its folder.

What promptfoo makes of a file hangs on its suffix; the same is done here. A
reference that leads out of the config's folder is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmops.core.errors import DocumentError, Where
from llmops.core.files import read_document
from llmops.prompts.exchange.reading import read_json, read_yaml_value

FUNCTIONS = (".py", ".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
PROGRAMS = (".sh", ".bash", ".exe", ".bat", ".cmd", ".ps1", ".rb", ".pl")
_TEXTS = (".txt", ".md", ".j2", ".json", ".jsonl", ".yaml", ".yml", ".csv")
_HOSTED = ("portkey://", "langfuse://", "helicone://")

# What `trim` of JavaScript takes off.
_BLANKS = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@dataclass(frozen=True, kw_only=True)
class RawPrompt:
    """One prompt of a config, before its templates are read."""

    names: tuple[str, ...]
    content: Any
    """A text, or what a JSON or YAML file holds."""
    origin: str
    where: Where


class NotText(Exception):
    """A prompt that is made by a program, or kept by a service: nothing that can be taken over."""


def raw_prompts(entry: Any, number: int, config: Path, where: Where) -> Iterator[RawPrompt]:
    """The prompts of one entry of `prompts`.

    Raises `NotText` for a function or a hosted prompt, and `DocumentError` for a
    missing file, one outside of the config's folder, or an entry of no known form.
    """
    raw, names = _entry(entry, where)
    base = RawPrompt(names=names, content=raw, origin=f"prompt {number} of `{config}`", where=where)
    if raw.startswith((*_HOSTED, "exec:")):
        raise NotText(f"{base.origin} is not in the file: `{raw.splitlines()[0][:60]}`")
    found = list(_files(raw, config, where))
    if not found:
        yield replace(base, names=(*names, f"prompt-{number}"))
    for path in found:
        yield from _of_file(path, base, alone=len(found) == 1)


def trimmed(text: str) -> str:
    """`text` as JavaScript's `trim` leaves it."""
    return text.strip(_BLANKS)


def _entry(entry: Any, where: Where) -> tuple[str, tuple[str, ...]]:
    if isinstance(entry, str):
        return entry, ()
    if isinstance(entry, Mapping):
        raw = entry.get("raw") or entry.get("id")
        if isinstance(raw, str):
            told = (entry.get("label"), entry.get("id") if raw != entry.get("id") else None)
            return raw, tuple(name for name in told if isinstance(name, str) and name)
    raise DocumentError(
        "a prompt is a text, or a mapping with `raw` or `id`, and `label`", where=where
    )


def _files(raw: str, config: Path, where: Where) -> Iterator[Path]:
    """The files that `raw` refers to; none if it is the prompt itself."""
    if "\n" in raw:
        return
    named = raw.removeprefix("file://")
    spoken = raw.startswith("file://")
    path = re.sub(r":[\w.]+$", "", named) if not Path(named).suffix or ":" in named else named
    suffix = Path(path).suffix.lower()
    if suffix in FUNCTIONS + PROGRAMS and (spoken or " " not in path):
        raise NotText(f"`{raw}` is a program, whose prompts exist only once it runs")
    if "*" in path or "?" in path:
        if not spoken and " " in path:
            return
        yield from _globbed(path, config, where)
    elif spoken or (suffix in _TEXTS and " " not in path):
        yield _inside(config.parent / path, config, where)


def _globbed(pattern: str, config: Path, where: Where) -> list[Path]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise _outside(pattern, where)
    found = sorted(path for path in config.parent.glob(pattern) if path.is_file())
    if not found:
        raise DocumentError(f"`{pattern}` matches no file", where=where)
    return [_inside(path, config, where) for path in found]


def _inside(path: Path, config: Path, where: Where) -> Path:
    if not path.resolve().is_relative_to(config.parent.resolve()):
        raise _outside(str(path), where)
    if not path.is_file():
        raise DocumentError(f"`{path}` is named here and is no file", where=where)
    return path


def _outside(path: str, where: Where) -> DocumentError:
    return DocumentError(
        f"`{path}` lies outside of the config's folder",
        hint="copy the file beside the config",
        where=where,
    )


def _of_file(path: Path, base: RawPrompt, *, alone: bool) -> Iterator[RawPrompt]:
    if path.suffix.lower() in FUNCTIONS + PROGRAMS:
        raise NotText(f"`{path}` is a program, whose prompts exist only once it runs")
    text = read_document(path)
    contents = list(_contents(path, text))
    if not contents:
        raise DocumentError("holds no prompt", where=Where(path))
    for number, (label, content, line) in enumerate(contents, 1):
        several = len(contents) > 1
        told = base.names if alone and not several else ()
        stem = f"{path.stem}-{number}" if several else path.stem
        yield replace(
            base,
            names=(*([label] if label else []), *told, stem),
            content=content,
            origin=f"prompt {number} of `{path}`" if several else f"`{path}`",
            where=Where(path, line),
        )


def _contents(path: Path, text: str) -> Iterable[tuple[str | None, Any, int]]:
    """The prompts of a file: their label, text or data, and line."""
    match path.suffix.lower():
        case ".txt":
            return _divided(text)
        case ".json":
            return [(None, read_json(text, path), 1)]
        case ".yaml" | ".yml":
            return [(None, read_yaml_value(text, path), 1)]
        case ".jsonl":
            lines = enumerate(re.split(r"\r?\n", text), 1)
            return [(None, line, number) for number, line in lines if line]
        case ".csv":
            return _rows(text)
    return [(None, text, 1)]


def _divided(text: str) -> Iterator[tuple[str | None, Any, int]]:
    """The prompts of a text file, which lines `---` divide."""
    kept: list[str] = []
    first = 1
    for number, line in enumerate([*re.split(r"\r?\n", text), "---"], 1):
        if trimmed(line) != "---":
            kept.append(line)
            continue
        if prompt := trimmed("\n".join(kept)):
            yield None, prompt, first
        kept, first = [], number + 1


def _rows(text: str) -> Iterator[tuple[str | None, Any, int]]:
    """The column `prompt` of a table with its `label`s, or the lines of a file with one column."""
    if "," not in text:
        lines = [line for line in re.split(r"\r?\n", text) if trimmed(line)]
        header = bool(lines) and trimmed(lines[0]).lower() == "prompt"
        yield from ((None, line, number) for number, line in enumerate(lines, 1) if number > header)
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    for row in reader:
        prompt = trimmed(row.get("prompt") or "")
        if prompt:
            yield trimmed(row.get("label") or "") or None, prompt, reader.line_num
