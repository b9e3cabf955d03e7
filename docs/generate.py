"""Write docs/reference/ from `--help`, the file formats' schemas and the docstrings.

`python docs/generate.py [FOLDER]`; a test compares the committed pages with
what this writes.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main

import llmops
from llmops import scorers
from llmops.cli.app import app
from llmops.project import schemas

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py; change the code, then run `make docs`. -->\n\n"

FILES_NOTE = """Unknown keys are errors. `llmops schema --output DIR` writes the JSON Schemas;
the first line of a file, `# yaml-language-server: $schema=…`, tells an editor where they are.
"""


def main(folder: Path) -> None:
    reference = folder / "reference"
    reference.mkdir(parents=True, exist_ok=True)
    (reference / "cli.md").write_text(NOTE + cli_page(), encoding="utf-8")
    (reference / "files.md").write_text(NOTE + files_page(), encoding="utf-8")
    (reference / "scorers.md").write_text(NOTE + scorers_page(), encoding="utf-8")
    (reference / "python.md").write_text(NOTE + python_page(), encoding="utf-8")
    schemas.write(folder / "schemas")


def cli_page() -> str:
    """Every command with its `--help`."""
    parts = ["# Command line\n"]
    root = typer.main.get_command(app)
    for words, command in commands("llmops", root):
        context = type(root).context_class(command, info_name=words, max_content_width=90)
        context.terminal_width = 90
        parts.append(f"## `{words}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def commands(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(f"{words} {name}", inner)


def files_page() -> str:
    """The keys of every file format."""
    parts = [
        "# File formats\n",
        FILES_NOTE,
    ]
    for each in schemas.FORMATS:
        parts.append(f"## {each.name}: {each.describes}\n")
        parts.extend(tables(json.loads(json.dumps(each.build()))))
    return "\n".join(parts)


def tables(schema: Mapping[str, Any]) -> Iterator[str]:
    """One table for the object itself and one for each object that it refers to."""
    yield table(schema)
    for name, definition in schema.get("$defs", {}).items():
        if "properties" in definition:
            summary = definition.get("description", "").split("\n")[0]
            yield f"### `{name}`\n\n{summary}\n\n{table(definition)}"


def table(schema: Mapping[str, Any]) -> str:
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    required = set(schema.get("required", []))
    for key, field in schema.get("properties", {}).items():
        default = "required" if key in required else f"`{json.dumps(field.get('default'))}`"
        meaning = " ".join(field.get("description", "").split())
        rows.append(f"| `{key}` | {kind(field)} | {default} | {meaning} |".replace(" |  |", " | |"))
    return "\n".join(rows) + "\n"


def kind(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return f"`{field['$ref'].rsplit('/', 1)[-1]}`"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(each)}`" for each in field["enum"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            return " or ".join(dict.fromkeys(kind(each) for each in field[union]))
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}))}"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"table of {kind(field['additionalProperties'])}"
    found = field.get("type", "any value")
    return " or ".join(found) if isinstance(found, list) else str(found)


def scorers_page() -> str:
    """Every built-in scorer with its docstring."""
    parts = ["# Scorers\n", "A suite names a scorer in a check; `options` are its parameters.\n"]
    for name in scorers.names():
        factory = scorers.built_in(name)
        parts.append(f"## `{name}`\n\n{docstring(factory)}\n")
    return "\n".join(parts)


def python_page() -> str:
    """The public names of the package."""
    parts = ["# Python\n", "Everything here is imported from `llmops`.\n"]
    for name in llmops.__all__:
        thing = getattr(llmops, name)
        parts.append(f"## `{name}`\n\n{signature(name, thing)}{docstring(thing)}\n")
        if inspect.isclass(thing) and not issubclass(thing, int | Exception):
            parts.extend(members(name, thing))
    return "\n".join(parts)


def members(owner: str, thing: type) -> Iterator[str]:
    for name, member in vars(thing).items():
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            yield f"### `{owner}.{name}`\n\n{signature(name, member)}{docstring(member)}\n"


def signature(name: str, thing: Any) -> str:
    if not inspect.isfunction(thing):
        return ""
    text = str(inspect.signature(thing)).replace("'", "")
    return f"```text\n{name}{text}\n```\n\n"


def docstring(thing: Any) -> str:
    """The docstring as Markdown: doctest examples become code blocks."""
    lines: list[str] = []
    in_example = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if line.lstrip().startswith(">>>") and not in_example:
            lines.append("```pycon")
            in_example = True
        elif in_example and not line.strip():
            lines.append("```")
            in_example = False
        lines.append(line)
    if in_example:
        lines.append("```")
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DOCS)
