"""YAML and TOML files as validated pydantic models, with file and line in every error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from llmops.core.errors import DocumentError, NotFound, Where
from llmops.core.files import read_document

Keys = tuple[str | int, ...]


class Document(BaseModel):
    """Base of every model at a file's edge: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=False)


D = TypeVar("D", bound=Document)

DEEPEST = 100
"""Levels of lists and mappings in one file."""
MOST_VALUES = 100_000
"""Values in one file; aliases of aliases could otherwise expand without end."""


class Parsed:
    """A parsed YAML or TOML mapping that remembers on which line every value stands."""

    def __init__(self, path: Path, data: dict[str, Any], lines: dict[Keys, int]):
        self.path = path
        self.data = data
        self._lines = lines

    def where(self, *keys: str | int) -> Where:
        """The place of the value under `keys`, or of the nearest parent that is there."""
        keys = self._spelled(keys)
        for end in range(len(keys), -1, -1):
            line = self._lines.get(keys[:end])
            if line is not None:
                return Where(self.path, line)
        return Where(self.path)

    def _spelled(self, keys: Keys) -> Keys:
        """`keys` as the file has them: a model may take a mapping for a list of named things."""
        node: Any = self.data
        spelled: list[str | int] = []
        for key in keys:
            if isinstance(node, dict):
                if isinstance(key, int) and key < len(node):
                    key = list(node)[key]
                node = node.get(key)
            elif isinstance(node, list) and isinstance(key, int) and key < len(node):
                node = node[key]
            spelled.append(key)
        return tuple(spelled)

    def validate(self, model: type[D]) -> D:
        """The document as `model`; `DocumentError` names the first thing that is wrong."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            raise self._translate(error, model) from None

    def _translate(self, error: ValidationError, model: type[Document]) -> DocumentError:
        found = error.errors(include_url=False, include_context=True, include_input=False)
        # A misspelt key is also a missing one; the misspelling is what helps.
        first = min(found, key=lambda each: each["type"] != "extra_forbidden")
        keys = tuple(first["loc"])
        label = ".".join(str(key) for key in self._spelled(keys)) or "the file"
        more = error.error_count() - 1
        also = f" (and {more} more)" if more else ""
        if first["type"] == "extra_forbidden":
            known = _fields_at(model, keys[:-1])
            hint = NotFound.among("key", str(keys[-1]), known).hint if known else None
            return DocumentError(f"unknown key `{label}`{also}", hint=hint, where=self.where(*keys))
        if first["type"] == "missing":
            return DocumentError(f"`{label}` is missing{also}", where=self.where(*keys))
        message = first["msg"].removeprefix("Value error, ")
        return DocumentError(f"`{label}`: {message}{also}", where=self.where(*keys))


def load_yaml(path: Path) -> Parsed:
    """Read a YAML file that holds one mapping.

    Raises `DocumentError` for broken YAML, duplicate keys, aliases without end,
    or a file that holds something else than a mapping.
    """
    return parse_yaml(read_document(path), path)


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> Parsed:
    """Parse YAML `text` that starts on `first_line` of `path`."""
    import yaml

    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    offset = first_line
    try:
        _refuse_depth(text, loader_class, path, offset)
        loader = loader_class(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise DocumentError("the file is empty", where=Where(path))
            lines: dict[Keys, int] = {}
            data = _build(node, (), _Building(loader, lines, offset, path), frozenset())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + offset if mark else None
        raise DocumentError(
            f"not valid YAML: {error.problem or error.context}", where=Where(path, line)
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DocumentError(f"not valid YAML: {reason}", where=Where(path)) from None
    if not isinstance(data, dict):
        raise DocumentError(
            f"expected a mapping of keys to values, found {type(data).__name__}",
            where=Where(path, offset),
        )
    return Parsed(path, data, lines)


def parse_toml(text: str, path: Path) -> Parsed:
    """Parse TOML `text` of `path`; like YAML, it remembers the line of every value."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        message = re.sub(r" \(at .*\)$", "", str(error))
        raise DocumentError(
            f"not valid TOML: {message}", where=Where(path, int(found[1]) if found else None)
        ) from None
    return Parsed(path, data, _toml_lines(text))


