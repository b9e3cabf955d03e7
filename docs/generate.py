"""Write docs/reference/ and docs/schemas/ from `--help`, the file formats and the docstrings.

`python docs/generate.py [FOLDER]`; a test compares the committed pages with
what this writes.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer.main

from llmops import scorers
from llmops.cli.app import app
from llmops.project import schemas
from llmops.prompts.deprecation import Deprecation
from llmops.prompts.lint.findings import RULES
from llmops.prompts.locked import Evidence, LockedPart, LockedVersion, Move
from llmops.prompts.lockfile import SCHEMA as LOCK_SCHEMA
from llmops.prompts.lockfile import sealed
from llmops.prompts.release.bundle import SCHEMA as BUNDLE_SCHEMA
from llmops.prompts.versions import Version

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py; change the code, then run `make docs`. -->\n\n"

FILES_NOTE = """Unknown keys are errors, and every error names file and line. The first line of a
file, `# yaml-language-server: $schema=…` (`#:schema …` in TOML), tells an editor where the JSON
Schema of the format lies. `llmops schema` writes them into `schemas/`; those of this version are in
[schemas/](../schemas/).
"""

SCORERS_NOTE = """A check of a suite names a scorer; its `options` are the parameters below. See
[the guide](../guides/scorers.md) for how to choose one and how to write your own.
"""

RULES_NOTE = """`llmops prompt lint` and `llmops prompt check` look for these. `[lint]` in
`llmops.toml` sets another level, or `"off"`: `rules = {unused-input = "error"}`. A finding that is
fine is accepted by a comment in the prompt or the partial, with its reason:
`{# lint: ignore RULE: why it is fine here #}`.
"""

LOCK_NOTE = f"""`prompts/prompts.lock` is JSON, one value a line. The first line is
`{{"schema": "{LOCK_SCHEMA}"}}`. Then comes a block for each prompt, sorted by name and divided by
blank lines: a line for each version, ascending, and one for each move of an alias, in their order.
`llmops prompt lock`, `promote` and `rollback` write it, and rewrite it only when it changes.

A line of one prompt refers to no other prompt. It is the same line for ever: a version is never
edited, and a move never taken out.
"""

VERSION_KEYS = {
    "prompt": "Its name: the path below the prompts folder, without suffix.",
    "version": "The number, as the file says it.",
    "content": "The fingerprint of all that reaches the model, and of the interface. "
    "`NAME@sha256:…` and the report of an evaluation name it.",
    "interface": "The fingerprint of inputs and outputs alone.",
    "blob": "The git object that is the file's text.",
    "includes": "Partials and examples by their paths: `content` is the fingerprint, `blob` "
    "its git object. Only where there are any.",
    "asked": "`true` where a person chose a larger number than the change needed.",
    "deprecated": "`since`, `use` and `after`, as the file says them.",
    "seal": "The first 16 digits of the SHA-256 of the line before it, from `{` to the last value. "
    "It is no secret: it tells an edit by hand, or half a merge.",
}
MOVE_KEYS = {
    "prompt": "The prompt's name.",
    "alias": "What was moved, such as `production`.",
    "to": "The version that it points to since.",
    "from": "The version before; `null` for the first move. It has to be where the last move led.",
    "kind": "`promote` or `rollback`.",
    "why": "The reason.",
    "who": "The git identity.",
    "at": "When, ISO 8601 in UTC.",
    "evidence": "The evaluation: `report` (the run's id), `sha256` (of its `report.json`), "
    "`suite`, `cases` (`120 of 120`: those of the run, of the dataset) and `outcome`. "
    "Absent when forced.",
    "forced": "`true` where there was no evidence.",
    "seal": "As above.",
}

BUNDLE_NOTE = f"""`llmops prompt bundle` writes JSON, one value a line:

| line | keys |
| --- | --- |
| the first | `schema`: `"{BUNDLE_SCHEMA}"`; `sha256`: of all bytes after this line |
| the second | `lock`: a `prompts.lock`, with one move for each alias, without who and why |
| others | `path`: a file below the prompts folder; `blob`: its git object; `text`: what it holds |

