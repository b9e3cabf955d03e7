"""From prompts to findings: every rule, on every file, at the level that the project chose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import read_document
from llmops.prompts.compiling import Parsed, compile_source, parse_source
from llmops.prompts.composition import Partial
from llmops.prompts.deprecation import Deprecation
from llmops.prompts.inspection import Inspection
from llmops.prompts.lint.aliases import aliases
from llmops.prompts.lint.config import LintConfig
from llmops.prompts.lint.findings import Finding, found
from llmops.prompts.lint.injection import undelimited_input, untrusted_in_system
from llmops.prompts.lint.memory import LintMemory
from llmops.prompts.lint.size import Contexts, context_overflow
from llmops.prompts.lint.subject import Subject
from llmops.prompts.lint.suppressions import Suppression, matching, read_suppressions
from llmops.prompts.lint.texts import (
    invisible_character,
    secrets_and_personal_data,
    trailing_whitespace,
)
from llmops.prompts.lint.variables import (
    input_without_description,
    outputs_not_mentioned,
    undeclared_variable,
    unused_input,
)
from llmops.prompts.lockfile import Lock
from llmops.prompts.prompt import SUFFIX, Prompt, parse_prompt
from llmops.prompts.repository import PromptRepository
from llmops.prompts.trees import FolderTree, Tree

_WITHOUT_KIND = re.compile(r"`inputs\.(\w+)\.kind` is missing.*")
_DEFAULTS = LintConfig()


def _no_contexts(_: str | None) -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What the rules say of one prompt's files; it depends on nothing but them."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()
    used: tuple[Suppression, ...] = ()
    unused: tuple[Suppression, ...] = ()
    """A partial's suppression may be of use to another prompt."""
    files: tuple[str, ...] = ()
    """What the prompt is made of, if all of it could be read; relative to the prompts folder."""
    deprecated: Deprecation | None = None
    """What the file says; an alias that points to the prompt is held to it."""


