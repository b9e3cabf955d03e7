"""Inputs are checked against their declaration before the template sees them."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.core.errors import DocumentError, NotFound, UsageError
from llmops.prompts import parse_assignments

from .conftest import Make

DECLARED = (
    "{name: text, kind: string, required: false}",
    "{name: count, kind: integer, required: false}",
    "{name: ratio, kind: number, required: false}",
    "{name: sure, kind: boolean, required: false}",
    "{name: tags, kind: array, items: {kind: string}, required: false}",
    "{name: anything, kind: array, required: false}",
    "{name: level, kind: string, enumValues: [low, high], required: false}",
    (
        "{name: user, kind: object, required: false, properties: {"
        "name: {kind: string}, age: {kind: integer, default: 7}, "
        "nick: {kind: string, required: false}}}"
    ),
    "{name: maybe, kind: integer, nullable: true, default: 1}",
)
BODY = "user:\nhi\n"

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"text": 1}, "`text` must be a string, not an integer"),
    ({"text": b"x"}, "`text` must be a string, not `bytes`"),
    ({"count": True}, "`count` must be an integer, not a boolean"),
    ({"count": 1.0}, "`count` must be an integer, not a number"),
    ({"count": "1"}, "`count` must be an integer, not a string"),
    ({"ratio": False}, "`ratio` must be a number, not a boolean"),
    ({"ratio": float("nan")}, "`ratio` is not a finite number"),
    ({"sure": 1}, "`sure` must be a boolean, not an integer"),
    ({"sure": "true"}, "`sure` must be a boolean, not a string"),
    ({"tags": "a"}, "`tags` must be an array, not a string"),
    ({"tags": ["a", 1]}, r"`tags\[1\]` must be a string, not an integer"),
    ({"tags": ["a", None]}, r"`tags\[1\]` must be a string, not null"),
    ({"tags": {"a"}}, "`tags` must be an array, not `set`"),
    ({"anything": [object()]}, r"`anything\[0\]` holds `object`, not plain data"),
    ({"anything": [{1: 2}]}, r"`anything\[0\]` holds an object, not plain data"),
    ({"level": "medium"}, "`level` has a value that is not allowed"),
    ({"user": []}, "`user` must be an object, not an array"),
    ({"user": {}}, "`user.name` is missing"),
    ({"user": {"name": 3}}, "`user.name` must be a string"),
    ({"user": {"name": "a", "mail": "b"}}, "`user` has no property `mail`"),
]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_a_value_of_another_kind_is_told_with_its_declaration(
    values: dict[str, Any], message: str, make: Make
) -> None:
    prompt = make(BODY, *DECLARED)
    with pytest.raises(UsageError, match=message) as caught:
        prompt.render(**values)
    (name,) = values
    line = 4 + [each.name for each in prompt.inputs].index(name)
    assert caught.value.where is not None
    assert (str(caught.value.where.path), caught.value.where.line) == ("p.prompty", line)


def test_a_value_that_is_too_deep_is_refused(make: Make) -> None:
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(UsageError, match="is nested too deeply"):
        make(BODY, *DECLARED).render(anything=deep)


def test_a_missing_input_is_told_with_its_declaration(make: Make) -> None:
    prompt = make("user:\n{{ a }}{{ b }}\n", "a", "{name: b, kind: string, description: Why.}")
    with pytest.raises(UsageError, match="prompt `p` needs the input `b`") as caught:
        prompt.render(a="x")
    assert caught.value.hint == "Why."
    assert str(caught.value.where) == "p.prompty:5"


def test_an_unknown_input_is_told_with_the_nearest(make: Make) -> None:
    with pytest.raises(NotFound, match="prompt `p` has no input `questoin`") as caught:
        make("user:\n{{ question }}\n", "question").render(question="x", questoin="y")
    assert caught.value.hint == "did you mean `question`?"
    with pytest.raises(NotFound, match="has no input `x`") as caught:
        make(BODY).render(x=1)
    assert caught.value.hint == "it takes none"


def test_defaults_fill_in_at_every_level(make: Make) -> None:
    prompt = make(BODY, *DECLARED)
    values = prompt.accept({"user": {"name": "a"}, "maybe": None, "ratio": 2, "tags": ("x",)})
    assert values["user"] == {"name": "a", "age": 7, "nick": None}
    assert (values["maybe"], values["ratio"], values["tags"]) == (None, 2, ["x"])
    assert prompt.accept({})["maybe"] == 1


def test_an_input_without_a_value_is_never_printed(make: Make) -> None:
    prompt = make("user:\n{{ a }}\n", "{name: a, kind: string, required: false}")
    with pytest.raises(DocumentError, match="has no value here; guard it"):
        prompt.render()


def test_assignments_are_read_by_kind(make: Make) -> None:
    values = parse_assignments(
        make(BODY, *DECLARED),
        [
            "text= a=b ",
            "count=-3",
            "ratio=2.5e1",
            "sure=true",
            'tags=["a", "b"]',
            'user={"name": "x"}',
        ],
    )
    assert values == {
        "text": " a=b ",
        "count": -3,
        "ratio": 25.0,
        "sure": True,
        "tags": ["a", "b"],
        "user": {"name": "x", "age": 7, "nick": None},
    }


def test_an_assignment_can_read_a_file_byte_for_byte(make: Make, tmp_path: Any) -> None:
    prompt = make(BODY, *DECLARED)
    file = tmp_path / "v.txt"
    file.write_bytes("\ufeff a\r\n\0é\n".encode())
    assert parse_assignments(prompt, [f"text=@{file}"]) == {"text": "\ufeff a\r\n\0é\n"}
    file.write_text(" [1, 2]\n")
    assert parse_assignments(prompt, [f"anything=@{file}"]) == {"anything": [1, 2]}
    assert parse_assignments(prompt, ["text=@@home"]) == {"text": "@home"}


BAD_ASSIGNMENTS = {
    "text": "`text` is given no value",
    "txt=1": "has no input `txt`",
    "count=1.5": "`count` must be an integer, and the text given is not one",
    "count=": "`count` must be an integer",
    "count=1_000": "`count` must be an integer",
    "ratio=nan": "`ratio` must be a number",
    "sure=yes": "`sure` must be a boolean",
    "tags=a,b": "`tags` must be an array",
    'tags={"a": 1}': "`tags` must be an array, not an object",
    "tags=[1]": r"`tags\[0\]` must be a string",
    "anything=[NaN]": r"`anything\[0\]` is not a finite number",
    "anything=" + "[" * 100_000: "`anything` must be an array",
    "level=mid": "not allowed",
    "text=@nowhere.txt": "cannot be read: No such file",
    "text=@.": "cannot be read: Is a directory",
    "text=\udcff": "half of a surrogate pair",
}


@pytest.mark.parametrize("assignment", BAD_ASSIGNMENTS, ids=lambda text: ascii(text)[:20])
def test_a_bad_assignment_is_one_clear_message(assignment: str, make: Make) -> None:
    with pytest.raises(UsageError, match=BAD_ASSIGNMENTS[assignment]):
        parse_assignments(make(BODY, *DECLARED), [assignment])


def test_an_input_is_given_once(make: Make) -> None:
    with pytest.raises(UsageError, match="`text` is given twice"):
        parse_assignments(make(BODY, *DECLARED), ["text=a", "text=b"])


def test_a_file_that_is_not_utf8_is_refused(make: Make, tmp_path: Any) -> None:
    file = tmp_path / "v.bin"
    file.write_bytes(b"ab\xff")
    with pytest.raises(UsageError, match="is not UTF-8: byte 0xff at 2"):
        parse_assignments(make(BODY, *DECLARED), [f"text=@{file}"])


def test_an_input_can_be_declared_the_apps_own_text(make: Make) -> None:
    own = make(BODY, "{name: text, kind: string, trusted: true}")
    foreign = make(BODY, "{name: text, kind: string}")
    assert own.inputs[0].trusted
    assert own.inputs[0].to_json()["trusted"] is True
    assert not foreign.inputs[0].trusted
    assert own.fingerprint == foreign.fingerprint
    assert own.interface_fingerprint == foreign.interface_fingerprint


@pytest.mark.parametrize(
    "head",
    [
        "outputs: [{name: x, kind: string, trusted: true}]\n",
        "inputs: [{name: x, kind: object, properties: {y: {kind: string, trusted: true}}}]\n",
    ],
)
def test_only_a_whole_input_can_be_trusted(make: Make, head: str) -> None:
    with pytest.raises(DocumentError, match=r"^p.prompty:3: `trusted` is said of a whole input"):
        make(BODY, head=head)
