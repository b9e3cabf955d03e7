from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmops.core.documents import Document, load_yaml, parse_toml, parse_yaml
from llmops.core.errors import DocumentError


class Inner(Document):
    colour: str = "red"
    size: int = 1


class Outer(Document):
    version: int
    parts: list[Inner] = []
    named: dict[str, Inner] = {}


def written(folder: Path, text: str | bytes, name: str = "file.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def failure(path: Path) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load_yaml(path).validate(Outer)
    return caught.value


def test_an_unknown_key_is_an_error_with_its_line_and_the_nearest_known_key(tmp_path: Path) -> None:
    error = failure(written(tmp_path, "version: 1\nparts:\n  - size: 2\n    color: blue\n"))
    assert str(error) == f"{tmp_path}/file.yaml:4: unknown key `parts.0.color`"
    assert error.hint == "did you mean `colour`?"


def test_a_wrong_type_in_a_named_table_is_an_error_with_its_line(tmp_path: Path) -> None:
    error = failure(written(tmp_path, "version: 1\nnamed:\n  a:\n    size: many\n"))
    assert str(error).startswith(f"{tmp_path}/file.yaml:4: `named.a.size`: Input should be a valid")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert str(failure(written(tmp_path, "parts: []\n"))).endswith("`version` is missing")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("version: 1\nversion: 2\n", 2, "the key `version` stands twice"),
        ("version: [1\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("- 1\n- 2\n", 1, "expected a mapping of keys to values, found list"),
        ("a: &x [*x]\n", 1, "an alias refers to itself"),
        ("version: !!python/object/apply:os.system ['true']\n", 1, "not valid YAML"),
    ],
)
def test_broken_yaml_is_one_message_with_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    error = failure(written(tmp_path, text))
    assert message in error.message
    assert error.where is not None
    assert error.where.line == line


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    assert failure(written(tmp_path, "# nothing\n")).message == "the file is empty"


def test_invalid_utf8_is_reported_with_the_line_of_the_bad_byte(tmp_path: Path) -> None:
    error = failure(written(tmp_path, b"version: 1\n# caf\xe9\n"))
    assert str(error) == f"{tmp_path}/file.yaml:2: not UTF-8: byte 0xe9"


def test_a_nul_byte_is_reported_with_its_line(tmp_path: Path) -> None:
    error = failure(written(tmp_path, b"version: 1\n\n\0\n"))
    assert str(error) == f"{tmp_path}/file.yaml:3: holds a NUL byte; is it a text file?"


def test_a_huge_document_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "version: 1\n")
    with path.open("r+b") as file:
        file.truncate(200 * 1024 * 1024)
    assert "larger than 10 MB" in failure(path).message


def test_aliases_of_aliases_cannot_expand_without_end() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    text = "\n".join(["l0: &l0 [x]", *levels])
    with pytest.raises(DocumentError, match="more than 100,000 values"):
        parse_yaml(text, Path("bomb.yaml"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert str(failure(tmp_path / "gone.yaml")) == f"{tmp_path}/gone.yaml: no such file"


def test_a_toml_error_names_table_key_and_line(tmp_path: Path) -> None:
    path = written(tmp_path, 'version = 1\n\n[named."a.b"]\nsiez = 2\n', "file.toml")
    with pytest.raises(DocumentError) as caught:
        parse_toml(path.read_text(), path).validate(Outer)
    assert str(caught.value) == f"{path}:4: unknown key `named.a.b.siez`"
    assert caught.value.hint == "did you mean `size`?"


def test_broken_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "version = 1\nparts = [\n", "file.toml")
    with pytest.raises(DocumentError, match="not valid TOML"):
        parse_toml(path.read_text(), path)


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused_with_a_document_error(text: str) -> None:
    try:
        parsed = parse_yaml(text, Path("any.yaml"))
    except DocumentError:
        return
    assert isinstance(parsed.data, dict)


@pytest.mark.parametrize(
    "text",
    [
        "a: text\nb: 'quoted'\nc: |\n  block\n  text\n",
        "a: [1, 2.5, true, null, ~, 2024-01-31, 0x1f, 1e3, .inf, yes]\n",
        "1: one\ntrue: two\n2024-01-31: three\nnull: four\n1.5: five\n",
        "base: &base {a: 1, b: [x]}\nmore: {<<: *base, b: [y]}\nsame: *base\n",
        "a: &a [1, {b: c}]\nd: [*a, *a]\n",
        "a: !!str 1\nb: !!int '2'\nc: !!set {x, y}\nd: !!omap [x: 1]\ne: !!binary aGk=\n",
        "a: {}\nb: []\nc: ''\nd:\n",
    ],
)
def test_a_document_has_the_values_that_yaml_says(text: str) -> None:
    assert parse_yaml(text, Path("f.yaml")).data == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "a: " + "{b: " * 50_000, "- " * 50_000])
def test_nesting_without_end_is_refused_before_it_can_crash(text: str) -> None:
    with pytest.raises(DocumentError, match="levels deep"):
        parse_yaml(text, Path("f.yaml"))


def test_a_date_that_is_none_is_told_with_its_line() -> None:
    with pytest.raises(DocumentError, match="month must be in") as caught:
        parse_yaml("a: 1\nb: 2030-13-01\n", Path("f.yaml"))
    assert str(caught.value.where) == "f.yaml:2"