def lint_prompts(
    repository: PromptRepository,
    config: LintConfig = _DEFAULTS,
    names: Iterable[str] | None = None,
    *,
    contexts: Contexts = _no_contexts,
    memory: LintMemory | None = None,
    today: date | None = None,
) -> list[Finding]:
    """All findings in a folder of prompts and its lock file, by file and line.

    `names` are the prompts to look at; left out, all. A file that is no prompt
    is a finding, and does not stop the others. With a `memory`, prompts that
    were clean and have not changed are not looked at. Raises `NotFound` for a
    name that no prompt has, and `UsageError` if there is no folder.
    """
    try:
        known = repository.names()
    except DocumentError as error:  # two files with one name: which one is meant?
        return _at_levels([_broken(error, repository.root)], config)
    chosen = known if names is None else list(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            raise NotFound.among("prompt", name, known, where=Where(repository.root))
    tree = FolderTree(repository.root)
    linted = {
        name: lint_file(repository.path(name), name, tree, config, contexts=contexts)
        for name in chosen
        if not (memory and memory.clean(name))
    }
    if memory:
        _remember(memory, linted, known)
    used = {each for one in linted.values() for each in one.used}
    findings = [finding for one in linted.values() for finding in one.findings]
    findings += _at_levels(
        (each.unused() for one in linted.values() for each in one.unused if each not in used),
        config,
    )
    findings += _lint_lock(repository, linted, names, config, today or date.today())
    return _once(findings)


def lint_prompt(
    prompt: Prompt, config: LintConfig = _DEFAULTS, *, contexts: Contexts = _no_contexts
) -> list[Finding]:
    """The findings in one prompt with its partials and examples, wherever it comes from."""
    linted = _lint(prompt, config, contexts)
    unused = _at_levels((each.unused() for each in linted.unused), config)
    return _once([*linted.findings, *unused])


def lint_file(
    path: Path, name: str, tree: Tree, config: LintConfig, *, contexts: Contexts = _no_contexts
) -> Linted:
    """What the rules say of the prompt in a file, and of those in `tree` that it is made of."""
    text = ""
    try:
        text = read_document(path)
        prompt = parse_prompt(text, path, name=name, tree=tree)
    except UsageError as error:
        findings = [_broken(error, path), *_bare(text, path, config)]
        named = (replace(each, prompt=name) for each in findings)
        return Linted(findings=tuple(_at_levels(named, config)))
    return _lint(prompt, config, contexts)


def _lint(prompt: Prompt, config: LintConfig, contexts: Contexts) -> Linted:
    findings = _bare(prompt.source, prompt.path, config)
    sources = [prompt.template.source]
    whole = False
    try:
        subject = _subject(prompt)
        sources += [each.source for each in subject.partials.values()]
        findings += _rules(subject, config, contexts)
        whole = True
    except UsageError as error:
        findings.append(_broken(error, prompt.path))
    suppressions: list[Suppression] = []
    for source in sources:
        good, bad = read_suppressions(source)
        suppressions += [each for each in good if config.level(each.rule)]
        findings += bad
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    used: list[Suppression] = []
    for each in _at_levels((replace(one, prompt=prompt.name) for one in findings), config):
        by = matching(each, suppressions, prompt.path)
        (suppressed if by else kept).append(each)
        used += by
    return Linted(
        findings=tuple(kept),
        suppressed=tuple(suppressed),
        used=tuple(used),
        # What could not be read may hold what they are for.
        unused=tuple(each for each in suppressions if whole and each not in used),
        files=_files(prompt) if whole else (),
        deprecated=prompt.deprecated,
    )


def _files(prompt: Prompt) -> tuple[str, ...]:
    return (f"{prompt.name}{SUFFIX}", *(part.path for part in prompt.parts))


def _remember(memory: LintMemory, linted: Mapping[str, Linted], known: Iterable[str]) -> None:
    for name, one in linted.items():
        # A suppression may be of use to another prompt, and a deprecation is held
        # against the aliases: such prompts are looked at again.
        spotless = not (one.findings or one.suppressed or one.unused or one.deprecated)
        if spotless and one.files:
            memory.remember(name, one.files)
    memory.save(known)


def _bare(text: str, path: Path, config: LintConfig) -> list[Finding]:
    """What is found in the text alone, be it a prompt or not."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return [
        *secrets_and_personal_data(text, path, config.allow),
        *invisible_character(text, path),
    ]


def _rules(subject: Subject, config: LintConfig, contexts: Contexts) -> list[Finding]:
    findings = [
        *undeclared_variable(subject),
        *unused_input(subject),
        *input_without_description(subject),
        *outputs_not_mentioned(subject),
        *untrusted_in_system(subject),
        *undelimited_input(subject),
    ]
    for each in subject.templates:
        findings += trailing_whitespace(each.source)
        if each is not subject.body:
            findings += _bare(each.source.text, each.source.path, config)
    if subject.examples:
        path, text = subject.examples
        findings += _bare(text, path, config)
    if not any(each.rule == "undeclared-variable" for each in findings):
        findings += context_overflow(subject, contexts)
    return findings


def _subject(prompt: Prompt) -> Subject:
    """The prompt, taken apart; `DocumentError` for what a rendering would stumble over."""
    composition = prompt.template.composition
    composition.check()
    partials = {name: _parse_partial(each) for name, each in composition.partials.items()}
    body = parse_source(prompt.template.source)
    subject = Subject(prompt=prompt, body=body, partials=partials)
    _ = prompt.examples
    for template, names in zip(subject.templates, subject.names, strict=True):
        if names.in_doubt:
            compile_source(template.source)
    Inspection(composition, body, partials, subject.variables).check_messages()
    return subject


@lru_cache(maxsize=1024)
def _parse_partial(partial: Partial) -> Parsed:
    return parse_source(partial.source)


def _lint_lock(
    repository: PromptRepository,
    linted: dict[str, Linted],
    names: Iterable[str] | None,
    config: LintConfig,
    today: date,
) -> list[Finding]:
    try:
        lock = repository.lock()
    except DocumentError as error:
        return _at_levels([_broken(error, repository.lock_path)], config)
    chosen = lock.names() if names is None else names
    return _at_levels(_aliases(lock, chosen, linted, today), config)


def _aliases(
    lock: Lock, names: Iterable[str], linted: dict[str, Linted], today: date
) -> Iterator[Finding]:
    for name in names:
        deprecated = linted[name].deprecated if name in linted else None
        yield from aliases(lock, name, deprecated, today)


def _broken(error: UsageError, path: Path) -> Finding:
    where = error.where or Where(path)
    if missing := _WITHOUT_KIND.fullmatch(error.message):
        name = "" if missing[1].isdigit() else f" `{missing[1]}`"
        return found(
            "input-without-kind",
            f"the input{name} has no kind",
            where,
            hint="add `kind:`; it is string, integer, number, boolean, array or object",
        )
    return found("broken", error.message, where, hint=error.hint)


def _at_levels(findings: Iterable[Finding], config: LintConfig) -> list[Finding]:
    """The findings of rules that are not off, at the level that the project chose."""
    chosen = ((each, config.level(each.rule, each.level)) for each in findings)
    return [
        each if level == each.level else replace(each, level=level)
        for each, level in chosen
        if level is not None
    ]


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted; what stands in a partial is told once, not for every prompt that includes it."""
    told = {(each.where, each.rule, each.message): each for each in reversed(list(findings))}
    return sorted(
        told.values(),
        key=lambda each: (each.where.path, each.where.line or 0, each.rule, each.message),
    )