Files are sorted by path and object, and stand there once, however many versions share them. The
digest is checked when a bundle is opened, and each prompt's content when it is loaded.
"""

PYTHON_NOTE = """The public names, by the module that they are imported from. What is not here may
change without notice.
"""

MODULES = {
    "llmops": None,
    "llmops.prompts": None,
    "llmops.prompts.comparison": None,
    "llmops.prompts.lint": None,
    "llmops.prompts.release": None,
    "llmops.registry": None,
    "llmops.models": None,
    "llmops.core.chat": None,
    "llmops.scorers": ("Sample", "Score", "build", "measure", "names"),
    "llmops.evals.results": None,
    "llmops.testing": None,
}
"""The modules of the Python reference; `None` takes all public names."""


def main(folder: Path) -> None:
    reference = folder / "reference"
    reference.mkdir(parents=True, exist_ok=True)
    pages = {
        "cli": cli_page,
        "files": files_page,
        "prompts": prompts_page,
        "scorers": scorers_page,
        "python": python_page,
    }
    for name, write in pages.items():
        text = re.sub(r"\n{3,}", "\n\n", NOTE + write()).rstrip() + "\n"
        (reference / f"{name}.md").write_text(text, encoding="utf-8")
    schemas.write(folder / "schemas")


def cli_page() -> str:
    """Every command with its `--help`."""
    parts = ["# Command line\n"]
    for words, text in helps("llmops", typer.main.get_command(app), None):
        parts.append(f"## `{words}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def helps(name: str, command: Any, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command, info_name=name, parent=parent, terminal_width=90, max_content_width=90
    )
    # Settings that typer hands to a command when it is called, not when it is made.
    context.help_option_names = ["-h", "--help"]
    yield context.command_path, command.get_help(context)
    for each, inner in getattr(command, "commands", {}).items():
        yield from helps(each, inner, context)


def files_page() -> str:
    """The keys of every file format."""
    parts = ["# File formats\n", FILES_NOTE]
    for each in schemas.FORMATS:
        schema = json.loads(json.dumps(each.build()))
        parts.append(f"## {each.name}: {heading(each.describes)}\n")
        parts.extend(tables(schema, schema, "", set()))
    return "\n".join(parts)


def heading(describes: str) -> str:
    """`evals/**/*.yaml`: the path in it as code, which Markdown would read as emphasis."""
    return re.sub(r"\S*\.(?:toml|prompty|yaml|json)\b", lambda found: f"`{found[0]}`", describes)


def tables(
    root: Mapping[str, Any], schema: Mapping[str, Any], path: str, done: set[str]
) -> Iterator[str]:
    """The table of an object, then those of the objects in it, each under its key path."""
    if path:
        yield f"### `{path}`\n"
        if summary := schema.get("description", "").split("\n")[0]:
            yield f"{summary}\n"
    yield table(root, schema)
    for key, field in schema.get("properties", {}).items():
        for place, inner in objects(root, field, f"{path}.{key}".lstrip(".")):
            mark = (
                inner.get("title", place) if inner.get("title") in root.get("$defs", {}) else place
            )
            if mark not in done:
                done.add(mark)
                yield from tables(root, inner, place, done)


def objects(
    root: Mapping[str, Any], field: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects with keys of their own that a field can hold, with where they stand."""
    field = resolved(root, field)
    if "properties" in field:
        yield path, field
    for union in ("anyOf", "oneOf"):
        for each in field.get(union, ()):
            yield from objects(root, each, path)
    if isinstance(field.get("items"), dict):
        yield from objects(root, field["items"], f"{path}[]")
    if isinstance(field.get("additionalProperties"), dict):
        yield from objects(root, field["additionalProperties"], f"{path}.NAME")


