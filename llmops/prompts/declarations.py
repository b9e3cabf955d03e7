"""From front matter to values: declared inputs and outputs, and how to sample.

The document's models say what may be written; here is what it means, and what
contradicts itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from llmops.core.chat import Sampling
from llmops.core.documents import Parsed
from llmops.core.errors import DocumentError, UsageError
from llmops.prompts.inputs import NOT_GIVEN, Input, Kind
from llmops.prompts.plain import plain_json
from llmops.prompts.refs import NAME_RULE, is_name
from llmops.prompts.schema import ItemDocument, OptionsDocument, PropertyDocument

Keys = tuple[str | int, ...]

RESERVED = frozenset(
    {"loop", "self", "caller", "varargs", "kwargs", "range", "dict", "namespace", "cycler"}
    | {"joiner", "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is"}
    | {"if", "else", "for", "recursive"}
)
"""Names that mean something else in a Jinja2 template."""

_OWN_KEY = {
    "temperature": "temperature",
    "seed": "seed",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
_NOT_SAMPLING = frozenset({"messages", "model", "stream", "n", "tools", "response_format"})


def read_properties(
    declared: list[PropertyDocument], head: Parsed, *keys: str | int
) -> tuple[Input, ...]:
    """The inputs, outputs or properties declared under `keys`.

    Raises `DocumentError` for two of one name, a name that Jinja2 reserves, a
    default, example or allowed value of another kind, and an input that is
    both required and has a default.
    """
    seen: set[str] = set()
    read = []
    for index, each in enumerate(declared):
        place = (*keys, index)
        if each.name in seen:
            raise DocumentError(f"`{each.name}` is declared twice", where=head.where(*place))
        if keys == ("inputs",) and each.name in RESERVED:
            raise DocumentError(
                f"`{each.name}` cannot name an input: it means something else in Jinja2",
                where=head.where(*place),
            )
        if each.trusted and (len(keys) > 1 or keys == ("outputs",)):
            raise DocumentError(
                "`trusted` is said of a whole input", where=head.where(*place, "trusted")
            )
        seen.add(each.name)
        read.append(_property(each, head, place))
    return tuple(read)


def read_examples_path(path: str | None, inputs: Iterable[Input], head: Parsed) -> str | None:
    """The declared file of few-shot examples, by its path in the prompts folder.

    Raises `DocumentError` for what cannot be such a path, and for an input
    that has the name by which the template knows the examples.
    """
    if path is None:
        return None
    if not is_name(path) or not path.endswith(".jsonl"):
        raise DocumentError(
            f"`{path}` cannot be a file of examples",
            hint=f"name a `.jsonl` file by its path in the prompts folder: {NAME_RULE}",
            where=head.where("examples"),
        )
    for each in inputs:
        if each.name == "examples":
            raise DocumentError(
                "`examples` is the file of examples here, and cannot name an input",
                where=each.where,
            )
    return path


def read_sampling(options: OptionsDocument, head: Parsed) -> Sampling:
    """How to sample, with the defaults of `Sampling` for what is not said."""
    extra = options.additional_properties
    place = ("model", "options", "additionalProperties")
    for name in extra:
        if name in _OWN_KEY:
            raise DocumentError(
                f"`{name}` has a key of its own",
                hint=f"write `{_OWN_KEY[name]}` under `model.options`",
                where=head.where(*place, name),
            )
        if name in _NOT_SAMPLING:
            raise DocumentError(
                f"`{name}` cannot be set by a prompt", where=head.where(*place, name)
            )
    chosen: dict[str, Any] = {
        name: value
        for name, value in (("temperature", options.temperature), ("seed", options.seed))
        if value is not None
    }
    return Sampling(
        **chosen,
        max_tokens=options.max_output_tokens,
        top_p=options.top_p,
        top_k=options.top_k,
        stop=tuple(options.stop_sequences),
        frequency_penalty=options.frequency_penalty,
        presence_penalty=options.presence_penalty,
        extra=_plain(extra, "additionalProperties", head, place),
    )


def _property(declared: PropertyDocument, head: Parsed, keys: Keys) -> Input:
    bare = _item(declared, declared.name, head, keys)
    given = declared.model_fields_set
    default = declared.default if "default" in given else NOT_GIVEN
    example = declared.example if "example" in given else NOT_GIVEN
    if default is not NOT_GIVEN and keys[0] == "outputs":
        raise DocumentError(
            f"the output `{declared.name}` has a default, which a model cannot know",
            where=head.where(*keys, "default"),
        )
    if default is not NOT_GIVEN and declared.required:
        raise DocumentError(
            f"`{declared.name}` is required and has a default: one of them has no effect",
            hint="remove `required: true` or the default",
            where=head.where(*keys, "required"),
        )
    required = default is NOT_GIVEN if declared.required is None else declared.required
    for key, value in (("default", default), ("example", example)):
        if value is not NOT_GIVEN:
            _fits(bare, value, head, (*keys, key))
    return Input(
        name=declared.name,
        kind=bare.kind,
        description=declared.description,
        required=required,
        nullable=declared.nullable,
        default=default if default is NOT_GIVEN else bare.accept(default),
        example=example,
        enum=bare.enum,
        items=bare.items,
        properties=bare.properties,
        trusted=declared.trusted,
        where=bare.where,
    )


def _item(declared: ItemDocument, name: str, head: Parsed, keys: Keys) -> Input:
    """The kind and its details, without what only a named property has."""
    kind = Kind.NUMBER if declared.kind == "float" else Kind(declared.kind)
    where = head.where(*keys)
    for key, owner in (("items", Kind.ARRAY), ("properties", Kind.OBJECT)):
        if getattr(declared, key) and kind is not owner:
            raise DocumentError(
                f"`{key}` is for `kind: {owner}`, and `{name}` is `{kind}`",
                where=head.where(*keys, key),
            )
    made = Input(
        name=name,
        kind=kind,
        description=declared.description,
        nullable=declared.nullable,
        items=_item(declared.items, "items", head, (*keys, "items")) if declared.items else None,
        properties=read_properties(declared.properties, head, *keys, "properties"),
        where=where,
    )
    allowed = declared.enum_values or []
    for index, value in enumerate(allowed):
        _fits(made, value, head, (*keys, "enumValues", index))
    return _with_enum(made, tuple(allowed))


def _with_enum(made: Input, enum: tuple[Any, ...]) -> Input:
    return replace(made, enum=enum) if enum else made


def _fits(declared: Input, value: Any, head: Parsed, keys: Keys) -> None:
    try:
        declared.accept(value)
    except UsageError as error:
        message = error.message.removeprefix("the input ")
        raise DocumentError(
            f"`{keys[-1]}` of {message}" if isinstance(keys[-1], str) else message,
            hint=error.hint or "YAML reads `yes`, `1.0` and dates as such; quote what is text",
            where=head.where(*keys),
        ) from None


def _plain(value: Any, label: str, head: Parsed, keys: Keys) -> Any:
    try:
        return plain_json(value, label)
    except UsageError as error:
        raise DocumentError(error.message, where=head.where(*keys)) from None
