"""From a source to files in the prompts folder: read all, check all, then write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmops.core.errors import DocumentError, UsageError, Where
from llmops.core.files import inside, read_document
from llmops.prompts.exchange.detecting import Format, detect, is_prompty
from llmops.prompts.exchange.files import FileChange, State, planned, refuse_replacing
from llmops.prompts.exchange.github import SUFFIXES, read_github
from llmops.prompts.exchange.langchain import read_langchain
from llmops.prompts.exchange.naming import name_drafts
from llmops.prompts.exchange.promptfoo import CONFIG_NAMES, read_promptfoo
from llmops.prompts.exchange.prompty import read_prompty
from llmops.prompts.exchange.reading import read_mapping
from llmops.prompts.exchange.values import Draft, Imported
from llmops.prompts.exchange.writer import write_prompt
from llmops.prompts.prompt import SUFFIX, load_prompt, parse_prompt
from llmops.prompts.repository import PromptRepository
from llmops.prompts.schema import take_apart
from llmops.prompts.trees import MemoryTree


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a source holds: prompts, and what of it was left out."""

    prompts: tuple[Imported, ...]
    left_out: tuple[str, ...] = ()


def read_source(path: Path, *, format: Format | None = None, into: str | None = None) -> Read:  # noqa: A002
    """All prompts of a file, or of a folder of GitHub's files or with a promptfoo config.

    `into` is a name, or a folder to put them below. Raises `DocumentError`,
    with file and line, for a source that is broken, in no known format, or
    holds what a prompt cannot, and `UsageError` for two prompts of one name.
    """
    drafts, left_out = _drafts(path, format)
    names = name_drafts(drafts, into)
    return Read(
        prompts=tuple(write_prompt(draft, name) for draft, name in zip(drafts, names, strict=True)),
        left_out=tuple(left_out),
    )


def plan_import(
    repository: PromptRepository, prompts: Iterable[Imported], *, replace_others: bool = False
) -> list[FileChange]:
    """What writing `prompts` would do; nothing is touched.

    A prompt whose content, as its fingerprint tells, is there already stays as
    it is. Raises `UsageError` for a name that the repository has with other
    content, unless `replace_others`, and for one that differs from another
    only in case.
    """
    changes = []
    for prompt in prompts:
        changes.append(_change(repository, prompt))
        changes += _parts(repository, prompt)
    if not replace_others:
        refuse_replacing(changes, otherwise=", `--into` gives another name")
    return changes


def _change(repository: PromptRepository, prompt: Imported) -> FileChange:
    path = _place(repository, f"{prompt.name}{SUFFIX}")
    text, state = prompt.text, State.NEW
    if path.exists():
        text = prompt.text if prompt.as_published else _with_version_of(path, prompt)
        there = read_document(path)
        same = text == there or (
            not prompt.as_published and _same_content(repository, prompt, text)
        )
        state = State.UNCHANGED if same else State.REPLACED
    return FileChange(name=prompt.name, path=path, text=text, state=state, notes=prompt.notes)


def _parts(repository: PromptRepository, prompt: Imported) -> list[FileChange]:
    """The partials and examples that come with a prompt; other prompts may use those there."""
    return [
        planned(_place(repository, part), text, name=prompt.name)
        for part, text in sorted(prompt.parts.items())
    ]


def _place(repository: PromptRepository, relative: str) -> Path:
    path = repository.root / relative
    inside(repository.root, path)
    _refuse_twins(repository.root, path)
    return path


def _refuse_twins(root: Path, path: Path) -> None:
    """Another spelling of the name would be the same file on other machines."""
    for part in (path, *path.parents):
        if part == root:
            return
        for entry in part.parent.iterdir() if part.parent.is_dir() else ():
            if entry.name != part.name and entry.name.casefold() == part.name.casefold():
                raise UsageError(
                    f"`{part.name}` differs from `{entry.name}` only in case",
                    hint="`--into` gives another name",
                    where=Where(entry),
                )


def _with_version_of(path: Path, prompt: Imported) -> str:
    """The text with the version that the file has: `llmops prompt lock` raises it."""
    try:
        version = load_prompt(path, name=prompt.name).version
    except DocumentError:
        return prompt.text
    line = take_apart(prompt.text, path).head.where("metadata", "version").line or 1
    lines = prompt.text.split("\n")
    lines[line - 1] = re.sub(r"(version: *)[^\s,}]+", rf"\g<1>{version}", lines[line - 1])
    return "\n".join(lines)


def _same_content(repository: PromptRepository, prompt: Imported, text: str) -> bool:
    """Whether the file is the prompt that `text` spells, whatever its words for people are."""
    path = repository.path(prompt.name)
    try:
        there = load_prompt(path, name=prompt.name).fingerprint
    except DocumentError:
        return False
    tree = MemoryTree(prompt.parts, repository.root)
    return there == parse_prompt(text, path, name=prompt.name, tree=tree).fingerprint


def _drafts(path: Path, format: Format | None) -> tuple[list[Draft], list[str]]:  # noqa: A002
    if path.is_dir():
        return _of_folder(path, format)
    text = read_document(path)
    if format is Format.PROMPTY or (format is None and is_prompty(text, path)):
        return [read_prompty(text, path)], []
    parsed = read_mapping(text, path)
    match format or detect(parsed.data, path):
        case Format.PROMPTFOO:
            config = read_promptfoo(parsed)
            return config.drafts, config.left_out
        case Format.GITHUB:
            return [read_github(parsed)], []
        case Format.LANGCHAIN:
            return [read_langchain(parsed.data, path)], []
    raise UsageError(
        "a registry is no file", hint="name the prompt: `llmops prompt import mlflow:NAME`"
    )


def _of_folder(folder: Path, format: Format | None) -> tuple[list[Draft], list[str]]:  # noqa: A002
    """A folder's promptfoo config, or else its `.prompt.yml` files, named by their paths."""
    configs = [folder / name for name in CONFIG_NAMES if (folder / name).is_file()]
    if configs and format in (None, Format.PROMPTFOO):
        return _drafts(configs[0], Format.PROMPTFOO)
    drafts = []
    for path in sorted(folder.rglob("*.prompt.y*ml")):
        within = path.relative_to(folder)
        if path.name.endswith(SUFFIXES) and not any(part.startswith(".") for part in within.parts):
            parsed = read_mapping(read_document(path), path)
            drafts.append(read_github(parsed, stem=within.as_posix()))
    if not drafts or format not in (None, Format.GITHUB):
        raise DocumentError(
            f"holds no `{CONFIG_NAMES[0]}` and no `*{SUFFIXES[0]}`",
            hint="name a file",
            where=Where(folder),
        )
    return drafts, []
