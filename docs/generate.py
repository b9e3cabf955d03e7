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

PYTHON_NOTE = """The public names, by the module that they are imported from. What is not here may
change without notice.
"""

MODULES = {
    "llmops": None,
    "llmops.prompts": None,
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
        if name != "sample":
            default = parameter.default
            shown = "required" if default is parameter.empty else f"`{default!r}`"
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
    arguments, arrow, returned = re.sub(
        r"'([^']+)'", r"\1", str(inspect.signature(thing))
    ).rpartition(" -> ")
    word = "async def" if inspect.iscoroutinefunction(thing) else "def"
    line = f"{word} {name}{arguments}{arrow}{returned}"
    if len(line) > 90:
        inside = arguments[1:-1].split(", ")
        line = f"{word} {name}(\n    " + ",\n    ".join(joined(inside)) + f",\n){arrow}{returned}"
    return f"```text\n{line}\n```\n\n"


def joined(parts: list[str]) -> Iterator[str]:
    """Arguments split at commas, those inside brackets put together again."""
    pending = ""
    for part in parts:
        pending = f"{pending}, {part}" if pending else part
        if pending.count("[") == pending.count("]"):
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