def resolved(root: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in field:
        return field
    name = field["$ref"].rsplit("/", 1)[-1]
    return {"title": name, **root["$defs"][name]}


def table(root: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    required = set(schema.get("required", []))
    for key, field in schema.get("properties", {}).items():
        default = "required" if key in required else shown_default(field.get("default"))
        told = description(root, field)
        meaning = " ".join(told.split()).replace("|", "\\|")
        rows.append(f"| `{key}` | {kind(root, field)} | {default} | {meaning} |".replace("  ", " "))
    return "\n".join(rows) + "\n"


def description(root: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    """What is said of a field, else of the one object that it can hold."""
    found = {**resolved(root, field), **field}.get("description")
    inner = [each for each in field.get("anyOf", ()) if "$ref" in each]
    return str(found or (resolved(root, inner[0]).get("description", "") if inner else ""))


def shown_default(value: Any) -> str:
    return (
        ""
        if value is None or value in ([], {}, "") or isinstance(value, dict)
        else (f"`{json.dumps(value, ensure_ascii=False)}`")
    )


def kind(root: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    field = resolved(root, field)
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(each)}`" for each in field["enum"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            kinds = dict.fromkeys(kind(root, each) for each in field[union])
            return " or ".join(each for each in kinds if each != "null")
    if field.get("type") == "array":
        return f"list of {kind(root, field.get('items', {}))}"
    values = field.get("additionalProperties")
    if field.get("type") == "object" and isinstance(values, dict):
        return f"names to {kind(root, values)}"
    found = field.get("type", "any value")
    names = [found] if isinstance(found, str) else [each for each in found if each != "null"]
    return " or ".join("mapping" if each == "object" else str(each) for each in names)


def prompts_page() -> str:
    """The linter's rules, and what the lock file and bundles hold."""
    rules = [f"| `{each.id}` | {each.level.value} | {each.summary} |" for each in RULES.values()]
    table = "\n".join(["| rule | level | finds |", "| --- | --- | --- |", *rules])
    return "\n".join(
        [
            "# Prompts: rules, lock and bundles\n",
            f"## Rules of the linter\n\n{RULES_NOTE}\n{table}\n",
            f"## `prompts.lock`\n\n{LOCK_NOTE}",
            f"### A version\n\n{keys(VERSION_KEYS, LOCKED)}",
            f"### A move of an alias\n\n{keys(MOVE_KEYS, MOVED)}",
            f"## Bundles\n\n{BUNDLE_NOTE}",
        ]
    )


LOCKED = LockedVersion(
    prompt="support/answer",
    version=Version.parse("1.2.0"),
    content="sha256:…",
    interface="sha256:…",
    blob="…",
    parts=(LockedPart(path="shared/tone.jinja", content="sha256:…", blob="…"),),
    asked=True,
    deprecated=Deprecation(use="support/reply@^1"),
)
MOVED = Move(
    prompt="support/answer",
    alias="production",
    to=LOCKED.version,
    came_from=None,
    why="…",
    who="…",
    at="…",
    evidence=Evidence(report="…", sha256="…", suite="…", cases="…", outcome="passed"),
    forced=True,
)


def keys(told: Mapping[str, str], entry: LockedVersion | Move) -> str:
    """What is told of the keys of a line, which has to have these and no other."""
    line = json.loads(sealed(entry.to_json()))
    if list(line) != list(told):
        raise SystemExit(f"a line of the lock has the keys {list(line)}, and told are {list(told)}")
    rows = [f"| `{key}` | {meaning} |" for key, meaning in told.items()]
    return "\n".join(["| key | meaning |", "| --- | --- |", *rows]) + "\n"


def scorers_page() -> str:
    """Every built-in scorer: what it measures, its options, what it needs."""
    parts = ["# Scorers\n", SCORERS_NOTE]
    for name, place in sorted(scorers.BUILT_IN.items()):
        module, _, attribute = place.partition(":")
        found = getattr(import_module(module), attribute)
        parts.append(f"## `{name}`\n\n{docstring(found)}\n")
        if options := list(scorer_options(found)):
            rows = ["| option | type | default |", "| --- | --- | --- |", *options]
            parts.append("\n".join(rows) + "\n")
        if facts := scorer_facts(found):
            parts.append(f"{facts}\n")
    return "\n".join(parts)


def scorer_options(found: Any) -> Iterator[str]:
    if not inspect.isclass(found):
        found = found.function
    for name, parameter in inspect.signature(found).parameters.items():
        if name not in ("sample", "services"):
            default = parameter.default
            shown = "required" if default is parameter.empty else f"`{default!r}`"
            shown = shown.replace("`<factory>`", "`{}`")
            yield f"| `{name}` | {typed(parameter.annotation)} | {shown} |"


def typed(annotation: Any) -> str:
    text = str(annotation).replace("'", "")
    if choices := re.fullmatch(r"Literal\[(.*)\]", text):
        return ", ".join(f"`{each.strip(chr(34))}`" for each in choices[1].split(", "))
    return f"`{text}`".replace("|", "\\|")


def scorer_facts(found: Any) -> str:
    facts = []
    needs = getattr(found, "needs", None)
    if isinstance(needs, frozenset | set | tuple | list) and needs:
        facts.append("needs " + ", ".join(f"`{each}`" for each in sorted(needs)))
    rule = getattr(found, "default_rule", None)
    if isinstance(rule, str):
        facts.append(f"passes by default with `{rule}`")
    text = "; ".join(facts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def python_page() -> str:
    """The public names, by module."""
    parts = ["# Python\n", PYTHON_NOTE]
    for module_name, chosen in MODULES.items():
        module = import_module(module_name)
        parts.append(f"## `{module_name}`\n")
        for name in chosen or public(module):
            thing = getattr(module, name)
            parts.append(f"### `{module_name}.{name}`\n\n{signature(name, thing)}")
            parts.append(f"{docstring(thing)}\n")
            if inspect.isclass(thing) and not issubclass(thing, int | Exception):
                parts.extend(fields(thing))
                parts.extend(members(thing))
    return "\n".join(parts)


def public(module: Any) -> list[str]:
    """What a module exports: `__all__`, else the classes that it defines itself."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]


def fields(thing: type) -> Iterator[str]:
    """The fields of a dataclass with the text that stands below each."""
    if not dataclasses.is_dataclass(thing):
        return
    told = field_docstrings(thing)
    for field in dataclasses.fields(thing):
        if not field.name.startswith("_"):
            text = f": {told[field.name]}" if field.name in told else ""
            yield f"- `{field.name}` (`{field.type}`){text}"
    yield ""


def field_docstrings(thing: type) -> dict[str, str]:
    found = {}
    body = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    statements = getattr(body, "body", [])
    for before, after in itertools.pairwise(statements):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            found[before.target.id] = " ".join(str(after.value.value).split())
    return found


def members(thing: type) -> Iterator[str]:
    for name, member in vars(thing).items():
        if name.startswith(("_", "test_")):
            continue
        if isinstance(member, property):
            yield f"#### `{thing.__name__}.{name}`\n\n{docstring(member)}\n"
        elif inspect.isfunction(inner := getattr(member, "__func__", member)):
            heading = f"#### `{thing.__name__}.{name}()`"
            yield f"{heading}\n\n{signature(name, inner)}{docstring(inner)}\n"


def signature(name: str, thing: Any) -> str:
    if not inspect.isfunction(thing):
        return ""
    found = inspect.signature(thing)
    parameters = [
        each.replace(annotation=Plain(each.annotation), default=default(each.default))
        if each.annotation is not each.empty
        else each
        for each in found.parameters.values()
    ]
    plain = found.replace(parameters=parameters, return_annotation=Plain(found.return_annotation))
    arguments, arrow, returned = str(plain).rpartition(" -> ")
    word = "async def" if inspect.iscoroutinefunction(thing) else "def"
    line = f"{word} {name}{arguments}{arrow}{returned}"
    if len(line) > 90:
        inside = arguments[1:-1].split(", ")
        line = f"{word} {name}(\n    " + ",\n    ".join(joined(inside)) + f",\n){arrow}{returned}"
    return f"```text\n{line}\n```\n\n"


class Plain(str):
    """A text that a signature shows without quotes: an annotation, the name of a default."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def default(value: Any) -> Any:
    """A default as it is shown: of a function its name, which has no address in it."""
    return Plain(value.__name__) if inspect.isfunction(value) else value


def joined(parts: list[str]) -> Iterator[str]:
    """Arguments split at commas, those inside brackets put together again."""
    pending = ""
    for part in parts:
        pending = f"{pending}, {part}" if pending else part
        if sum(map(pending.count, "[({")) == sum(map(pending.count, "])}")):
            yield pending
            pending = ""


def docstring(thing: Any) -> str:
    """The docstring as Markdown: doctest examples and indented text become code blocks."""
    lines: list[str] = []
    fence = ""
    for line in (inspect.getdoc(thing) or "").splitlines():
        if not fence and line.startswith(">>>"):
            lines.append("```pycon")
            fence = "example"
        elif not fence and line.startswith("    ") and (not lines or not lines[-1]):
            lines.append("```python")
            fence = "indented"
        elif (fence == "example" and not line.strip()) or (
            fence == "indented" and line.strip() and not line.startswith("    ")
        ):
            while lines and not lines[-1]:
                lines.pop()
            lines += ["```", ""] if line.strip() else ["```"]
            fence = ""
        lines.append(line.removeprefix("    ") if fence == "indented" else line)
    return "\n".join([*lines, "```"] if fence else lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DOCS)
