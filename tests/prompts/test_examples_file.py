"""Few-shot examples in a file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.core.errors import DocumentError
from llmops.prompts import Prompt, load_prompt
from llmops.prompts.prompt import parse_prompt
from llmops.prompts.trees import MemoryTree

from .test_rendering import contents

BODY = (
    "{% for example in examples %}\nuser:\n{{ example.q }}\nassistant:\n{{ example.a }}\n"
    "{% endfor %}\nuser:\n{{ question }}\n"
)
ROWS = '{"q": "1+1?", "a": "2"}\n{"a": "user:\\n{{ 4 }}", "q": "2+2?"}\n'


def with_rows(rows: str | None, *, body: str = BODY, head: str = "") -> Prompt:
    text = (
        "---\nmetadata: {version: 1.0.0}\nexamples: support/answer.jsonl\n"
        f"inputs:\n  - {{name: question, kind: string}}\n{head}---\n{body}"
    )
    files = {} if rows is None else {"support/answer.jsonl": rows}
    return parse_prompt(
        text, Path("prompts/p.prompty"), name="p", tree=MemoryTree(files, Path("prompts"))
    )


def test_the_rows_are_the_examples_of_the_template() -> None:
    prompt = with_rows(ROWS)
    prompt.check()
    assert prompt.examples == ({"q": "1+1?", "a": "2"}, {"a": "user:\n{{ 4 }}", "q": "2+2?"})
    assert contents(prompt.render(question="3+3?")) == [
        ("user", "1+1?"),
        ("assistant", "2"),
        ("user", "2+2?"),
        ("assistant", "user:\n{{ 4 }}"),
        ("user", "3+3?"),
    ]


def test_partials_see_the_examples_too() -> None:
    text = (
        "---\nmetadata: {version: 1.0.0}\nexamples: a.jsonl\n---\n"
        'user:\n{% include "list" %}\n{{ examples | length }}\n'
    )
    files = {"list.jinja": "{{ examples | tojson }}", "a.jsonl": '{"b": 1, "a": null}'}
    prompt = parse_prompt(text, Path("p.prompty"), name="p", tree=MemoryTree(files, Path()))
    prompt.check()
    assert contents(prompt.render()) == [("user", '[{"b": 1, "a": null}]\n1')]
    assert [part.path for part in prompt.parts] == ["a.jsonl", "list.jinja"]


def test_the_file_is_read_from_the_prompts_folder(tmp_path: Path) -> None:
    (tmp_path / "support").mkdir()
    (tmp_path / "support/answer.jsonl").write_bytes(
        b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n\r\n").encode()
    )
    path = tmp_path / "support/answer.prompty"
    path.write_text(
        "---\nmetadata: {version: 1.0.0}\nexamples: support/answer.jsonl\n---\n"
        "user:\n{{ examples[1].q }}\n"
    )
    prompt = load_prompt(path, name="support/answer")
    assert contents(prompt.render()) == [("user", "2+2?")]
    assert prompt.examples == with_rows(ROWS).examples


def test_the_rows_are_part_of_the_fingerprint_and_their_spelling_is_not() -> None:
    base = with_rows(ROWS)
    spelled = ROWS.replace(": ", ":").replace("1+1", "\\u0031+1").replace("\n", "\r\n\n")
    for same in (spelled, ROWS.removesuffix("\n")):
        assert with_rows(same).fingerprint == base.fingerprint
        assert with_rows(same).parts == base.parts
    swapped = '{"a": "2", "q": "1+1?"}' + ROWS[ROWS.index("\n") :]
    assert with_rows(swapped).examples == base.examples
    for other in (ROWS.replace("2+2", "2+3"), ROWS + ROWS, swapped):
        changed = with_rows(other)
        assert changed.fingerprint != base.fingerprint
        assert changed.interface_fingerprint == base.interface_fingerprint
        assert changed.parts != base.parts


BROKEN_ROWS = {
    "half a JSON": (ROWS + '{"q": ', 3, "not valid JSON", "one JSON object a line"),
    "a comma": ('{"q": "1", "a": "2"},\n', 1, "not valid JSON: Extra data", "no comma"),
    "an array": (ROWS + '["a"]\n', 3, "expected an object, found an array", "one example a line"),
    "a missing key": (ROWS + '\n{"q": "x"}\n', 4, "lacks `a`", "same keys"),
    "another key": (ROWS + '{"q": "", "a": "", "c": 1}', 3, "has `c` besides", "same keys"),
    "a key twice": ('{"q": 1, "q": 2}', 1, "the key `q` stands twice", None),
    "not a number": ('{"q": NaN}', 1, "NaN is not JSON", None),
    "a number too large": ('{"q": 1e999}', 1, "`examples.q` is not a finite number", None),
    "half a character": (ROWS + r'{"q": "", "a": "\ud83d"}', 3, "half of a surrogate", None),
    "nested too deep": ('{"q": ' + "[" * 99 + "]" * 99 + "}", 1, "nested too deep", None),
    "nested without end": ('{"q": ' + "[" * 99_999, 1, "nested too deep", None),
    "a merge conflict": (f"{ROWS}<<<<<<< HEAD\n{ROWS}", 3, "merge conflict", "resolve"),
    "no row": ("\n \n", None, "holds no example", "remove `examples`"),
}


@pytest.mark.parametrize("case", BROKEN_ROWS)
def test_a_broken_row_is_told_with_its_line(case: str) -> None:
    rows, line, message, hint = BROKEN_ROWS[case]
    prompt = with_rows(rows)
    with pytest.raises(DocumentError) as caught:
        prompt.check()
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")
    at = f":{line}" if line else ""
    assert str(caught.value.where) == f"prompts/support/answer.jsonl{at}"


def test_a_missing_file_is_told_where_it_is_named() -> None:
    tree = MemoryTree({"support/answers.jsonl": ROWS}, Path("prompts"))
    text = "---\nmetadata: {version: 1.0.0}\nexamples: support/answer.jsonl\n---\nuser:\nx\n"
    lost = parse_prompt(text, Path("p.prompty"), name="p", tree=tree)
    with pytest.raises(DocumentError, match=r"^p.prompty:3: the file of examples") as caught:
        lost.check()
    assert caught.value.hint == "did you mean `support/answers.jsonl`?"
    alone = parse_prompt(text, Path("p.prompty"), name="p")
    with pytest.raises(DocumentError, match=r"^p.prompty:3: .*read without its folder"):
        alone.check()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.jsonl", "x.csv", "", "a\\b.jsonl"])
def test_only_a_jsonl_file_of_the_prompts_folder_can_be_named(path: str) -> None:
    text = f"---\nmetadata: {{version: 1.0.0}}\nexamples: '{path}'\n---\nuser:\nx\n"
    with pytest.raises(DocumentError, match="cannot be a file of examples") as caught:
        parse_prompt(text, Path("p.prompty"), name="p")
    assert str(caught.value.where) == "p.prompty:3"


def test_an_input_cannot_take_the_name_of_the_examples() -> None:
    with pytest.raises(DocumentError, match=r"^prompts/p.prompty:6: `examples` is the file"):
        with_rows(ROWS, head="  - {name: examples, kind: array}\n")


def test_examples_without_a_file_are_undeclared() -> None:
    prompt = parse_prompt(
        "---\nmetadata: {version: 1.0.0}\n---\nuser:\n{{ examples }}\n", Path("p"), name="p"
    )
    with pytest.raises(DocumentError, match="`examples` is used but not declared") as caught:
        prompt.check()
    assert caught.value.hint == "name their file under `examples`"


def test_a_caller_cannot_give_the_examples() -> None:
    with pytest.raises(Exception, match="has no input `examples`"):
        with_rows(ROWS).render(question="x", examples=[])