def _refuse_depth(text: str, loader_class: Any, path: Path, first_line: int) -> None:
    """Raise for lists and mappings within each other without end: the parser in C would crash."""
    import yaml

    if sum(map(text.count, ("[", "{", "- ", "? "))) <= DEEPEST:
        return
    depth = 0
    events: Iterator[Any] = yaml.parse(text, Loader=loader_class)
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise DocumentError(
                f"nested more than {DEEPEST} levels deep",
                where=Where(path, event.start_mark.line + first_line),
            )


@dataclass(frozen=True, slots=True)
class _Building:
    """What turning YAML nodes into values needs, and the lines that it notes on the way."""

    loader: Any
    lines: dict[Keys, int]
    first_line: int
    path: Path


_TEXT, _LIST, _MAP = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))


def _build(node: Any, keys: Keys, building: _Building, above: frozenset[int]) -> Any:
    """The value of a node; refuses duplicate keys and cycles, and notes every line.

    Texts, lists and mappings, which are nearly all there is, are built here in
    one walk; everything else is left to the loader.
    """
    lines = building.lines
    line = node.start_mark.line + building.first_line
    lines.setdefault(keys, line)
    if len(lines) > MOST_VALUES:
        raise DocumentError(
            f"holds more than {MOST_VALUES:,} values once its aliases are expanded",
            where=Where(building.path, line),
        )
    kind = node.id
    if kind == "scalar":
        return node.value if node.tag == _TEXT else _scalar(node, line, building)
    if id(node) in above:
        raise DocumentError("an alias refers to itself", where=Where(building.path, line))
    above |= {id(node)}
    if kind == "sequence":
        built = [
            _build(value, (*keys, index), building, above) for index, value in enumerate(node.value)
        ]
        return built if node.tag == _LIST else building.loader.construct_object(node, True)
    return _build_mapping(node, keys, building, above)


def _scalar(node: Any, line: int, building: _Building) -> Any:
    try:
        return building.loader.construct_object(node, True)
    except ValueError as error:  # a date with a thirteenth month
        raise DocumentError(
            f"`{node.value}` is not a value: {error}", where=Where(building.path, line)
        ) from None


def _build_mapping(node: Any, keys: Keys, building: _Building, above: frozenset[int]) -> Any:
    made: dict[Any, Any] = {}
    seen: set[str] = set()
    plain = node.tag == _MAP
    for key, value in node.value:
        name = key.value if key.id == "scalar" else str(key.value)
        line = key.start_mark.line + building.first_line
        if name in seen:
            raise DocumentError(f"the key `{name}` stands twice", where=Where(building.path, line))
        seen.add(name)
        building.lines[(*keys, name)] = line
        built = _build(value, (*keys, name), building, above)
        if plain and key.tag == _TEXT:
            made[name] = built
        else:  # a number, a date, a merge: the loader knows what it becomes
            plain = False
    return made if plain else building.loader.construct_object(node, True)


_TABLE = re.compile(r"^\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


def _toml_lines(text: str) -> dict[Keys, int]:
    """The line of every table and of every `key =`; enough to point a person at it."""
    lines: dict[Keys, int] = {(): 1}
    table: Keys = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _TABLE.match(line):
            table = _split_key(match[1])
            lines.setdefault(table, number)
        elif match := _KEY.match(line):
            lines.setdefault((*table, *_split_key(match[1])), number)
    return lines


def _split_key(key: str) -> Keys:
    return tuple(
        quoted or single or bare
        for quoted, single, bare in re.findall(r'"([^"]*)"|\'([^\']*)\'|([A-Za-z0-9_-]+)', key)
    )


def _fields_at(model: type[BaseModel], keys: tuple[str | int, ...]) -> list[str]:
    """The keys that the model under `keys` knows, for a "did you mean"."""
    current: Any = model
    steps = iter(keys)
    for key in steps:
        if isinstance(key, int):  # an item of a list has the model of the list
            continue
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return []
        field = current.model_fields.get(str(key)) or next(
            (each for each in current.model_fields.values() if each.alias == key), None
        )
        if field is None:
            return []
        current = _model_within(field.annotation)
        if get_origin(field.annotation) in (dict, Mapping):
            next(steps, None)  # the user's own name for an entry
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        return []
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_within(annotation: Any) -> Any:
    """The first pydantic model inside an annotation such as `dict[str, Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_within(inner)
        if found is not None:
            return found
    return None


def schema_of(model: type[Document], *, title: str) -> Mapping[str, Any]:
    """The JSON Schema of a file format, for editors."""
    schema = model.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
