"""From sources to the prompts folder: all of it is checked before the first file is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from llmops.core.errors import DocumentError, UsageError
from llmops.prompts import PromptRepository
from llmops.prompts.exchange.detecting import Format
from llmops.prompts.exchange.files import FileChange, State, write_all
from llmops.prompts.exchange.importing import plan_import, read_source
from llmops.prompts.exchange.schemas import read_schema
from llmops.prompts.exchange.values import Imported

GITHUB = "description: {}\nmessages: [{{role: user, content: {}}}]\n"


@pytest.fixture
def repository(tmp_path: Path) -> PromptRepository:
    (tmp_path / "prompts").mkdir()
    return PromptRepository(tmp_path / "prompts")


def source(folder: Path, said: str = "Hi", described: str = "d") -> Path:
    path = folder / "hello.prompt.yml"
    path.write_text(GITHUB.format(described, said))
    return path


def bring(repository: PromptRepository, path: Path, *, replace: bool = False) -> list[FileChange]:
    changes = plan_import(repository, read_source(path).prompts, replace_others=replace)
    write_all(changes)
    return changes


def test_a_second_import_changes_nothing(repository: PromptRepository, tmp_path: Path) -> None:
    assert [each.state for each in bring(repository, source(tmp_path))] == [State.NEW]
    before = repository.path("hello").stat()
    assert [each.state for each in bring(repository, source(tmp_path))] == [State.UNCHANGED]
    assert repository.path("hello").stat().st_mtime_ns == before.st_mtime_ns
    assert repository.get("hello").render()[0].content == "Hi"


def test_words_for_people_do_not_make_other_content(
    repository: PromptRepository, tmp_path: Path
) -> None:
    bring(repository, source(tmp_path))
    (change,) = bring(repository, source(tmp_path, described="Something else."))
    assert change.state is State.UNCHANGED


def test_other_content_is_an_error_unless_it_is_to_be_replaced(
    repository: PromptRepository, tmp_path: Path
) -> None:
    bring(repository, source(tmp_path))
    path = repository.path("hello")
    path.write_text(path.read_text().replace("version: 1.0.0", "version: 2.3.4"))
    with pytest.raises(UsageError, match="with other content; nothing was written"):
        bring(repository, source(tmp_path, "Bye"))
    (change,) = bring(repository, source(tmp_path, "Bye"), replace=True)
    assert change.state is State.REPLACED
    prompt = repository.get("hello")
    assert (prompt.version, prompt.render()[0].content) == ("2.3.4", "Bye")


def test_a_broken_prompt_can_be_replaced(repository: PromptRepository, tmp_path: Path) -> None:
    repository.path("hello").write_text("broken")
    with pytest.raises(UsageError, match="other content"):
        bring(repository, source(tmp_path))
    bring(repository, source(tmp_path), replace=True)
    assert repository.get("hello").version == "1.0.0"


def test_one_bad_prompt_keeps_all_others_out(repository: PromptRepository, tmp_path: Path) -> None:
    config = tmp_path / "promptfooconfig.yaml"
    config.write_text("prompts: [{label: good, raw: Hi}, {label: bad, raw: '{{ env.X }}'}]")
    with pytest.raises(DocumentError):
        bring(repository, config)
    assert repository.names() == []


def test_when_a_file_cannot_be_written_the_others_are_put_back(
    repository: PromptRepository, tmp_path: Path
) -> None:
    bring(repository, source(tmp_path))
    before = repository.path("hello").read_bytes()
    config = tmp_path / "promptfooconfig.yaml"
    config.write_text("prompts: [{label: hello, raw: Bye}, {label: new, raw: a}]")
    changes = plan_import(repository, read_source(config).prompts, replace_others=True)
    # The name fits, and that of the file that takes its place does not: only writing shows it.
    lost = FileChange(name="x", path=repository.root / ("x" * 250), text="", state=State.NEW)
    with pytest.raises(DocumentError, match="cannot be written"):
        write_all([*changes, lost])
    assert repository.path("hello").read_bytes() == before
    assert repository.names() == ["hello"]


@pytest.mark.skipif(os.name != "posix", reason="file systems differ")
def test_a_name_that_differs_only_in_case_is_refused(
    repository: PromptRepository, tmp_path: Path
) -> None:
    (repository.root / "Hello.prompty").write_text("x")
    with pytest.raises(UsageError, match=r"`hello\.prompty` differs from `Hello\.prompty` only"):
        bring(repository, source(tmp_path))


def test_a_link_out_of_the_prompts_is_not_followed(
    repository: PromptRepository, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repository.root / "in").symlink_to(tmp_path / "elsewhere")
    read = read_source(source(tmp_path), into="in/")
    with pytest.raises(DocumentError, match="outside"):
        plan_import(repository, read.prompts)


def test_partials_of_a_published_prompt_come_along(repository: PromptRepository) -> None:
    text = '---\nmetadata: {version: 1.4.0}\n---\nuser:\n{% include "shared/tone" %}\n'
    prompt = Imported(
        name="a", text=text, parts={"shared/tone.jinja": "Be kind.\n"}, as_published=True
    )
    write_all(plan_import(repository, [prompt]))
    assert repository.get("a").render()[0].content == "Be kind."
    assert repository.get("a").version == "1.4.0"
    assert {each.state for each in plan_import(repository, [prompt])} == {State.UNCHANGED}
    (repository.root / "shared/tone.jinja").write_text("Be rude.\n")
    with pytest.raises(UsageError, match=r"tone\.jinja: is there with other content"):
        plan_import(repository, [prompt])


@pytest.mark.parametrize(
    ("into", "name"),
    [(None, "hello"), ("support/", "support/hello"), ("support/greet", "support/greet")],
)
def test_into_gives_a_name_or_a_folder(tmp_path: Path, into: str | None, name: str) -> None:
    (made,) = read_source(source(tmp_path), into=into).prompts
    assert made.name == name


def test_into_has_to_be_a_name(tmp_path: Path) -> None:
    for into in ("../up", "Über/", "/", "", "x" * 201, "a/" + "x" * 201 + "/"):
        with pytest.raises(UsageError, match="cannot name a prompt"):
            read_source(source(tmp_path), into=into)


def test_a_folder_of_githubs_files_keeps_its_paths(tmp_path: Path) -> None:
    for name in ("a/one", "b/one", ".hidden/one"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.prompt.yml").write_text(GITHUB.format("d", "Hi"))
    assert [made.name for made in read_source(tmp_path).prompts] == ["a/one", "b/one"]


def test_a_prompty_file_is_taken_over_as_it_is(tmp_path: Path) -> None:
    text = "---\n# why\nmetadata: {version: 3.0.0}\n---\nuser:\nHi\n"
    path = tmp_path / "Some Prompt.prompty"
    path.write_text(text)
    (made,) = read_source(path).prompts
    assert (made.name, made.text) == ("some-prompt", text)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: 1\n", "in no format that is known here"),
        (b"[1, 2]", "expected an object"),
        (b'{\n"a": }', r":2: not valid JSON"),
        (b"messages: [\xff]\n", r":1: not UTF-8"),
        (b"\n\0", ":2: holds a NUL byte"),
        (b"", "the file is empty"),
        (b"#" * (10 * 1024 * 1024 + 1), "larger than 10 MB"),
        (b"[" * 100_000, "not valid JSON"),
        (b"messages: " + b"[" * 2000 + b"]" * 2000, "nested more than 100 levels deep"),
    ],
)
def test_a_file_that_is_no_source_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=told):
        read_source(path)


def test_the_formats_that_were_tried_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("a: 1")
    with pytest.raises(DocumentError) as caught:
        read_source(path)
    assert caught.value.hint == (
        "looked for: promptfoo has `prompts`, github has `messages`, langchain has `lc` or "
        "`_type`, prompty has front matter between `---` lines"
    )


def test_a_format_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("prompts: [Hi]\nmessages: [{role: user, content: Ho}]\n")
    assert "\nHi\n" in read_source(path).prompts[0].text
    assert "\nHo\n" in read_source(path, format=Format.GITHUB).prompts[0].text
    with pytest.raises(UsageError, match="a registry is no file"):
        read_source(path, format=Format.MLFLOW)
    with pytest.raises(UsageError, match="no format is named `yaml`"):
        Format.parse("yaml")
    with pytest.raises(DocumentError, match=r"holds no `promptfooconfig.yaml`"):
        read_source(tmp_path / "prompts" if (tmp_path / "prompts").is_dir() else tmp_path)
    with pytest.raises(DocumentError, match="no such file"):
        read_source(tmp_path / "absent.yml")


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string"}, "no object with named properties"),
        ({"type": "object", "properties": {"a b": {"type": "string"}}}, "cannot name an output"),
        ({"type": "object", "properties": {"a": {"anyOf": [{}, {}]}}}, "`a` has `anyOf`"),
        ({"type": "object", "properties": {"a": {}}}, "`a` is not of one kind"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}}, "is not there"),
        ({"type": "object", "properties": {"a": {"$ref": "http://x"}}}, "a schema elsewhere"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "a schema elsewhere"),
        ({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}, "refers to itself"),
        ([], "has no schema of its own"),
        (True, "has no schema of its own"),
    ],
)
def test_a_schema_that_outputs_cannot_say_is_noted(schema: object, told: str) -> None:
    outputs, (note,) = read_schema(schema)
    assert outputs == []
    assert told in note


def test_references_in_a_schema_are_followed_and_losses_noted() -> None:
    schema = {
        "$defs": {"tag": {"type": "string", "pattern": "a+"}},
        "type": "object",
        "properties": {"tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 1}},
        "required": ["tags"],
    }
    outputs, notes = read_schema(json.loads(json.dumps(schema)))
    assert outputs == [{"name": "tags", "kind": "array", "items": {"kind": "string"}}]
    assert notes == [
        "the answer's `pattern` (an item of `tags`) is not held",
        "the answer's `minItems` (`tags`) is not held",
    ]
